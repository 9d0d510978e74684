use onenet_chassis::{
    same_names,
    stored::{Coded as _, Malformed, choice, read, required},
};
use onenet_proto::hazard::v1::{self as proto, rectification_order::Deadline};

use crate::domain::{
    Acceptance, CongressReceipt, Criterion, DepartmentReceipt, Finding, FindingCause, FindingKind,
    FindingSource, Grade, Grading, OverdueDanger, Recheck, RecheckOutcome, Rectification,
    RectificationOrder, Severity, ThirdPartyAcceptance, TimeGiven, TreatmentReport,
};

same_names! {
    FindingSource = proto::HiddenDangerSource {
        Daily Comprehensive Professional Seasonal KeyPeriod AccidentAnalogy Resumption Expert
        ControlFailure Other
    }
    FindingKind = proto::HiddenDangerKind {
        Safety Process Electrical Instrumentation Fire Layout Equipment Other
    }
    FindingCause = proto::HiddenDangerCause { People Things Management }
    RecheckOutcome = proto::RecheckOutcome { Passed Failed }
    Severity = proto::HiddenDangerGrade { General Major }
}

fn grade(code: i32, criterion: Option<proto::Criterion>) -> Result<Grade, Malformed> {
    match choice("grade", code)? {
        Severity::General => Ok(Grade::General),
        Severity::Major => Ok(Grade::Major(required("criterion", criterion)?.into())),
    }
}

fn written_grade(grade: &Grade) -> (i32, Option<proto::Criterion>) {
    let criterion = match grade {
        Grade::General => None,
        Grade::Major(criterion) => Some(criterion.into()),
    };
    (grade.severity().to_contract().into(), criterion)
}

impl From<&Finding> for proto::Finding {
    fn from(finding: &Finding) -> Self {
        Self {
            description: finding.description.clone(),
            location: finding.location.clone(),
            source: finding.source.to_contract().into(),
            kind: finding.kind.to_contract().into(),
            cause: finding.cause.to_contract().into(),
            found_on: finding.found_on.to_string(),
        }
    }
}

impl TryFrom<proto::Finding> for Finding {
    type Error = Malformed;

    fn try_from(finding: proto::Finding) -> Result<Self, Malformed> {
        Ok(Self {
            description: finding.description,
            location: finding.location,
            source: choice("source", finding.source)?,
            kind: choice("kind", finding.kind)?,
            cause: choice("cause", finding.cause)?,
            found_on: read("found_on", &finding.found_on)?,
        })
    }
}

impl From<&Criterion> for proto::Criterion {
    fn from(criterion: &Criterion) -> Self {
        let Criterion { code, standard, item } = criterion.clone();
        Self { code, standard, item }
    }
}

impl From<proto::Criterion> for Criterion {
    fn from(criterion: proto::Criterion) -> Self {
        let proto::Criterion { code, standard, item } = criterion;
        Self { code, standard, item }
    }
}

impl From<&Grading> for proto::Grading {
    fn from(grading: &Grading) -> Self {
        let (grade, criterion) = written_grade(&grading.grade);
        let (graded_on, graded_by) = (grading.graded_on.to_string(), grading.graded_by.to_string());
        Self { grade, criterion, graded_on, graded_by }
    }
}

impl TryFrom<proto::Grading> for Grading {
    type Error = Malformed;

    fn try_from(grading: proto::Grading) -> Result<Self, Malformed> {
        Ok(Self {
            grade: grade(grading.grade, grading.criterion)?,
            graded_on: read("graded_on", &grading.graded_on)?,
            graded_by: read("graded_by", &grading.graded_by)?,
        })
    }
}

impl From<&RectificationOrder> for proto::RectificationOrder {
    fn from(order: &RectificationOrder) -> Self {
        Self {
            document_number: order.document_number.clone(),
            served_on: order.served_on.to_string(),
            requirements: order.requirements.clone(),
            legal_basis: order.legal_basis.clone(),
            deadline: Some(match order.time {
                TimeGiven::Until(day) => Deadline::DueOn(day.to_string()),
                TimeGiven::WorkingDays(days) => Deadline::WorkingDays(days),
            }),
        }
    }
}

impl TryFrom<proto::RectificationOrder> for RectificationOrder {
    type Error = Malformed;

    fn try_from(order: proto::RectificationOrder) -> Result<Self, Malformed> {
        Ok(Self {
            document_number: order.document_number,
            served_on: read("served_on", &order.served_on)?,
            time: match required("deadline", order.deadline)? {
                Deadline::DueOn(day) => TimeGiven::Until(read("due_on", &day)?),
                Deadline::WorkingDays(days) => TimeGiven::WorkingDays(days),
            },
            requirements: order.requirements,
            legal_basis: order.legal_basis,
        })
    }
}

