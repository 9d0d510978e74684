//! Tests that need several crates, or several processes: what they share.

use onenet_eventstore::TimerChange;
use onenet_kafka::Topics;
use onenet_kernel::{Corrupt, Recorded};

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
