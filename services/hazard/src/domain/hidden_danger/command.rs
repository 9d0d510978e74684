use onenet_kernel::Timestamp;
use onenet_standards::Uscc;
use uuid::Uuid;

use crate::domain::{
    Acceptance, Due, Finding, Grading, NextEscalation, Recheck, Rectification, RectificationOrder,
    TreatmentReport,
};

/// What is asked of a hidden danger.
#[derive(Clone, Debug)]
pub enum HiddenDangerCommand {
    /// Reports it (上报).
    ReportHiddenDanger {
        /// A new id.
        hidden_danger_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// Its division now.
        division: String,
        /// Its industry now (GB/T 4754).
        industry: String,
        /// What was found.
        finding: Finding,
        /// Who found it: the enterprise, or a department.
        reported_by: Uscc,
    },
    /// Grades it (分级).
    GradeHiddenDanger {
        /// The grading.
        grading: Grading,
        /// When it would escalate, counted from the grading.
        next: Option<NextEscalation>,
    },
    /// Orders its rectification (责令限期整改).
    OrderRectification {
        /// The department.
        organ: Uscc,
        /// The order.
        order: RectificationOrder,
        /// The first instant of the day of its service.
        served_at: Timestamp,
        /// The end of the time given.
        due: Due,
    },
    /// Reports on its treatment (治理情况).
    ReportTreatment {
        /// The report.
        report: TreatmentReport,
    },
    /// Says that it is gone (整改完成).
    RectifyHiddenDanger {
        /// The rectification.
        rectification: Rectification,
        /// The first instant of its day.
        rectified_at: Timestamp,
    },
    /// Accepts the rectification (验收).
    AcceptRectification {
        /// Who accepts.
        by: Uscc,
        /// The acceptance.
        acceptance: Acceptance,
        /// The rule that asks for a third party on that day, if any.
        third_party_basis: Option<String>,
    },
    /// Records a re-check (复查).
    RecheckHiddenDanger {
        /// Who looked.
        by: Uscc,
        /// The re-check.
        recheck: Recheck,
        /// When it would escalate, counted from the re-check.
        next: Option<NextEscalation>,
    },
    /// Corrects the report.
    CorrectHiddenDanger {
        /// Who corrects.
        by: Uscc,
        /// The events of the report: the first, and every correction since.
        corrects: Vec<Uuid>,
        /// What was found, whole.
        finding: Finding,
        /// Why.
        reason: String,
    },
    /// Corrects a report on its treatment.
    CorrectTreatmentReport {
        /// Which, counted from 1.
        report_no: u32,
        /// The events of that report: the first, and every correction since.
        corrects: Vec<Uuid>,
        /// The report, whole.
        report: TreatmentReport,
        /// Why.
        reason: String,
    },
    /// Withdraws it.
    WithdrawHiddenDanger {
        /// Who withdraws.
        by: Uscc,
        /// Every event of the danger.
        corrects: Vec<Uuid>,
        /// Why.
        reason: String,
    },
    /// The time given is over, as the clock says; nothing where that is not so.
    PassDeadline {
        /// When it was due.
        due_at: Timestamp,
        /// The first escalation; `None` where nothing is above the organ.
        next: Option<NextEscalation>,
    },
    /// A period since is over, as the clock says; nothing where that is not so.
    Escalate {
        /// When it was due.
        due_at: Timestamp,
        /// The organ it goes to.
        to: Uscc,
        /// The next escalation; `None` where nothing is above that organ.
        next: Option<NextEscalation>,
    },
    /// The time given is counted anew with another calendar; nothing where its end stays as it is.
    RescheduleDeadline {
        /// When it was due.
        due_at: Timestamp,
        /// The end of the time given, as it is counted now.
        due: Due,
    },
}
