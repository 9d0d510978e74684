//! What a request says, checked field by field.

use jiff::civil::Date;
use onenet_chassis::{Refusal, field};
use onenet_proto::{
    common::v1::ErrorReason,
    enforcement::v1::{self as proto, EnforcementErrorReason as Reason},
};
use onenet_standards::{Uscc, Violations};

use crate::domain::Penalty;

/// A penalty as a request states it.
pub(crate) fn penalty(
    sent: Option<proto::Penalty>,
    violations: &Violations,
    today: Date,
) -> Result<Penalty, Refusal> {
    let sent = field::required("penalty", sent)?;
    let number = "penalty.document_number";
    field::text(number, &sent.document_number, field::DOCUMENT_NUMBER)?;
    field::past_day("penalty.decided_on", &sent.decided_on, today)?;
    field::list("penalty.violations", &sent.violations, 1, 50)?;
    for (n, code) in sent.violations.iter().enumerate() {
        known_violation(&field::at("penalty.violations", n), code, violations)?;
    }
    field::distinct("penalty.violations", &sent.violations)?;
    // no more than there are kinds, since each stands once
    field::list("penalty.kinds", &sent.kinds, 1, usize::MAX)?;
    for (n, kind) in sent.kinds.iter().enumerate() {
        field::choice::<proto::PenaltyKind>(&field::at("penalty.kinds", n), *kind)?;
    }
    field::distinct("penalty.kinds", &sent.kinds)?;
    fine(&sent)?;
    field::text("penalty.legal_basis", &sent.legal_basis, field::LEGAL_BASIS)?;
    field::text("penalty.summary", &sent.summary, field::SUMMARY)?;
    Ok(sent.try_into()?)
}

fn known_violation(path: &str, code: &str, violations: &Violations) -> Result<(), Refusal> {
    if code.is_empty() {
        return Err(field::missing(path));
    }
    if !violations.contains(code) {
        let message = "is no code of the list of violations";
        return Err(Refusal::field(Reason::ViolationUnknown, path, message));
    }
    Ok(())
}

/// An amount stands exactly where a fine is imposed, and a multiple only beside an amount.
fn fine(sent: &proto::Penalty) -> Result<(), Refusal> {
    let is_imposed = sent.kinds().any(|kind| kind == proto::PenaltyKind::Fine);
    let (path, multiple_path) = ("penalty.fine", "penalty.fine_multiple");
    match (is_imposed, &sent.fine) {
        (true, None) => return Err(field::missing(path)),
        (true, Some(fine)) if fine.fen <= 0 => {
            let path = "penalty.fine.fen";
            return Err(Refusal::field(ErrorReason::NumberOutOfRange, path, "is not above zero"));
        }
        (true, Some(_)) | (false, None) => {}
        (false, Some(_)) => {
            return Err(field::not_allowed(path, "the kinds hold no fine"));
        }
    }
    match &sent.fine_multiple {
        Some(_) if !is_imposed => Err(field::not_allowed(multiple_path, "the kinds hold no fine")),
        Some(multiple) => field::positive_decimal(multiple_path, multiple).map(drop),
        None => Ok(()),
    }
}

/// A filter by an organisation.
pub(crate) fn uscc_filter(path: &str, sent: Option<&str>) -> Result<Option<Uscc>, Refusal> {
    sent.map(|code| field::uscc(path, code)).transpose()
}
