//! What is measured. Bars and what to reach for are those of the design.

mod append;
mod appender;
mod arrive;
mod bare;
mod command;
mod deliver;
mod echo;
mod exchange;
mod fan_out;
mod filled;
mod limit;
mod memory;
mod node;
mod peers;
mod rebuild;
mod relay;
mod scale;
mod tail;
mod unary;
mod visible;

use std::time::Duration;

use anyhow::Result;
use onenet_eventstore::{PgLog, ReadAhead, testing};
use onenet_kernel::{EventStore as _, NewEvent, StreamId, Version};
use uuid::Uuid;

use crate::{
    PAYLOAD, Row,
    contest::{Turn, closed_loop},
};

pub use self::appender::append_when_told;

/// Every row, in the order in which they run.
pub const ROWS: &[Row] = &[
    Row {
        name: "append",
        what: "append in process, one event per command",
        against: "batched insert with a head lock, rows and indexes as in the log",
        needs_kafka: false,
        run: |bench| Box::pin(append::run(bench)),
    },
    Row {
        name: "postgres-es",
        what: "append in process, 64 callers",
        against: "the library of that name (Rust) from its published package (bench/peers)",
        needs_kafka: false,
        run: |bench| Box::pin(peers::run(bench, "postgres-es")),
    },
    Row {
        name: "message-db",
        what: "append in process, 64 callers",
        against: "the library of that name (JavaScript) from its published package (bench/peers)",
        needs_kafka: false,
        run: |bench| Box::pin(peers::run(bench, "message-db")),
    },
    Row {
        name: "emmett",
        what: "append in process, 64 callers",
        against: "the library of that name (JavaScript) from its published package (bench/peers)",
        needs_kafka: false,
        run: |bench| Box::pin(peers::run(bench, "emmett")),
    },
    Row {
        name: "disintegrate",
        what: "append in process, 64 callers",
        against: "the library of that name (Rust) from its published package (bench/peers)",
        needs_kafka: false,
        run: |bench| Box::pin(peers::run(bench, "disintegrate")),
    },
    Row {
        name: "umadb",
        what: "append over unary gRPC, one event per request",
        against: "UmaDB over its own gRPC, with its Rust client (bench/peers)",
        needs_kafka: false,
        run: |bench| Box::pin(unary::run(bench)),
    },
    Row {
        name: "command",
        what: "unary command over gRPC with mTLS: identity, policy, decision, append, receipt",
        against: "tonic unary echo of the same size with mTLS",
        needs_kafka: false,
        run: |bench| Box::pin(command::run(bench)),
    },
    Row {
        name: "tail",
        what: "reading the log by position",
        against: "reading a pgoutput slot",
        needs_kafka: false,
        run: |bench| Box::pin(tail::run(bench)),
    },
    Row {
        name: "rebuild",
        what: "a read model made anew from its log",
        against: "reading that log page by page",
        needs_kafka: false,
        run: |bench| Box::pin(rebuild::run(bench)),
    },
    Row {
        name: "relay",
        what: "log to Kafka, acknowledged, exactly once",
        against: "plain idempotent producer, same records, same broker",
        needs_kafka: true,
        run: |bench| Box::pin(relay::run(bench)),
    },
    Row {
        name: "visible",
        what: "append until a read-committed consumer of Kafka has it, 1,000 events/s",
        against: "milliseconds",
        needs_kafka: true,
        run: |bench| Box::pin(visible::run(bench)),
    },
    Row {
        name: "deliver",
        what: "deliveries to gRPC subscribers on one tail, as fast as they go",
        against: "tonic sending the same messages, made ready before",
        needs_kafka: false,
        run: |bench| Box::pin(deliver::run(bench)),
    },
    Row {
        name: "arrive",
        what: "append until gRPC subscribers have it, 100 events/s",
        against: "tonic sending the same messages, made ready before",
        needs_kafka: false,
        run: |bench| Box::pin(arrive::run(bench)),
    },
    Row {
        name: "scale",
        what: "several processes that append to one log; appending to long logs and reading their ends",
        against: "one such process; a short log",
        needs_kafka: false,
        run: |bench| Box::pin(scale::run(bench)),
    },
    Row {
        name: "memory",
        what: "an idle node, a subscriber, a relay a million events behind",
        against: "nothing",
        needs_kafka: true,
        run: |bench| Box::pin(memory::run(bench)),
    },
];

/// The event that benchmarks append.
fn event() -> NewEvent {
    testing::event("s", &"x".repeat(PAYLOAD))
}

/// What a context calls a stream that a command begins: ids of commands ascend with time, those of streams come
/// in no order.
fn key(command_id: Uuid) -> Uuid {
    Uuid::new_v5(&command_id, b"bench")
}

/// Appends one event to a new stream, as one command.
pub async fn append_one(log: &PgLog) -> Result<()> {
    let id = testing::new_id();
    let stream = StreamId::new("bench", &key(id).to_string());
    log.append(&stream, Version::NONE, &testing::cause(id), vec![event()]).await?;
    Ok(())
}

/// A turn of callers in a closed loop, each append a command of its own.
async fn append_for(log: &PgLog, callers: usize, turn: Duration) -> Result<Turn> {
    let log = log.clone();
    let call = move |_| {
        let log = log.clone();
        async move { append_one(&log).await }
    };
    Turn::of(closed_loop(callers, turn, call)).await
}

/// A log above a position, page by page; answers how many events.
async fn read(log: &PgLog, mut above: u64, page: u32) -> Result<u64> {
    let (mut read, mut pages) = (0, ReadAhead::new(log.clone(), page));
    loop {
        let events = pages.read(above).await?;
        let Some(last) = events.last() else { return Ok(read) };
        above = last.position.number;
        read += events.len() as u64;
    }
}

/// A name that nothing on the servers has yet.
fn new_name(what: &str) -> String {
    format!("{what}{}", testing::new_id().simple())
}
