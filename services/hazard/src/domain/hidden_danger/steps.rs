//! What organisations do with a hidden danger.

use jiff::civil::Date;
use onenet_kernel::Timestamp;
use onenet_standards::Uscc;

use super::{
    Decision, HiddenDanger, HiddenDangerEvent as Event, HiddenDangerRejection as Rejection,
    Reported, Stage,
};
use crate::domain::{
    Acceptance, Due, Grading, NextEscalation, Obligation, ObligationState, Recheck, RecheckOutcome,
    Rectification, RectificationOrder, Severity, TreatmentReport,
};

/// A department's judgement is not undone by whom it judges.
pub(super) const GRADED_BY_DEPARTMENT: &str = "部门判定或者责令整改的隐患，由部门变更等级";
/// One department at a time answers for a danger.
pub(super) const IN_CHARGE: &str = "部门检查发现或者责令整改的隐患，由该部门办理";
/// 自查自改自报: a general danger that the enterprise found is the enterprise's.
pub(super) const OWN_GENERAL: &str = "企业自查的一般隐患，由企业自行验收";
/// Nobody accepts a major danger of its own.
pub(super) const MAJOR_BY_DEPARTMENT: &str = "重大隐患由负有安全监管职责的部门验收";

impl HiddenDanger {
    pub(super) fn grade(&self, grading: &Grading, next: Option<&NextEscalation>) -> Decision {
        let reported = self.present()?;
        if self.grading.as_deref() == Some(grading) {
            return Ok(vec![]);
        }
        self.open()?;
        not_before(reported.finding.found_on, grading.graded_on)?;
        if grading.graded_by == reported.enterprise && self.is_with_departments(reported) {
            return Err(Rejection::NotAuthorised { rule: GRADED_BY_DEPARTMENT });
        }
        let escalation = if grading.grade.is_major() {
            self.next_escalation(reported, next)
        } else {
            self.running_escalation()
        };
        Ok(vec![Event::HiddenDangerGraded {
            hidden_danger_id: reported.id,
            enterprise: reported.enterprise.clone(),
            grading: grading.clone(),
            escalation,
        }])
    }

    /// A deadline that passed before the new order was served has passed, also where the clock has not come
    /// round to it; it does not escalate, since the organ in charge has just acted.
    pub(super) fn order(
        &self,
        organ: &Uscc,
        order: &RectificationOrder,
        served_at: Timestamp,
        due: &Due,
    ) -> Decision {
        let reported = self.present()?;
        if self.in_charge(reported).is_some_and(|in_charge| in_charge != organ) {
            return Err(Rejection::NotAuthorised { rule: IN_CHARGE });
        }
        let before = self.order.as_deref();
        if before.is_some_and(|before| before.organ == *organ && before.order == *order) {
            return Ok(vec![]);
        }
        self.open()?;
        self.graded()?;
        let earliest = before.map_or(reported.finding.found_on, |before| before.order.served_on);
        not_before(earliest, order.served_on)?;
        let (id, number) = (reported.id, self.orders + 1);
        let passed_at = before.map(|before| before.deadline.due_at).filter(|at| *at <= served_at);
        let mut events = passed_at.map_or_else(Vec::new, |at| self.pass_deadline(at, None));
        let replaced = before.filter(|_| events.is_empty()).and_then(|it| it.deadline.met());
        events.push(Event::RectificationOrdered {
            hidden_danger_id: id,
            enterprise: reported.enterprise.clone(),
            organ: organ.clone(),
            order: order.clone(),
            rectification: Obligation::rectification(id, number, organ, &order.legal_basis, due),
            replaced,
            escalation: self.running_escalation(),
        });
        Ok(events)
    }

