mod command;
mod corrections;
mod deadlines;
mod event;
mod rejection;
mod steps;

use std::sync::Arc;

use jiff::civil::Date;
use onenet_kernel::{Aggregate, Key};
use onenet_standards::Uscc;
use uuid::Uuid;

use self::{
    HiddenDangerCommand as Command, HiddenDangerEvent as Event, HiddenDangerRejection as Rejection,
};
pub use self::{
    command::HiddenDangerCommand, event::HiddenDangerEvent, rejection::HiddenDangerRejection,
};
use super::{
    Acceptance, Finding, Grading, Obligation, Recheck, Rectification, RectificationOrder, Severity,
    TimeGiven, TreatmentReport,
};

type Decision = Result<Vec<Event>, Rejection>;

/// A hidden danger (事故隐患) from its report to its acceptance.
#[derive(Clone, Debug, Default)]
pub struct HiddenDanger {
    reported: Option<Arc<Reported>>,
    grading: Option<Arc<Grading>>,
    order: Option<Arc<Ordered>>,
    /// Orders so far: each has deadlines of its own.
    orders: u32,
    overdue: Option<Overdue>,
    treatments: Arc<Vec<Treatment>>,
    /// Those of them that were reported before the danger was opened again.
    treated_before: usize,
    stage: Stage,
    rectification: Option<Arc<Rectification>>,
    acceptance: Option<Arc<(Uscc, Acceptance)>>,
    recheck: Option<Arc<(Uscc, Recheck)>>,
    /// Events so far, and those of them that are the report or a correction of it.
    events: usize,
    statements: usize,
}

#[derive(Clone, Debug)]
struct Reported {
    id: Uuid,
    enterprise: Uscc,
    division: String,
    industry: String,
    finding: Finding,
    by: Uscc,
}

#[derive(Clone, Debug)]
struct Ordered {
    organ: Uscc,
    order: RectificationOrder,
    deadline: Obligation,
}

/// A report on the treatment, as it stands corrected.
#[derive(Clone, Debug)]
struct Treatment {
    /// The grade on the day of the report.
    grade: Severity,
    report: TreatmentReport,
    /// The report, and each correction of it.
    statements: usize,
}

/// The time given is over; where the danger is in the hierarchy of organs.
#[derive(Clone, Debug)]
struct Overdue {
    organ: Uscc,
    level: u32,
    escalation: Option<Obligation>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// 整改中.
    #[default]
    Open,
    /// 待验收.
    Rectified,
    /// 已验收.
    Accepted,
    /// 已撤回.
    Withdrawn { by: Uscc, reason: String },
}

impl Aggregate for HiddenDanger {
    const CATEGORY: &'static str = "hidden_danger";
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Decision {
        match command {
            Command::ReportHiddenDanger {
                hidden_danger_id,
                enterprise,
                division,
                industry,
                finding,
                reported_by,
            } => {
                // the id comes from the command: only a retry meets its own danger, and the log
                // itself refuses a retry with another content
                if self.reported.is_some() {
                    return Ok(vec![]);
                }
                Ok(vec![Event::HiddenDangerReported {
                    hidden_danger_id: *hidden_danger_id,
                    enterprise: enterprise.clone(),
                    division: division.clone(),
                    industry: industry.clone(),
                    finding: finding.clone(),
                    reported_by: reported_by.clone(),
                }])
            }
            Command::GradeHiddenDanger { grading, next } => self.grade(grading, next.as_ref()),
            Command::OrderRectification { organ, order, served_at, due } => {
                self.order(organ, order, *served_at, due)
            }
            Command::ReportTreatment { report } => self.report_treatment(report),
            Command::RectifyHiddenDanger { rectification, rectified_at } => {
                self.rectify(rectification, *rectified_at)
            }
            Command::AcceptRectification { by, acceptance, third_party_basis } => {
                self.accept(by, acceptance, third_party_basis.as_deref())
            }
            Command::RecheckHiddenDanger { by, recheck, next } => {
                self.recheck(by, recheck, next.as_ref())
            }
            Command::CorrectHiddenDanger { by, corrects, finding, reason } => {
                self.correct(by, corrects, finding, reason)
            }
            Command::CorrectTreatmentReport { report_no, corrects, report, reason } => {
                self.correct_treatment(*report_no, corrects, report, reason)
            }
            Command::WithdrawHiddenDanger { by, corrects, reason } => {
                self.withdraw(by, corrects, reason)
            }
            Command::PassDeadline { due_at, next } => {
                Ok(self.pass_deadline(*due_at, next.as_ref()))
            }
            Command::Escalate { due_at, to, next } => Ok(self.escalate(*due_at, to, next.as_ref())),
            Command::RescheduleDeadline { due_at, due } => Ok(self.reschedule(*due_at, due)),
        }
    }

