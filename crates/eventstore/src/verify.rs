use std::collections::HashMap;

use onenet_kernel::{Recorded, StreamId, Version, leaf_of};

use crate::{db::DbError, log::PgLog};

/// Events read at once.
const PAGE: u32 = 1_000;

/// What is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where.
    pub position: u64,
    /// What.
    pub what: String,
}

/// Reads a whole log and checks what it promises: positions without a gap, each stream's versions
/// without a gap, times that never run backwards, and that each row still has the hash it was
/// appended with. `progress` hears the position reached. Answers every flaw; none is a whole log.
pub async fn verify(log: &PgLog, mut progress: impl FnMut(u64)) -> Result<Vec<Flaw>, DbError> {
    let mut checked = Checked::default();
    loop {
        let page = log.read(checked.position, PAGE).await?;
        let Some(last) = page.last() else { return Ok(checked.flaws) };
        let reached = last.position.number;
        for event in &page {
            checked.check(event);
        }
        checked.position = reached;
        progress(reached);
    }
}

#[derive(Default)]
struct Checked {
    position: u64,
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
        if leaf_of(event) != event.leaf {
            let what = format!("event {} is not as it was appended", event.event_id);
            self.flaw(position, what);
        }
        self.recorded_at = event.recorded_at.as_micros();
        self.position = position;
    }

    fn flaw(&mut self, position: u64, what: String) {
        self.flaws.push(Flaw { position, what });
    }
}
