use onenet_kernel::Timestamp;
use onenet_standards::Uscc;
use uuid::Uuid;

use crate::domain::{
    Acceptance, Finding, Grading, Obligation, OverdueDanger, Recheck, Rectification,
    RectificationOrder, Severity, TreatmentReport,
};

/// What happened to a hidden danger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HiddenDangerEvent {
    /// It was found and reported.
    HiddenDangerReported {
        /// The hidden danger.
        hidden_danger_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// Its division on that day.
        division: String,
        /// Its industry on that day (GB/T 4754).
        industry: String,
        /// What was found.
        finding: Finding,
        /// Who found it: the enterprise, or a department.
        reported_by: Uscc,
    },
    /// It was graded, for the first time or anew.
    HiddenDangerGraded {
        /// The hidden danger.
        hidden_danger_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// The grading.
        grading: Grading,
        /// Of an overdue danger: armed when it becomes a major one, met when it is one no longer.
        escalation: Option<Obligation>,
    },
    /// A department ordered the rectification.
    RectificationOrdered {
        /// The hidden danger.
        hidden_danger_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// The department.
        organ: Uscc,
        /// The order.
        order: RectificationOrder,
        /// Armed.
        rectification: Obligation,
        /// Met: the deadline of the order before.
        replaced: Option<Obligation>,
        /// Met: the escalation under the order before.
        escalation: Option<Obligation>,
    },
    /// The enterprise reported on the treatment.
    TreatmentReported {
        /// The hidden danger.
        hidden_danger_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// The grade on that day.
        grade: Severity,
        /// The report with its receipts.
        report: TreatmentReport,
    },
    /// The enterprise says that it is gone.
    HiddenDangerRectified {
        /// The hidden danger.
        hidden_danger_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// The rectification.
        rectification: Rectification,
        /// Met, where the rectification was in time.
        deadline: Option<Obligation>,
        /// Met.
        escalation: Option<Obligation>,
    },
    /// The rectification was accepted: the end, unless a re-check fails.
    RectificationAccepted {
        /// The hidden danger.
        hidden_danger_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// The grade on that day.
        grade: Severity,
        /// Who accepted.
        accepted_by: Uscc,
        /// The acceptance.
        acceptance: Acceptance,
    },
    /// A re-check found that the rectification holds.
    HiddenDangerRechecked {
        /// The hidden danger.
        hidden_danger_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// Who looked.
        rechecked_by: Uscc,
        /// The re-check.
        recheck: Recheck,
    },
    /// A re-check failed: it is open again.
    HiddenDangerReopened {
        /// The hidden danger.
        hidden_danger_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// Who looked.
        rechecked_by: Uscc,
        /// The re-check.
        recheck: Recheck,
        /// Armed again: the deadline that the rectification had met.
        deadline: Option<Obligation>,
        /// Armed: the next escalation of a major danger that is overdue.
        escalation: Option<Obligation>,
    },
    /// The time given is over.
    HiddenDangerOverdue {
        /// The danger.
        danger: Box<OverdueDanger>,
        /// The competent organ.
        organ: Uscc,
        /// Passed.
        rectification: Obligation,
        /// Armed: the first escalation of a major danger.
        escalation: Option<Obligation>,
    },
    /// It goes to the organ of the same function one tier up.
    HiddenDangerEscalated {
        /// The danger.
        danger: Box<OverdueDanger>,
        /// The organ it goes to.
        organ: Uscc,
        /// The organ it comes from.
        from_organ: Uscc,
        /// Counted from 1.
        level: u32,
        /// The deadline of the order, as it passed.
        rectification: Obligation,
        /// Passed.
        escalation: Obligation,
        /// Armed: the next one.
        next: Option<Obligation>,
    },
    /// A notice of holidays moved the deadline.
    RectificationRescheduled {
        /// The hidden danger.
        hidden_danger_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// Armed, as it is counted now.
        rectification: Obligation,
        /// When it was due before.
        previous_due_at: Timestamp,
    },
    /// The report was wrong and stands corrected.
    HiddenDangerCorrected {
        /// The hidden danger.
        hidden_danger_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// The events it corrects.
        corrects: Vec<Uuid>,
        /// What was found, whole.
        finding: Finding,
        /// Why.
        reason: String,
        /// Who corrects.
        corrected_by: Uscc,
    },
    /// A report on its treatment was wrong and stands corrected.
    TreatmentReportCorrected {
        /// The hidden danger.
        hidden_danger_id: Uuid,
        /// The enterprise, which corrects.
        enterprise: Uscc,
        /// The events it corrects.
        corrects: Vec<Uuid>,
        /// Which report, counted from 1.
        report_no: u32,
        /// The grade on the day of the report.
        grade: Severity,
        /// The report with its receipts, whole.
        report: TreatmentReport,
        /// Why.
        reason: String,
    },
    /// It was reported in error.
    HiddenDangerWithdrawn {
        /// The hidden danger.
        hidden_danger_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// The events it withdraws.
        corrects: Vec<Uuid>,
        /// Why.
        reason: String,
        /// Who withdraws.
        withdrawn_by: Uscc,
        /// Met.
        deadline: Option<Obligation>,
        /// Met.
        escalation: Option<Obligation>,
    },
}

impl HiddenDangerEvent {
    /// The report itself, or a correction of it.
    #[must_use]
    pub fn is_statement(&self) -> bool {
        matches!(self, Self::HiddenDangerReported { .. } | Self::HiddenDangerCorrected { .. })
    }
}
