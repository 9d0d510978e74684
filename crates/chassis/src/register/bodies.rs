//! What a body of the register may do, where it is asked for outside a policy.

use jiff::civil::Date;
use onenet_proto::enterprise::v1::Organisation;

use crate::stored::{Malformed, read, read_if};

/// Whether an industry (GB/T 4754) is among those a body supervises.
#[must_use]
pub fn covers(body: &Organisation, industry: &str) -> bool {
    body.industries.is_empty()
        || body.industries.iter().any(|prefix| industry.starts_with(prefix.as_str()))
}

/// Whether a body has the power to punish (行政处罚权) in an industry on a day.
pub fn may_punish(body: &Organisation, industry: &str, on: Date) -> Result<bool, Malformed> {
    let Some(power) = &body.enforcement_power else { return Ok(false) };
    let from: Date = read("from_on", &power.from_on)?;
    let to: Option<Date> = read_if("to_on", power.to_on.as_deref())?;
    Ok(from <= on && to.is_none_or(|to| on < to) && covers(body, industry))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use onenet_proto::enterprise::v1::EnforcementPower;

    use super::*;

    fn body(to_on: Option<&str>) -> Organisation {
        let power = EnforcementPower {
            from_on: "2020-01-01".to_owned(),
            to_on: to_on.map(str::to_owned),
            legal_basis: "安全生产法第一百一十五条".to_owned(),
        };
        Organisation { enforcement_power: Some(power), ..Organisation::default() }
    }

    #[test]
    fn a_power_holds_from_its_first_day_until_it_ends_and_in_the_industries_of_its_body() {
        let may = |body: &Organisation, on| may_punish(body, "2614", on).unwrap();
        assert!(!may(&body(None), date(2019, 12, 31)));
        assert!(may(&body(None), date(2020, 1, 1)));
        assert!(may(&body(Some("2026-01-01")), date(2025, 12, 31)));
        assert!(!may(&body(Some("2026-01-01")), date(2026, 1, 1)));
        assert!(!may(&Organisation::default(), date(2020, 1, 1)));
        let of = |prefix: &str| Organisation { industries: vec![prefix.to_owned()], ..body(None) };
        assert!(may(&of("26"), date(2020, 1, 1)) && !may(&of("06"), date(2020, 1, 1)));
        assert!(may_punish(&body(Some("soon")), "2614", date(2020, 1, 1)).is_err());
    }
}
