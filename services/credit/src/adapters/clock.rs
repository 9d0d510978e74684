//! Deadlines of credit cases as timers. A subject has one stream and may have several cases, so a timer
//! bears the case's id in its name.

use onenet_eventstore::{Fire, HandleError, Timer, TimerChange};
use onenet_kernel::{Aggregate as _, Corrupt, Recorded, Timestamp, WireEvent as _};
use uuid::Uuid;

use crate::{
    app::App,
    domain::{DishonestSubjectCommand as Command, DishonestSubjectEvent as Event, ListingReader},
};

/// The end of the time for a statement.
pub(crate) const STATEMENT_PERIOD: &str = "statement_period";
/// The end of a listing's term.
const EXPIRY: &str = "expiry";

/// What an event of a subject arms and disarms.
pub(crate) fn changes(event: &Recorded) -> Result<Vec<TimerChange>, Corrupt> {
    if event.stream.category() == ListingReader::CATEGORY {
        return Ok(vec![]);
    }
    let change = match Event::decode(&event.event_type, &event.payload)? {
        Event::ListingNoticeServed { credit_case_id, statement_period, .. }
        | Event::StatementPeriodRescheduled { credit_case_id, statement_period, .. } => {
            arm(STATEMENT_PERIOD, credit_case_id, statement_period.due_at)
        }
        Event::StatementPeriodEnded { credit_case_id, .. }
        | Event::ListingDecided { credit_case_id, .. } => disarm(STATEMENT_PERIOD, credit_case_id),
        Event::SubjectListed { listing_id, expiry, .. } => arm(EXPIRY, listing_id, expiry.due_at),
        Event::SubjectRemoved { listing_id, .. } => disarm(EXPIRY, listing_id),
        Event::CreditCaseOpened { .. }
        | Event::CreditCaseNotOpened { .. }
        | Event::StatementRecorded { .. } => return Ok(vec![]),
    };
    Ok(vec![change])
}

fn arm(deadline: &str, credit_case_id: Uuid, due_at: Timestamp) -> TimerChange {
    TimerChange::Arm { name: format!("{deadline}-{credit_case_id}"), due_at }
}

fn disarm(deadline: &str, credit_case_id: Uuid) -> TimerChange {
    TimerChange::Disarm { name: format!("{deadline}-{credit_case_id}") }
}

/// Lets subjects count the working days of their statement periods anew.
pub(crate) struct Recount(pub(crate) App);

impl Fire for Recount {
    async fn fire(&self, timer: &Timer) -> Result<(), HandleError> {
        let (_, id) = of_case(timer)?;
        self.0.recount(timer, id).await
    }
}

/// Which deadline of which case a timer is.
fn of_case(timer: &Timer) -> Result<(&str, Uuid), HandleError> {
    let unknown = || HandleError::Poison(format!("no deadline is called {}", timer.name));
    let (deadline, id) = timer.name.split_once('-').ok_or_else(unknown)?;
    Ok((deadline, id.parse().map_err(|_shape| unknown())?))
}

/// Lets subjects look at what has come.
pub(crate) struct Deadlines(pub(crate) App);

impl Fire for Deadlines {
    async fn fire(&self, timer: &Timer) -> Result<(), HandleError> {
        let (deadline, id) = of_case(timer)?;
        let due_at = timer.due_at;
        let command = match deadline {
            STATEMENT_PERIOD => Command::EndStatementPeriod { credit_case_id: id, due_at },
            EXPIRY => Command::ExpireListing { listing_id: id, due_at },
            _ => {
                let unknown = format!("no deadline is called {}", timer.name);
                return Err(HandleError::Poison(unknown));
            }
        };
        self.0.look_again(timer, id, &command).await
    }
}