impl From<&TreatmentReport> for proto::TreatmentReport {
    fn from(report: &TreatmentReport) -> Self {
        let department = |receipt: &DepartmentReceipt| proto::DepartmentReceipt {
            department: receipt.department.to_string(),
            receipt_number: receipt.receipt_number.clone(),
            received_on: receipt.received_on.to_string(),
        };
        let congress = |receipt: &CongressReceipt| proto::CongressReceipt {
            congress: receipt.congress.clone(),
            record_number: receipt.record_number.clone(),
            received_on: receipt.received_on.to_string(),
        };
        Self {
            reported_on: report.reported_on.to_string(),
            summary: report.summary.clone(),
            department: report.department.as_ref().map(department),
            congress: report.congress.as_ref().map(congress),
        }
    }
}

impl TryFrom<proto::TreatmentReport> for TreatmentReport {
    type Error = Malformed;

    fn try_from(report: proto::TreatmentReport) -> Result<Self, Malformed> {
        let department = |receipt: proto::DepartmentReceipt| {
            Ok(DepartmentReceipt {
                department: read("department", &receipt.department)?,
                receipt_number: receipt.receipt_number,
                received_on: read("received_on", &receipt.received_on)?,
            })
        };
        let congress = |receipt: proto::CongressReceipt| {
            Ok(CongressReceipt {
                congress: receipt.congress,
                record_number: receipt.record_number,
                received_on: read("received_on", &receipt.received_on)?,
            })
        };
        Ok(Self {
            reported_on: read("reported_on", &report.reported_on)?,
            summary: report.summary,
            department: report.department.map(department).transpose()?,
            congress: report.congress.map(congress).transpose()?,
        })
    }
}

impl From<&Rectification> for proto::Rectification {
    fn from(rectification: &Rectification) -> Self {
        let (rectified_on, measures) =
            (rectification.rectified_on.to_string(), rectification.measures.clone());
        Self { rectified_on, measures }
    }
}

impl TryFrom<proto::Rectification> for Rectification {
    type Error = Malformed;

    fn try_from(rectification: proto::Rectification) -> Result<Self, Malformed> {
        let rectified_on = read("rectified_on", &rectification.rectified_on)?;
        Ok(Self { rectified_on, measures: rectification.measures })
    }
}

impl From<&Acceptance> for proto::Acceptance {
    fn from(acceptance: &Acceptance) -> Self {
        let third_party = |third_party: &ThirdPartyAcceptance| proto::ThirdPartyAcceptance {
            institution: third_party.institution.to_string(),
            report_number: third_party.report_number.clone(),
            concluded_on: third_party.concluded_on.to_string(),
        };
        Self {
            accepted_on: acceptance.accepted_on.to_string(),
            opinion: acceptance.opinion.clone(),
            third_party: acceptance.third_party.as_ref().map(third_party),
        }
    }
}

impl TryFrom<proto::Acceptance> for Acceptance {
    type Error = Malformed;

    fn try_from(acceptance: proto::Acceptance) -> Result<Self, Malformed> {
        let third_party = |third_party: proto::ThirdPartyAcceptance| {
            Ok(ThirdPartyAcceptance {
                institution: read("institution", &third_party.institution)?,
                report_number: third_party.report_number,
                concluded_on: read("concluded_on", &third_party.concluded_on)?,
            })
        };
        Ok(Self {
            accepted_on: read("accepted_on", &acceptance.accepted_on)?,
            opinion: acceptance.opinion,
            third_party: acceptance.third_party.map(third_party).transpose()?,
        })
    }
}

impl From<&Recheck> for proto::Recheck {
    fn from(recheck: &Recheck) -> Self {
        Self {
            rechecked_on: recheck.rechecked_on.to_string(),
            outcome: recheck.outcome.to_contract().into(),
            findings: recheck.findings.clone(),
        }
    }
}

impl TryFrom<proto::Recheck> for Recheck {
    type Error = Malformed;

    fn try_from(recheck: proto::Recheck) -> Result<Self, Malformed> {
        Ok(Self {
            rechecked_on: read("rechecked_on", &recheck.rechecked_on)?,
            outcome: choice("outcome", recheck.outcome)?,
            findings: recheck.findings,
        })
    }
}

impl From<&OverdueDanger> for proto::OverdueDanger {
    fn from(danger: &OverdueDanger) -> Self {
        let (grade, criterion) = written_grade(&danger.grade);
        Self {
            hidden_danger_id: danger.hidden_danger_id.to_string(),
            enterprise: danger.enterprise.to_string(),
            division: danger.division.clone(),
            industry: danger.industry.clone(),
            grade,
            criterion,
            finding: Some((&danger.finding).into()),
            document_number: danger.document_number.clone(),
            ordered_by: danger.ordered_by.to_string(),
        }
    }
}

impl TryFrom<proto::OverdueDanger> for OverdueDanger {
    type Error = Malformed;

    fn try_from(danger: proto::OverdueDanger) -> Result<Self, Malformed> {
        Ok(Self {
            hidden_danger_id: read("hidden_danger_id", &danger.hidden_danger_id)?,
            enterprise: read("enterprise", &danger.enterprise)?,
            division: danger.division,
            industry: danger.industry,
            grade: grade(danger.grade, danger.criterion)?,
            finding: required("finding", danger.finding)?.try_into()?,
            document_number: danger.document_number,
            ordered_by: read("ordered_by", &danger.ordered_by)?,
        })
    }
}
