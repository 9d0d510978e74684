//! What the clock does to a hidden danger, and what the steps do to its deadlines.

use onenet_kernel::Timestamp;
use onenet_standards::{Uscc, supersedes};

use super::{HiddenDanger, HiddenDangerEvent as Event, Ordered, Reported, Stage};
use crate::domain::{
    Due, Grade, NextEscalation, Obligation, ObligationState, OverdueDanger, TimeGiven,
};

impl HiddenDanger {
    /// A danger that waits for acceptance was rectified too late and does not escalate.
    pub(super) fn pass_deadline(
        &self,
        due_at: Timestamp,
        next: Option<&NextEscalation>,
    ) -> Vec<Event> {
        let Some((reported, ordered)) = self.ordered() else { return vec![] };
        if !ordered.deadline.comes_at(due_at) {
            return vec![];
        }
        let danger = self.overdue_danger(reported, ordered);
        let next = next.filter(|_| self.stage == Stage::Open && danger.grade.is_major());
        let (id, number, organ) = (reported.id, self.orders, &ordered.organ);
        vec![Event::HiddenDangerOverdue {
            danger: Box::new(danger),
            organ: organ.clone(),
            rectification: ordered.deadline.after(ObligationState::Passed),
            escalation: next.map(|next| Obligation::escalation(id, number, 1, organ, next)),
        }]
    }

    pub(super) fn escalate(
        &self,
        due_at: Timestamp,
        to: &Uscc,
        next: Option<&NextEscalation>,
    ) -> Vec<Event> {
        let Some((reported, ordered)) = self.ordered() else { return vec![] };
        let Some(overdue) = &self.overdue else { return vec![] };
        let coming = overdue.escalation.as_ref().filter(|escalation| escalation.comes_at(due_at));
        let Some(escalation) = coming else { return vec![] };
        let (id, number, level) = (reported.id, self.orders, overdue.level + 1);
        vec![Event::HiddenDangerEscalated {
            danger: Box::new(self.overdue_danger(reported, ordered)),
            organ: to.clone(),
            from_organ: overdue.organ.clone(),
            level,
            rectification: ordered.deadline.clone(),
            escalation: escalation.after(ObligationState::Passed),
            next: next.map(|next| Obligation::escalation(id, number, level + 1, to, next)),
        }]
    }

    /// Counted with other notices that reach as far: where its day is another, or is sure now, it moves.
    pub(super) fn reschedule(&self, due_at: Timestamp, due: &Due) -> Vec<Event> {
        let Some((reported, ordered)) = self.ordered() else { return vec![] };
        let Ordered { organ, order, deadline } = ordered;
        let is_recounted = matches!(order.time, TimeGiven::WorkingDays(_))
            && supersedes(&due.calendar_version, &deadline.calendar_version);
        let is_another = (due.at, due.provisional) != (deadline.due_at, deadline.provisional);
        if !deadline.comes_at(due_at) || !is_recounted || !is_another {
            return vec![];
        }
        let (id, number, basis) = (reported.id, self.orders, &order.legal_basis);
        vec![Event::RectificationRescheduled {
            hidden_danger_id: id,
            enterprise: reported.enterprise.clone(),
            rectification: Obligation::rectification(id, number, organ, basis, due),
            previous_due_at: due_at,
        }]
    }

    /// The escalation that runs, ended.
    pub(super) fn running_escalation(&self) -> Option<Obligation> {
        self.overdue.as_ref()?.escalation.as_ref()?.met()
    }

    /// The next escalation of a danger that is overdue and has none running.
    pub(super) fn next_escalation(
        &self,
        reported: &Reported,
        next: Option<&NextEscalation>,
    ) -> Option<Obligation> {
        let overdue = self.overdue.as_ref()?;
        let is_running = overdue.escalation.as_ref().is_some_and(Obligation::is_open);
        let next = next.filter(|_| !is_running)?;
        let (level, organ) = (overdue.level + 1, &overdue.organ);
        Some(Obligation::escalation(reported.id, self.orders, level, organ, next))
    }

    fn ordered(&self) -> Option<(&Reported, &Ordered)> {
        self.reported.as_deref().zip(self.order.as_deref())
    }

    fn overdue_danger(&self, reported: &Reported, ordered: &Ordered) -> OverdueDanger {
        OverdueDanger {
            hidden_danger_id: reported.id,
            enterprise: reported.enterprise.clone(),
            division: reported.division.clone(),
            industry: reported.industry.clone(),
            // nothing is ordered before it is graded
            grade: self.grading.as_deref().map_or(Grade::General, |it| it.grade.clone()),
            finding: reported.finding.clone(),
            document_number: ordered.order.document_number.clone(),
            ordered_by: ordered.organ.clone(),
        }
    }
}
