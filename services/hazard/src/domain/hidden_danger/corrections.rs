//! What was reported wrongly, or in error.

use onenet_standards::Uscc;
use uuid::Uuid;

use super::{
    Decision, HiddenDanger, HiddenDangerEvent as Event, HiddenDangerRejection as Rejection, Stage,
    place,
    steps::{IN_CHARGE, check_treatment},
};
use crate::domain::{Finding, Severity, TreatmentReport};

/// A statement is its author's.
pub(super) const REPORTER_CORRECTS: &str = "上报内容由上报单位更正";

impl HiddenDanger {
    pub(super) fn correct(
        &self,
        by: &Uscc,
        corrects: &[Uuid],
        finding: &Finding,
        reason: &str,
    ) -> Decision {
        let reported = self.present()?;
        if reported.by != *by {
            return Err(Rejection::NotAuthorised { rule: REPORTER_CORRECTS });
        }
        if reported.finding == *finding {
            return Ok(vec![]);
        }
        if corrects.len() != self.statements {
            return Err(Rejection::MovedOn);
        }
        Ok(vec![Event::HiddenDangerCorrected {
            hidden_danger_id: reported.id,
            enterprise: reported.enterprise.clone(),
            corrects: corrects.to_vec(),
            finding: finding.clone(),
            reason: reason.to_owned(),
            corrected_by: by.clone(),
        }])
    }

    /// 双报告: of a report on a major danger both receipts stay, also where the danger became a major one
    /// after it.
    pub(super) fn correct_treatment(
        &self,
        report_no: u32,
        corrects: &[Uuid],
        report: &TreatmentReport,
        reason: &str,
    ) -> Decision {
        let reported = self.present()?;
        let treatment = place(report_no).and_then(|at| self.treatments.get(at));
        let treatment = treatment.ok_or(Rejection::TreatmentReportUnknown)?;
        if treatment.report == *report {
            return Ok(vec![]);
        }
        let counts_for_both = self.is_major() && treatment.report.is_dual();
        let is_dual = treatment.grade == Severity::Major || counts_for_both;
        check_treatment(reported, is_dual, report)?;
        if corrects.len() != treatment.statements {
            return Err(Rejection::MovedOn);
        }
        Ok(vec![Event::TreatmentReportCorrected {
            hidden_danger_id: reported.id,
            enterprise: reported.enterprise.clone(),
            corrects: corrects.to_vec(),
            report_no,
            grade: treatment.grade,
            report: report.clone(),
            reason: reason.to_owned(),
        }])
    }

    pub(super) fn withdraw(&self, by: &Uscc, corrects: &[Uuid], reason: &str) -> Decision {
        let reported = self.reported.as_deref().ok_or(Rejection::HiddenDangerUnknown)?;
        if let Stage::Withdrawn { by: withdrawn_by, reason: before } = &self.stage {
            let is_same = withdrawn_by == by && before == reason;
            return if is_same { Ok(vec![]) } else { Err(Rejection::Withdrawn) };
        }
        if *by == reported.enterprise && self.is_with_departments(reported) {
            return Err(Rejection::NotAuthorised { rule: IN_CHARGE });
        }
        if self.in_charge(reported).unwrap_or(&reported.by) != by {
            let is_graders = self.graded_by_department(reported) == Some(by);
            if !is_graders {
                return Err(Rejection::NotAuthorised { rule: REPORTER_CORRECTS });
            }
        }
        if corrects.len() != self.events {
            return Err(Rejection::MovedOn);
        }
        Ok(vec![Event::HiddenDangerWithdrawn {
            hidden_danger_id: reported.id,
            enterprise: reported.enterprise.clone(),
            corrects: corrects.to_vec(),
            reason: reason.to_owned(),
            withdrawn_by: by.clone(),
            deadline: self.order.as_deref().and_then(|ordered| ordered.deadline.met()),
            escalation: self.running_escalation(),
        }])
    }
}
