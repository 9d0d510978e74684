//! Tests that need several crates, or several processes: what they share.

pub mod actors;
pub mod collector;
pub mod network;
pub mod process;
pub mod up;
pub mod writer;

use onenet_eventstore::{Db, DbSettings, PgLog, StartupError, TimerChange};
use onenet_kafka::Topics;
use onenet_kernel::{Corrupt, Recorded};

/// The log of a process that was told where it is.
pub async fn open_log(url: &str, schema: &str) -> Result<PgLog, StartupError> {
    let (url, schema) = (url.to_owned(), schema.to_owned());
    PgLog::open(Db::connect(&DbSettings { url, schema, max_connections: 4 }).await?).await
}

/// `arm` arms a timer that is due at once; `fired` leaves it alone; a test sends nothing else.
pub fn arm_events(event: &Recorded) -> Result<Vec<TimerChange>, Corrupt> {
    match &event.payload[..] {
        b"arm" => Ok(vec![TimerChange::Arm { name: "look".to_owned(), due_at: event.recorded_at }]),
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
