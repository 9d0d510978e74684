//! What a request says, checked field by field.

use jiff::civil::Date;
use onenet_chassis::{Refusal, field};
use onenet_kernel::Position;
use onenet_proto::{common::v1 as common, credit::v1 as proto};
use onenet_standards::Uscc;

use crate::{
    app::CaseRef,
    domain::{DecidedRemoval, ListingDecision, ListingNotice, Removal, Statement},
};

/// The case a step is about; a listing has its id.
pub(crate) fn case(subject: &str, path: &str, id: &str) -> Result<CaseRef, Refusal> {
    Ok(CaseRef {
        subject: field::uscc("subject", subject)?,
        credit_case_id: field::uuid(path, id)?,
    })
}

/// A notice as a request states it.
pub(crate) fn notice(
    sent: Option<proto::ListingNotice>,
    today: Date,
) -> Result<ListingNotice, Refusal> {
    let sent = field::required("notice", sent)?;
    field::text("notice.document_number", &sent.document_number, field::DOCUMENT_NUMBER)?;
    field::past_day("notice.served_on", &sent.served_on, today)?;
    Ok(sent.try_into()?)
}

/// A statement as a request states it.
pub(crate) fn statement(sent: Option<proto::Statement>, today: Date) -> Result<Statement, Refusal> {
    let sent = field::required("statement", sent)?;
    field::past_day("statement.received_on", &sent.received_on, today)?;
    field::text("statement.summary", &sent.summary, field::SUMMARY)?;
    Ok(sent.try_into()?)
}

/// A decision as a request states it.
pub(crate) fn decision(
    sent: Option<proto::ListingDecision>,
    today: Date,
) -> Result<ListingDecision, Refusal> {
    let sent = field::required("decision", sent)?;
    field::choice::<proto::ListingOutcome>("decision.outcome", sent.outcome)?;
    field::text("decision.document_number", &sent.document_number, field::DOCUMENT_NUMBER)?;
    field::past_day("decision.decided_on", &sent.decided_on, today)?;
    field::text("decision.reasons", &sent.reasons, field::SUMMARY)?;
    let measures = "decision.measures";
    if sent.outcome() == proto::ListingOutcome::DoNotList && !sent.measures.is_empty() {
        return Err(field::not_allowed(measures, "a subject that is not listed bears no measure"));
    }
    field::list(measures, &sent.measures, 0, 50)?;
    for (n, measure) in sent.measures.iter().enumerate() {
        let path = |name: &str| format!("{}.{name}", field::at(measures, n));
        field::choice::<proto::MeasureField>(&path("field"), measure.field)?;
        field::choice::<proto::MeasureEffect>(&path("effect"), measure.effect)?;
        field::text(&path("legal_basis"), &measure.legal_basis, field::LEGAL_BASIS)?;
        field::uscc(&path("executing_organ"), &measure.executing_organ)?;
    }
    Ok(sent.try_into()?)
}

/// The end of a listing as a request states it.
pub(crate) fn removal(
    sent: Option<proto::Removal>,
    today: Date,
) -> Result<DecidedRemoval, Refusal> {
    let sent = field::required("removal", sent)?;
    let reason = "removal.reason";
    if field::choice::<proto::RemovalReason>(reason, sent.reason)? == proto::RemovalReason::Expired
    {
        return Err(only_the_clock(reason));
    }
    field::past_day("removal.removed_on", &sent.removed_on, today)?;
    let number = sent.document_number.as_deref().unwrap_or_default();
    field::text("removal.document_number", number, field::DOCUMENT_NUMBER)?;
    match Removal::try_from(sent)? {
        Removal::Decided(removal) => Ok(removal),
        Removal::Expired { .. } => Err(only_the_clock(reason)),
    }
}

fn only_the_clock(path: &str) -> Refusal {
    field::not_allowed(path, "the end of a term needs no command")
}

/// A place in a log.
pub(crate) fn position(path: &str, sent: Option<common::Position>) -> Result<Position, Refusal> {
    let sent = field::required(path, sent)?;
    let log_id = field::uuid(&format!("{path}.log_id"), &sent.log_id)?;
    Ok(Position { log_id, epoch: sent.epoch, number: sent.number })
}

/// The end of a range of positions, which lies above where it begins.
pub(crate) fn above(path: &str, after: u64, upto: u64) -> Result<(), Refusal> {
    if upto > after { Ok(()) } else { Err(field::malformed(path, "is not above `after`")) }
}

/// A filter by an organisation.
pub(crate) fn uscc_filter(path: &str, sent: Option<&str>) -> Result<Option<Uscc>, Refusal> {
    sent.map(|code| field::uscc(path, code)).transpose()
}
