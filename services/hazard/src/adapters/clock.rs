//! Deadlines of hidden dangers as timers: each danger has a stream of its own, and one of each kind.

use onenet_eventstore::{Fire, HandleError, Timer, TimerChange};
use onenet_kernel::{Aggregate as _, Corrupt, Recorded, WireEvent as _};

use crate::{
    app::App,
    domain::{
        HiddenDanger, HiddenDangerEvent as Event, Obligation, ObligationKind, ObligationState,
    },
};

/// The end of the time that an order gives.
pub(crate) const RECTIFICATION: &str = "rectification";
/// The end of a period after it.
const ESCALATION: &str = "escalation";

/// What an event of a hidden danger arms and disarms: what its obligations say.
pub(crate) fn changes(event: &Recorded) -> Result<Vec<TimerChange>, Corrupt> {
    if event.stream.category() != HiddenDanger::CATEGORY {
        return Ok(vec![]);
    }
    let decoded = Event::decode(&event.event_type, &event.payload)?;
    Ok(obligations(&decoded).into_iter().map(change).collect())
}

/// The obligations of an event in the order in which they count: where two are of a kind, the last.
fn obligations(event: &Event) -> Vec<&Obligation> {
    match event {
        Event::HiddenDangerGraded { escalation, .. } => escalation.iter().collect(),
        Event::RectificationOrdered { rectification, replaced, escalation, .. } => {
            replaced.iter().chain(escalation).chain([rectification]).collect()
        }
        Event::HiddenDangerRectified { deadline, escalation, .. }
        | Event::HiddenDangerReopened { deadline, escalation, .. }
        | Event::HiddenDangerWithdrawn { deadline, escalation, .. } => {
            deadline.iter().chain(escalation).collect()
        }
        Event::HiddenDangerOverdue { rectification, escalation, .. } => {
            [rectification].into_iter().chain(escalation).collect()
        }
        Event::HiddenDangerEscalated { escalation, next, .. } => {
            [escalation].into_iter().chain(next).collect()
        }
        Event::RectificationRescheduled { rectification, .. } => vec![rectification],
        Event::HiddenDangerReported { .. }
        | Event::TreatmentReported { .. }
        | Event::RectificationAccepted { .. }
        | Event::HiddenDangerRechecked { .. }
        | Event::HiddenDangerCorrected { .. }
        | Event::TreatmentReportCorrected { .. } => vec![],
    }
}

fn change(obligation: &Obligation) -> TimerChange {
    let name = match obligation.kind {
        ObligationKind::Rectification => RECTIFICATION,
        ObligationKind::Escalation => ESCALATION,
    };
    let (name, due_at) = (name.to_owned(), obligation.due_at);
    match obligation.state {
        ObligationState::Open => TimerChange::Arm { name, due_at },
        ObligationState::Met | ObligationState::Passed => TimerChange::Disarm { name },
    }
}

/// Lets hidden dangers count the working days of their deadlines anew.
pub(crate) struct Recount(pub(crate) App);

impl Fire for Recount {
    async fn fire(&self, timer: &Timer) -> Result<(), HandleError> {
        self.0.recount(timer).await
    }
}

/// Lets hidden dangers look at what has come.
pub(crate) struct Deadlines(pub(crate) App);

impl Fire for Deadlines {
    async fn fire(&self, timer: &Timer) -> Result<(), HandleError> {
        match timer.name.as_str() {
            RECTIFICATION => self.0.pass_deadline(timer).await,
            ESCALATION => self.0.escalate(timer).await,
            _ => Err(HandleError::Poison(format!("no deadline is called {}", timer.name))),
        }
    }
}
