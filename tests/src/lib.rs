//! Tests that need several crates, or several processes: what they share.

use onenet_eventstore::TimerChange;
use onenet_kafka::Topics;
use onenet_kernel::{Actor, Cause, Corrupt, Issuer, Key, NewEvent, Recorded, Timestamp};
use uuid::Uuid;

/// An organisation that tests act as.
const ORGANISATION: &str = "11410000MB15291767";

/// The cause of a test's command.
#[must_use]
pub fn cause(command_id: Uuid) -> Cause {
    Cause {
        issuer: Issuer::organisation(ORGANISATION),
        command_id,
        digest: [7; 32],
        actor: Actor { organisation: ORGANISATION.to_owned(), person: None },
        correlation_id: command_id,
        causation_id: None,
        occurred_at: Timestamp::from_micros(1_790_000_000_000_000),
        rules_version: String::new(),
        traceparent: String::new(),
        origin: None,
    }
}

/// An event that says `payload`.
#[must_use]
pub fn event(payload: &str) -> NewEvent {
    let key =
        Key { subject: "s".to_owned(), division: "410102".to_owned(), industry: String::new() };
    NewEvent { event_type: "test.v1.Happened", payload: payload.as_bytes().to_vec().into(), key }
}

/// `arm` arms a timer that is due at once; everything else leaves the timers alone.
pub fn arm_events(event: &Recorded) -> Result<Vec<TimerChange>, Corrupt> {
    match &event.payload[..] {
        b"arm" => Ok(vec![TimerChange::Arm { name: "look", due_at: event.recorded_at }]),
        b"fired" => Ok(vec![]),
        _ => Err(Corrupt::new(&event.event_type, "neither arm nor fired")),
    }
}

/// Topics under a prefix of their own.
#[must_use]
pub fn topics(prefix: &str) -> Topics {
    let (node, context) = ("henan".to_owned(), "ledger".to_owned());
    Topics { prefix: prefix.to_owned(), node, context }
}
