use std::path::PathBuf;

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

/// Rules that are configuration because their text is open or unverified.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSettings {
    /// Working days a subject has for its statement (陈述申辩期) after a listing notice. The order
    /// does not say; 5 follows 行政处罚法 art. 64.
    pub statement_working_days: u32,
    /// Holiday notices (data/README.md says how it is written); none: those that come with the
    /// program.
    pub holidays: Option<PathBuf>,
    /// Calendar days after which a major hidden danger (重大隐患) that stays overdue goes one tier up,
    /// and again after as many. 豫发〔2017〕31号 clause 30 asks for supervision by listing (挂牌督办) and
    /// states no period.
    pub escalation_days: u32,
    /// When a major hidden danger needs the acceptance of an independent institution
    /// (第三方机构验收评估).
    pub third_party_acceptance: DatedRule,
}

/// A rule that holds from a day on.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DatedRule {
    /// Its first day.
    pub from_on: Date,
    /// The first day on which it no longer holds; none: it holds.
    #[serde(default)]
    pub to_on: Option<Date>,
    /// The rule, as an officer would cite it.
    pub legal_basis: String,
}

impl DatedRule {
    /// The rule, where it holds on `day`.
    #[must_use]
    pub fn on(&self, day: Date) -> Option<&str> {
        let holds = day >= self.from_on && self.to_on.is_none_or(|to| day < to);
        holds.then_some(self.legal_basis.as_str())
    }
}

impl Default for RuleSettings {
    fn default() -> Self {
        Self {
            statement_working_days: 5,
            holidays: None,
            escalation_days: 7,
            third_party_acceptance: DatedRule {
                from_on: date(2017, 12, 11),
                to_on: None,
                legal_basis: "豫发〔2017〕31号第十八条".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dated_rule_holds_from_its_first_day_until_it_ends() {
        let rule = RuleSettings::default().third_party_acceptance;
        assert_eq!(rule.on(date(2017, 12, 10)), None);
        assert_eq!(rule.on(date(2017, 12, 11)), Some("豫发〔2017〕31号第十八条"));
        let ended = DatedRule { to_on: Some(date(2026, 1, 1)), ..rule };
        assert!(ended.on(date(2025, 12, 31)).is_some());
        assert_eq!(ended.on(date(2026, 1, 1)), None);
    }
}