    pub(super) fn report_treatment(&self, report: &TreatmentReport) -> Decision {
        let reported = self.present()?;
        if self.treatments().last().is_some_and(|last| last.report == *report) {
            return Ok(vec![]);
        }
        self.open()?;
        let grade = self.graded()?.grade.severity();
        check_treatment(reported, grade == Severity::Major, report)?;
        Ok(vec![Event::TreatmentReported {
            hidden_danger_id: reported.id,
            enterprise: reported.enterprise.clone(),
            grade,
            report: report.clone(),
        }])
    }

    /// A rectification of a day after the deadline leaves it to the clock to say that it has passed.
    pub(super) fn rectify(
        &self,
        rectification: &Rectification,
        rectified_at: Timestamp,
    ) -> Decision {
        let reported = self.present()?;
        let is_same = self.rectification.as_deref() == Some(rectification);
        if is_same && self.stage != Stage::Open {
            return Ok(vec![]);
        }
        self.open()?;
        let is_reported_to_both = self.treatments().iter().any(|it| it.report.is_dual());
        if self.graded()?.grade.is_major() && !is_reported_to_both {
            return Err(Rejection::TreatmentNotReported);
        }
        let reopened_on = self.recheck.as_deref().map(|(_, recheck)| recheck.rechecked_on);
        let earliest = reopened_on.unwrap_or(reported.finding.found_on);
        not_before(earliest, rectification.rectified_on)?;
        let deadline = self.order.as_deref().map(|ordered| &ordered.deadline);
        let in_time = deadline.filter(|deadline| rectified_at < deadline.due_at);
        Ok(vec![Event::HiddenDangerRectified {
            hidden_danger_id: reported.id,
            enterprise: reported.enterprise.clone(),
            rectification: rectification.clone(),
            deadline: in_time.and_then(Obligation::met),
            escalation: self.running_escalation(),
        }])
    }

    pub(super) fn accept(
        &self,
        by: &Uscc,
        acceptance: &Acceptance,
        third_party_basis: Option<&str>,
    ) -> Decision {
        let reported = self.present()?;
        self.only_acceptor(reported, by)?;
        if let Some((accepted_by, accepted)) = self.acceptance.as_deref() {
            let is_same = accepted_by == by && accepted == acceptance;
            return if is_same { Ok(vec![]) } else { Err(Rejection::AlreadyAccepted) };
        }
        let rectified_on = self.rectified()?.rectified_on;
        not_before(rectified_on, acceptance.accepted_on)?;
        let grade = self.graded()?.grade.severity();
        let basis = third_party_basis.filter(|_| grade == Severity::Major);
        match (&acceptance.third_party, basis) {
            (None, Some(basis)) => {
                let basis = basis.to_owned();
                return Err(Rejection::ThirdPartyAcceptanceRequired { basis });
            }
            (Some(third_party), _) => {
                not_before(rectified_on, third_party.concluded_on)?;
                not_before(third_party.concluded_on, acceptance.accepted_on)?;
            }
            (None, None) => {}
        }
        Ok(vec![Event::RectificationAccepted {
            hidden_danger_id: reported.id,
            enterprise: reported.enterprise.clone(),
            grade,
            accepted_by: by.clone(),
            acceptance: acceptance.clone(),
        }])
    }

    pub(super) fn recheck(
        &self,
        by: &Uscc,
        recheck: &Recheck,
        next: Option<&NextEscalation>,
    ) -> Decision {
        let reported = self.present()?;
        if *by == reported.enterprise {
            self.only_acceptor(reported, by)?;
        }
        let last = self.recheck.as_deref();
        if last.is_some_and(|(last_by, last)| last_by == by && last == recheck) {
            return Ok(vec![]);
        }
        not_before(self.rectified()?.rectified_on, recheck.rechecked_on)?;
        let (hidden_danger_id, enterprise) = (reported.id, reported.enterprise.clone());
        let (rechecked_by, recheck) = (by.clone(), recheck.clone());
        Ok(vec![match recheck.outcome {
            RecheckOutcome::Passed => {
                Event::HiddenDangerRechecked { hidden_danger_id, enterprise, rechecked_by, recheck }
            }
            RecheckOutcome::Failed => {
                let deadline = self.order.as_deref().map(|ordered| &ordered.deadline);
                let met = deadline.filter(|deadline| deadline.state == ObligationState::Met);
                let is_major = self.graded()?.grade.is_major();
                Event::HiddenDangerReopened {
                    hidden_danger_id,
                    enterprise,
                    rechecked_by,
                    recheck,
                    deadline: met.map(|deadline| deadline.after(ObligationState::Open)),
                    escalation: self.next_escalation(reported, next.filter(|_| is_major)),
                }
            }
        }])
    }

