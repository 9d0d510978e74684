//! What a request says, checked field by field.

use onenet_chassis::{Refusal, field};
use onenet_proto::hazard::v1 as proto;
use onenet_standards::{Industries, Uscc};

use crate::app::Stated;

/// Longest reference of a record.
const RECORD: usize = 200;

/// A unit as a request states it.
pub(crate) fn stated(sent: proto::IdentifyMajorHazardRequest) -> Result<Stated, Refusal> {
    let enterprise = field::uscc("enterprise", &sent.enterprise)?;
    let unit = field::required("unit", sent.unit)?;
    field::text("unit.name", &unit.name, field::NAME)?;
    field::choice::<proto::HazardUnitKind>("unit.kind", unit.kind)?;
    field::list("substances", &sent.substances, 1, 500)?;
    for (n, it) in sent.substances.iter().enumerate() {
        substance(&field::at("substances", n), it)?;
    }
    // nobody living near is a statement of its own, so a zero is not the same as silence
    let residents = field::required("residents_within_500m", sent.residents_within_500m)?;
    if let Some(on_behalf) = &sent.on_behalf {
        field::text("on_behalf.reason", &on_behalf.reason, field::REASON)?;
        field::text("on_behalf.record", &on_behalf.record, RECORD)?;
    }
    let substances = sent.substances.into_iter().map(TryInto::try_into);
    Ok(Stated {
        enterprise,
        unit: unit.try_into()?,
        substances: substances.collect::<Result<_, _>>()?,
        residents_within_500m: residents,
        on_behalf: sent.on_behalf.map(Into::into),
    })
}

fn substance(path: &str, sent: &proto::Substance) -> Result<(), Refusal> {
    field::text(&format!("{path}.name"), &sent.name, field::NAME)?;
    field::distinct(&format!("{path}.class_symbols"), &sent.class_symbols)?;
    field::decimal(&format!("{path}.quantity_t"), &sent.quantity_t)?;
    Ok(())
}

/// A filter by an organisation.
pub(crate) fn uscc_filter(path: &str, sent: Option<&str>) -> Result<Option<Uscc>, Refusal> {
    sent.map(|code| field::uscc(path, code)).transpose()
}

/// A filter by industry: a prefix of the table.
pub(crate) fn industry_filter(
    sent: Option<&str>,
    industries: &Industries,
) -> Result<Option<String>, Refusal> {
    let prefix = sent.map(|prefix| field::industry_prefix("industry", prefix, industries));
    Ok(prefix.transpose()?.map(|code| code.as_str().to_owned()))
}
