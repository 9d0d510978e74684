//! What a request says, checked field by field.

use onenet_chassis::{Refusal, field};
use onenet_proto::exchange::v1::{self as wire, ExchangeErrorReason as Reason};
use onenet_standards::Industries;

use crate::{
    domain::{Agency, GrantTerms},
    feed::{Filter, SHARED},
};

/// Most types, industries or the like in one list.
const MOST: usize = 100;

/// An agency as a request names it.
pub(crate) fn agency(sent: Option<wire::Agency>) -> Result<Agency, Refusal> {
    let sent = field::required("agency", sent)?;
    field::uscc("agency.uscc", &sent.uscc)?;
    field::text("agency.name", &sent.name, field::NAME)?;
    field::division("agency.division", &sent.division)?;
    certificates("agency.certificate_sha256", &sent.certificate_sha256)?;
    Ok(sent.try_into()?)
}

/// Certificates that an agency may connect with.
pub(crate) fn certificates(path: &str, sent: &[String]) -> Result<(), Refusal> {
    field::list(path, sent, 1, 10)?;
    for (n, fingerprint) in sent.iter().enumerate() {
        field::sha256(&field::at(path, n), fingerprint)?;
    }
    field::distinct(path, sent)
}

/// The terms of a grant as a request names them.
pub(crate) fn terms(
    sent: Option<wire::GrantTerms>,
    industries: &Industries,
) -> Result<GrantTerms, Refusal> {
    let sent = field::required("terms", sent)?;
    field::list("terms.event_types", &sent.event_types, 1, MOST)?;
    shared_types("terms.event_types", &sent.event_types)?;
    field::distinct("terms.event_types", &sent.event_types)?;
    field::division("terms.subtree", &sent.subtree)?;
    prefixes("terms.industries", &sent.industries, industries)?;
    field::text("terms.purpose", &sent.purpose, field::REASON)?;
    field::text("terms.legal_basis", &sent.legal_basis, field::LEGAL_BASIS)?;
    let from = field::day("terms.from_on", &sent.from_on)?;
    let to = sent.to_on.as_deref().map(|day| field::day("terms.to_on", day)).transpose()?;
    field::period("terms.to_on", from, to)?;
    Ok(sent.try_into()?)
}

/// A filter as a request names it; absent means all.
pub(crate) fn filter(
    sent: Option<wire::Filter>,
    industries: &Industries,
) -> Result<Filter, Refusal> {
    let sent = sent.unwrap_or_default();
    field::list("filter.event_types", &sent.event_types, 0, MOST)?;
    shared_types("filter.event_types", &sent.event_types)?;
    if let Some(subtree) = &sent.subtree {
        field::division("filter.subtree", subtree)?;
    }
    prefixes("filter.industries", &sent.industries, industries)?;
    if let Some(subject) = &sent.subject {
        field::uscc("filter.subject", subject)?;
    }
    Ok(Filter::new(sent))
}

fn shared_types(path: &str, types: &[String]) -> Result<(), Refusal> {
    match types.iter().position(|name| !SHARED.contains(&name.as_str())) {
        None => Ok(()),
        Some(n) => {
            let message = "is unknown or never leaves the node";
            Err(Refusal::field(Reason::EventTypeNotShared, field::at(path, n), message))
        }
    }
}

fn prefixes(path: &str, sent: &[String], industries: &Industries) -> Result<(), Refusal> {
    field::list(path, sent, 0, MOST)?;
    for (n, prefix) in sent.iter().enumerate() {
        field::industry_prefix(&field::at(path, n), prefix, industries)?;
    }
    Ok(())
}