    /// The danger, where it was reported and not withdrawn.
    pub(super) fn present(&self) -> Result<&Reported, Rejection> {
        let reported = self.reported.as_deref().ok_or(Rejection::HiddenDangerUnknown)?;
        match self.stage {
            Stage::Withdrawn { .. } => Err(Rejection::Withdrawn),
            Stage::Open | Stage::Rectified | Stage::Accepted => Ok(reported),
        }
    }

    fn open(&self) -> Result<(), Rejection> {
        if self.stage == Stage::Open { Ok(()) } else { Err(Rejection::NotInRectification) }
    }

    fn graded(&self) -> Result<&Grading, Rejection> {
        self.grading.as_deref().ok_or(Rejection::NotGraded)
    }

    fn rectified(&self) -> Result<&Rectification, Rejection> {
        let rectification = self.rectification.as_deref().filter(|_| self.stage != Stage::Open);
        rectification.ok_or(Rejection::NotRectified)
    }

    /// The department that ordered the rectification, else the one that found the danger.
    pub(super) fn in_charge<'a>(&'a self, reported: &'a Reported) -> Option<&'a Uscc> {
        let finder = (reported.by != reported.enterprise).then_some(&reported.by);
        self.order.as_deref().map(|ordered| &ordered.organ).or(finder)
    }

    pub(super) fn graded_by_department(&self, reported: &Reported) -> Option<&Uscc> {
        let graded_by = self.grading.as_deref().map(|grading| &grading.graded_by);
        graded_by.filter(|by| **by != reported.enterprise)
    }

    pub(super) fn is_with_departments(&self, reported: &Reported) -> bool {
        self.in_charge(reported).is_some() || self.graded_by_department(reported).is_some()
    }

    pub(super) fn is_major(&self) -> bool {
        self.grading.as_deref().is_some_and(|grading| grading.grade.is_major())
    }

    fn only_acceptor(&self, reported: &Reported, by: &Uscc) -> Result<(), Rejection> {
        let is_major = self.is_major();
        let is_enterprise = *by == reported.enterprise;
        let (is_acceptor, rule) = match self.in_charge(reported) {
            Some(organ) => (organ == by, IN_CHARGE),
            None if is_major => (!is_enterprise, MAJOR_BY_DEPARTMENT),
            None => (is_enterprise, OWN_GENERAL),
        };
        if is_acceptor { Ok(()) } else { Err(Rejection::NotAuthorised { rule }) }
    }
}

/// A report follows the finding, each receipt the report; where `is_dual` it is reported to both.
pub(super) fn check_treatment(
    reported: &Reported,
    is_dual: bool,
    report: &TreatmentReport,
) -> Result<(), Rejection> {
    not_before(reported.finding.found_on, report.reported_on)?;
    if is_dual && !report.is_dual() {
        return Err(Rejection::DualReportIncomplete);
    }
    let department = report.department.as_ref().map(|receipt| receipt.received_on);
    let congress = report.congress.as_ref().map(|receipt| receipt.received_on);
    for received_on in department.into_iter().chain(congress) {
        not_before(report.reported_on, received_on)?;
    }
    Ok(())
}

fn not_before(earliest: Date, day: Date) -> Result<(), Rejection> {
    if day < earliest { Err(Rejection::DateTooEarly { earliest }) } else { Ok(()) }
}
