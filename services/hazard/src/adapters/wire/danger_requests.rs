//! What a request about hidden dangers says, checked field by field.

use jiff::civil::Date;
use onenet_chassis::{Refusal, field};
use onenet_proto::{
    common::v1::ErrorReason,
    hazard::v1::{self as proto, citation::By, rectification_order::Deadline},
};

use crate::{
    app::{Cited, Graded},
    domain::{Acceptance, Finding, Recheck, Rectification, RectificationOrder, TreatmentReport},
};

/// Most working days an order may give.
const WORKING_DAYS: u32 = 1_000;

/// What was found, as a request states it.
pub(crate) fn finding(sent: Option<proto::Finding>, today: Date) -> Result<Finding, Refusal> {
    let sent = field::required("finding", sent)?;
    field::text("finding.description", &sent.description, field::SUMMARY)?;
    field::text("finding.location", &sent.location, field::NAME)?;
    field::choice::<proto::HiddenDangerSource>("finding.source", sent.source)?;
    field::choice::<proto::HiddenDangerKind>("finding.kind", sent.kind)?;
    field::choice::<proto::HiddenDangerCause>("finding.cause", sent.cause)?;
    field::past_day("finding.found_on", &sent.found_on, today)?;
    Ok(sent.try_into()?)
}

/// A grading as a request states it: a citation stands exactly beside a major one.
pub(crate) fn grading(
    sent: proto::GradeHiddenDangerRequest,
    today: Date,
) -> Result<Graded, Refusal> {
    let grade = field::choice::<proto::HiddenDangerGrade>("grade", sent.grade)?;
    let graded_on = field::past_day("graded_on", &sent.graded_on, today)?;
    let citation = match (grade, sent.citation) {
        (proto::HiddenDangerGrade::Major, citation) => {
            Some(cited(field::required("citation", citation)?)?)
        }
        (_, None) => None,
        (_, Some(_)) => {
            return Err(field::not_allowed("citation", "a general danger needs no criterion"));
        }
    };
    Ok(Graded { citation, graded_on })
}

fn cited(sent: proto::Citation) -> Result<Cited, Refusal> {
    match field::required("citation.by", sent.by)? {
        By::Criterion(code) => {
            Ok(Cited::Criterion(field::text("citation.criterion", &code, field::NAME)?))
        }
        By::StandardItem(proto::StandardItem { standard_no, item }) => {
            let item = field::text("citation.standard_item.item", &item, field::REASON)?;
            Ok(Cited::Item { standard_no, item })
        }
    }
}

/// An order as a request states it.
pub(crate) fn order(
    sent: Option<proto::RectificationOrder>,
    today: Date,
) -> Result<RectificationOrder, Refusal> {
    let sent = field::required("order", sent)?;
    field::text("order.document_number", &sent.document_number, field::DOCUMENT_NUMBER)?;
    let served_on = field::past_day("order.served_on", &sent.served_on, today)?;
    match field::required("order.deadline", sent.deadline.as_ref())? {
        Deadline::DueOn(due_on) => {
            let path = "order.due_on";
            if field::day(path, due_on)? < served_on {
                let message = format!("is before {served_on}");
                return Err(Refusal::field(ErrorReason::PeriodInverted, path, message));
            }
        }
        Deadline::WorkingDays(days) => {
            if !(1..=WORKING_DAYS).contains(days) {
                let (path, message) = ("order.working_days", "is not between 1 and 1,000");
                return Err(Refusal::field(ErrorReason::NumberOutOfRange, path, message));
            }
        }
    }
    field::text("order.requirements", &sent.requirements, field::SUMMARY)?;
    field::text("order.legal_basis", &sent.legal_basis, field::LEGAL_BASIS)?;
    Ok(sent.try_into()?)
}

/// A report on a treatment as a request states it.
pub(crate) fn report(
    sent: Option<proto::TreatmentReport>,
    today: Date,
) -> Result<TreatmentReport, Refusal> {
    let sent = field::required("report", sent)?;
    field::past_day("report.reported_on", &sent.reported_on, today)?;
    field::text("report.summary", &sent.summary, field::SUMMARY)?;
    if let Some(receipt) = &sent.department {
        let path = |name: &str| format!("report.department.{name}");
        field::uscc(&path("department"), &receipt.department)?;
        field::text(&path("receipt_number"), &receipt.receipt_number, field::DOCUMENT_NUMBER)?;
        field::past_day(&path("received_on"), &receipt.received_on, today)?;
    }
    if let Some(receipt) = &sent.congress {
        let path = |name: &str| format!("report.congress.{name}");
        field::text(&path("congress"), &receipt.congress, field::NAME)?;
        field::text(&path("record_number"), &receipt.record_number, field::DOCUMENT_NUMBER)?;
        field::past_day(&path("received_on"), &receipt.received_on, today)?;
    }
    Ok(sent.try_into()?)
}

/// A rectification as a request states it.
pub(crate) fn rectification(
    sent: Option<proto::Rectification>,
    today: Date,
) -> Result<Rectification, Refusal> {
    let sent = field::required("rectification", sent)?;
    field::past_day("rectification.rectified_on", &sent.rectified_on, today)?;
    field::text("rectification.measures", &sent.measures, field::SUMMARY)?;
    Ok(sent.try_into()?)
}

/// An acceptance as a request states it.
pub(crate) fn acceptance(
    sent: Option<proto::Acceptance>,
    today: Date,
) -> Result<Acceptance, Refusal> {
    let sent = field::required("acceptance", sent)?;
    field::past_day("acceptance.accepted_on", &sent.accepted_on, today)?;
    field::text("acceptance.opinion", &sent.opinion, field::REASON)?;
    if let Some(third_party) = &sent.third_party {
        let path = |name: &str| format!("acceptance.third_party.{name}");
        field::uscc(&path("institution"), &third_party.institution)?;
        field::text(&path("report_number"), &third_party.report_number, field::DOCUMENT_NUMBER)?;
        field::past_day(&path("concluded_on"), &third_party.concluded_on, today)?;
    }
    Ok(sent.try_into()?)
}

/// A re-check as a request states it.
pub(crate) fn recheck(sent: Option<proto::Recheck>, today: Date) -> Result<Recheck, Refusal> {
    let sent = field::required("recheck", sent)?;
    field::past_day("recheck.rechecked_on", &sent.rechecked_on, today)?;
    field::choice::<proto::RecheckOutcome>("recheck.outcome", sent.outcome)?;
    field::text("recheck.findings", &sent.findings, field::SUMMARY)?;
    Ok(sent.try_into()?)
}
