//! What a request says, checked field by field.

use jiff::civil::Date;
use onenet_chassis::{Refusal, field, stored::choice};
use onenet_proto::enterprise::v1 as wire;
use onenet_standards::Industries;

use crate::domain::{Division, Enterprise, Level, Organisation};

/// A division as a request names it.
pub(crate) fn division(sent: Option<wire::Division>) -> Result<Division, Refusal> {
    let sent = field::required("division", sent)?;
    let code = field::division("division.code", &sent.code)?;
    field::text("division.name", &sent.name, field::NAME)?;
    field::choice::<wire::DivisionLevel>("division.level", sent.level)?;
    let level: Level = choice("level", sent.level)?;
    if code.len() != level.digits() {
        let message = format!("a code of this level has {} digits", level.digits());
        return Err(field::malformed("division.code", message));
    }
    field::choice::<wire::DivisionKind>("division.kind", sent.kind)?;
    for (path, above) in [
        ("division.parent", &sent.parent),
        ("division.jurisdiction_parent", &sent.jurisdiction_parent),
    ] {
        match (level, above) {
            (Level::Province, Some(_)) => {
                return Err(field::not_allowed(path, "a province has none"));
            }
            (Level::Province, None) => {}
            (_, above) => drop(field::division(path, above.as_deref().unwrap_or_default())?),
        }
    }
    let from = optional_day("division.valid_from_on", sent.valid_from_on.as_deref())?;
    let to = optional_day("division.valid_to_on", sent.valid_to_on.as_deref())?;
    if let Some(from) = from {
        field::period("division.valid_to_on", from, to)?;
    }
    Ok(sent.try_into()?)
}

/// A public body as a request names it.
pub(crate) fn organisation(
    sent: Option<wire::Organisation>,
    industries: &Industries,
) -> Result<Organisation, Refusal> {
    let sent = field::required("organisation", sent)?;
    field::uscc("organisation.uscc", &sent.uscc)?;
    field::text("organisation.name", &sent.name, field::NAME)?;
    field::choice::<wire::Tier>("organisation.tier", sent.tier)?;
    field::division("organisation.division", &sent.division)?;
    field::list("organisation.functions", &sent.functions, 1, 10)?;
    for (n, function) in sent.functions.iter().enumerate() {
        let path = field::at("organisation.functions", n);
        field::choice::<wire::OrganisationFunction>(&path, *function)?;
    }
    field::distinct("organisation.functions", &sent.functions)?;
    field::list("organisation.industries", &sent.industries, 0, 100)?;
    for (n, prefix) in sent.industries.iter().enumerate() {
        field::industry_prefix(&field::at("organisation.industries", n), prefix, industries)?;
    }
    field::distinct("organisation.industries", &sent.industries)?;
    if let Some(power) = &sent.enforcement_power {
        let path = |name: &str| format!("organisation.enforcement_power.{name}");
        let from = field::day(&path("from_on"), &power.from_on)?;
        let to = optional_day(&path("to_on"), power.to_on.as_deref())?;
        field::period(&path("to_on"), from, to)?;
        field::text(&path("legal_basis"), &power.legal_basis, field::LEGAL_BASIS)?;
    }
    Ok(sent.try_into()?)
}

/// An enterprise as a request names it.
pub(crate) fn enterprise(
    sent: Option<wire::Enterprise>,
    industries: &Industries,
) -> Result<Enterprise, Refusal> {
    let sent = field::required("enterprise", sent)?;
    field::uscc("enterprise.uscc", &sent.uscc)?;
    field::text("enterprise.name", &sent.name, field::NAME)?;
    field::choice::<wire::EnterpriseKind>("enterprise.kind", sent.kind)?;
    field::division("enterprise.division", &sent.division)?;
    field::industry("enterprise.industry", &sent.industry, industries)?;
    field::text("enterprise.address", &sent.address, 400)?;
    Ok(sent.try_into()?)
}

fn optional_day(path: &str, sent: Option<&str>) -> Result<Option<Date>, Refusal> {
    sent.map(|text| field::day(path, text)).transpose()
}

/// A filter by industry: a prefix of the table.
pub(crate) fn industry_filter(
    sent: Option<&str>,
    industries: &Industries,
) -> Result<Option<String>, Refusal> {
    let prefix = sent.map(|prefix| field::industry_prefix("industry", prefix, industries));
    Ok(prefix.transpose()?.map(|code| code.as_str().to_owned()))
}
