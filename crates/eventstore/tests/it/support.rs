pub(crate) use onenet_eventstore::testing::cause;
use onenet_eventstore::{
    PgLog,
    testing::{self, Scratch, new_id},
};
use onenet_kernel::{
    Aggregate, Appended, Corrupt, EventStore as _, Key, NewEvent, Recorded, StoreError, StreamId,
    Version, WireEvent,
};

pub(crate) const SCHEMA: &str = "ledger";

pub(crate) async fn scratch() -> (Scratch, PgLog) {
    let server = onenet_devservers::shared_postgres().unwrap();
    let scratch = Scratch::create(server).await.unwrap();
    let log = scratch.log(SCHEMA, &[]).await.unwrap();
    (scratch, log)
}

pub(crate) fn event(payload: &str) -> NewEvent {
    testing::event("s", payload)
}

pub(crate) fn stream(key: &str) -> StreamId {
    StreamId::new("account", key)
}

pub(crate) async fn append(
    log: &PgLog,
    key: &str,
    expected: u64,
    payloads: &[&str],
) -> Result<Appended, StoreError> {
    let events = payloads.iter().map(|payload| event(payload)).collect();
    log.append(&stream(key), Version(expected), &cause(new_id()), events).await
}

/// Positions 1, 2, 3 … and each stream's versions 1, 2, 3 …, to the end.
pub(crate) async fn assert_gapless(log: &PgLog) -> u64 {
    assert_in_order(&log.read(0, 1_000_000).await.unwrap())
}

/// The same of events that were read; answers how many there are.
pub(crate) fn assert_in_order(events: &[Recorded]) -> u64 {
    let mut versions = std::collections::HashMap::new();
    for (number, recorded) in (1..).zip(events) {
        assert_eq!(recorded.position.number, number, "positions have a gap");
        let version = versions.entry(recorded.stream.clone()).or_insert(0);
        *version += 1;
        assert_eq!(recorded.version.0, *version, "versions of {} have a gap", recorded.stream);
    }
    events.len() as u64
}

/// The smallest aggregate with a rule: a counter that refuses to pass its limit.
#[derive(Clone, Default)]
pub(crate) struct Counter {
    pub(crate) count: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Counted;

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the counter stands at its limit")]
pub(crate) struct AtLimit;

impl WireEvent for Counted {
    fn event_type(&self) -> &'static str {
        "test.v1.Counted"
    }
    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }
    fn decode(event_type: &str, _: &[u8]) -> Result<Self, Corrupt> {
        if event_type == "test.v1.Counted" {
            Ok(Self)
        } else {
            Err(Corrupt::unknown_type(event_type))
        }
    }
}

impl Aggregate for Counter {
    const CATEGORY: &'static str = "counter";
    /// The limit: the counter counts once, if it stands below.
    type Command = u32;
    type Event = Counted;
    type Rejection = AtLimit;

    fn decide(&self, limit: &u32) -> Result<Vec<Counted>, AtLimit> {
        if self.count < *limit { Ok(vec![Counted]) } else { Err(AtLimit) }
    }

    fn evolve(&mut self, _: &Counted) {
        self.count += 1;
    }

    fn key(&self) -> Key {
        event("").key
    }
}
