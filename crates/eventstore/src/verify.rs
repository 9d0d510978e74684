use std::collections::HashMap;

use onenet_kernel::{Recorded, StreamId, Version, leaf_of};

use crate::{ahead::ReadAhead, db::DbError, log::PgLog};

/// Events read at once.
const PAGE: u32 = 1_000;
/// Streams asked about at once.
const STREAMS: usize = 10_000;

/// What is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where.
    pub position: u64,
    /// What.
    pub what: String,
}

/// Reads a whole log and checks what it promises: positions without a gap, each stream's versions
/// without a gap, epochs and times that never run backwards, and that each row still has the hash it was
/// appended with. `progress` hears the position reached. Answers every flaw; none is a whole log.
pub async fn verify(log: &PgLog, mut progress: impl FnMut(u64)) -> Result<Vec<Flaw>, DbError> {
    let (mut checked, mut pages) = (Checked::default(), ReadAhead::new(log.clone(), PAGE));
    loop {
        let page = pages.read(checked.position).await?;
        let Some(last) = page.last() else { return Ok(checked.flaws) };
        let reached = last.position.number;
        for event in &page {
            checked.check(event);
        }
        checked.position = reached;
        progress(reached);
    }
}

/// Whether `tail`, in order, goes on where the log ends: positions, versions, epochs and times follow
/// those of the log, and each event has the hash it was appended with. Answers every flaw.
pub async fn continues(log: &PgLog, tail: &[Recorded]) -> Result<Vec<Flaw>, DbError> {
    let head = log.head().await?;
    let mut checked = Checked { position: head.number, ..Checked::default() };
    if let Some(last) = log.read(head.number.saturating_sub(1), 1).await?.first() {
        checked.epoch = last.position.epoch;
        checked.recorded_at = last.recorded_at.as_micros();
    }
    let mut streams: Vec<&str> = tail.iter().map(|event| event.stream.as_str()).collect();
    streams.sort_unstable();
    streams.dedup();
    for page in streams.chunks(STREAMS) {
        checked.versions.extend(log.versions(page).await?);
    }
    for event in tail {
        checked.check(event);
    }
    Ok(checked.flaws)
}

#[derive(Default)]
struct Checked {
    position: u64,
    epoch: u32,
    recorded_at: i64,
    versions: HashMap<StreamId, Version>,
    flaws: Vec<Flaw>,
}

impl Checked {
    fn check(&mut self, event: &Recorded) {
        let position = event.position.number;
        if position != self.position + 1 {
            self.flaw(position, format!("it follows position {}", self.position));
        }
        let version = self.versions.entry(event.stream.clone()).or_default();
        let expected = version.next();
        *version = event.version;
        if event.version != expected {
            let what =
                format!("version {} of {} where {expected} is due", event.version, event.stream);
            self.flaw(position, what);
        }
        if event.recorded_at.as_micros() < self.recorded_at {
            self.flaw(position, "it was recorded before the event in front of it".to_owned());
        }
        if event.position.epoch < self.epoch {
            self.flaw(position, format!("it is of an epoch before {}", self.epoch));
        }
        if leaf_of(event) != event.leaf {
            let what = format!("event {} is not as it was appended", event.event_id);
            self.flaw(position, what);
        }
        self.epoch = self.epoch.max(event.position.epoch);
        self.recorded_at = event.recorded_at.as_micros();
        self.position = position;
    }

    fn flaw(&mut self, position: u64, what: String) {
        self.flaws.push(Flaw { position, what });
    }
}