    fn evolve(&mut self, event: &Event) {
        self.events += 1;
        self.statements += usize::from(event.is_statement());
        match event {
            Event::HiddenDangerReported {
                hidden_danger_id,
                enterprise,
                division,
                industry,
                finding,
                reported_by,
            } => {
                self.reported = Some(Arc::new(Reported {
                    id: *hidden_danger_id,
                    enterprise: enterprise.clone(),
                    division: division.clone(),
                    industry: industry.clone(),
                    finding: finding.clone(),
                    by: reported_by.clone(),
                }));
            }
            Event::HiddenDangerGraded { grading, escalation, .. } => {
                self.grading = Some(Arc::new(grading.clone()));
                self.set_escalation(escalation.as_ref());
            }
            Event::RectificationOrdered { organ, order, rectification, .. } => {
                let (organ, deadline) = (organ.clone(), rectification.clone());
                self.order = Some(Arc::new(Ordered { organ, order: order.clone(), deadline }));
                self.orders += 1;
                self.overdue = None;
            }
            Event::TreatmentReported { grade, report, .. } => {
                let (grade, report) = (*grade, report.clone());
                let treatment = Treatment { grade, report, statements: 1 };
                Arc::make_mut(&mut self.treatments).push(treatment);
            }
            Event::HiddenDangerRectified { rectification, deadline, escalation, .. } => {
                self.stage = Stage::Rectified;
                self.rectification = Some(Arc::new(rectification.clone()));
                self.set_deadline(deadline.as_ref());
                self.set_escalation(escalation.as_ref());
            }
            Event::RectificationAccepted { accepted_by, acceptance, .. } => {
                self.stage = Stage::Accepted;
                self.acceptance = Some(Arc::new((accepted_by.clone(), acceptance.clone())));
            }
            Event::HiddenDangerRechecked { rechecked_by, recheck, .. } => {
                self.recheck = Some(Arc::new((rechecked_by.clone(), recheck.clone())));
            }
            Event::HiddenDangerReopened { rechecked_by, recheck, deadline, escalation, .. } => {
                self.stage = Stage::Open;
                self.treated_before = self.treatments.len();
                self.acceptance = None;
                self.recheck = Some(Arc::new((rechecked_by.clone(), recheck.clone())));
                self.set_deadline(deadline.as_ref());
                self.set_escalation(escalation.as_ref());
            }
            Event::HiddenDangerOverdue { organ, rectification, escalation, .. } => {
                let (organ, escalation) = (organ.clone(), escalation.clone());
                self.set_deadline(Some(rectification));
                self.overdue = Some(Overdue { organ, level: 0, escalation });
            }
            Event::HiddenDangerEscalated { organ, level, next, .. } => {
                let (organ, escalation) = (organ.clone(), next.clone());
                self.overdue = Some(Overdue { organ, level: *level, escalation });
            }
            Event::RectificationRescheduled { rectification, .. } => {
                self.set_deadline(Some(rectification));
            }
            Event::HiddenDangerCorrected { finding, .. } => {
                if let Some(reported) = &mut self.reported {
                    Arc::make_mut(reported).finding = finding.clone();
                }
            }
            Event::TreatmentReportCorrected { report_no, report, .. } => {
                let treatments = Arc::make_mut(&mut self.treatments);
                if let Some(treatment) = place(*report_no).and_then(|at| treatments.get_mut(at)) {
                    treatment.report = report.clone();
                    treatment.statements += 1;
                }
            }
            Event::HiddenDangerWithdrawn { withdrawn_by, reason, deadline, escalation, .. } => {
                let (by, reason) = (withdrawn_by.clone(), reason.clone());
                self.stage = Stage::Withdrawn { by, reason };
                self.set_deadline(deadline.as_ref());
                self.set_escalation(escalation.as_ref());
            }
        }
    }

    fn key(&self) -> Key {
        self.reported.as_deref().map_or_else(Key::default, |reported| Key {
            subject: reported.enterprise.to_string(),
            division: reported.division.clone(),
            industry: reported.industry.clone(),
        })
    }
}

impl HiddenDanger {
    /// The organ it is with: where it has escalated to, else the one that ordered; `None` without an
    /// order.
    #[must_use]
    pub fn competent_organ(&self) -> Option<&Uscc> {
        let escalated = self.overdue.as_ref().map(|overdue| &overdue.organ);
        escalated.or_else(|| self.order.as_deref().map(|ordered| &ordered.organ))
    }

    /// What the time given is counted from, where the order states working days and they still run.
    #[must_use]
    pub fn counted_days(&self) -> Option<(Date, u32)> {
        let Ordered { order, deadline, .. } = self.order.as_deref()?;
        match order.time {
            TimeGiven::WorkingDays(days) if deadline.is_open() => Some((order.served_on, days)),
            TimeGiven::WorkingDays(_) | TimeGiven::Until(_) => None,
        }
    }

    /// The reports since the danger was opened.
    fn treatments(&self) -> &[Treatment] {
        self.treatments.get(self.treated_before..).unwrap_or_default()
    }

    fn set_deadline(&mut self, deadline: Option<&Obligation>) {
        if let (Some(order), Some(deadline)) = (&mut self.order, deadline) {
            Arc::make_mut(order).deadline = deadline.clone();
        }
    }

    fn set_escalation(&mut self, escalation: Option<&Obligation>) {
        if let (Some(overdue), Some(escalation)) = (&mut self.overdue, escalation) {
            overdue.escalation = Some(escalation.clone());
        }
    }
}

/// Where the report with this number stands: they are counted from 1.
fn place(report_no: u32) -> Option<usize> {
    usize::try_from(report_no.checked_sub(1)?).ok()
}

#[cfg(test)]
mod tests;
