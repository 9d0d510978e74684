use std::time::Duration;

use onenet_eventstore::{Checkpoint, Delivery, PgLog, Source, SourceError};
use onenet_kernel::Recorded;

use crate::{Mapping, Topics, decode};

/// Events read at once.
const PAGE: u32 = 500;
/// How long an idle reader waits before it looks by itself.
const SLOW_POLL: Duration = Duration::from_millis(500);

/// Another context's log in the same process, read as its topic would be: through the relay's own
/// mapping and back, so that nothing passes here that would fail on Kafka.
pub struct EmbeddedSource {
    log: PgLog,
    topics: Topics,
    mapping: Mapping,
    name: String,
    above: Option<u64>,
}

impl EmbeddedSource {
    /// Reads `log` as what `mapping` makes of it for the event topic of `topics`.
    #[must_use]
    pub fn new(log: PgLog, topics: Topics, mapping: Mapping) -> Self {
        let name = topics.embedded();
        Self { log, topics, mapping, name, above: None }
    }

    /// The event as it comes back from what would be published for it.
    fn pass(&self, event: &Recorded) -> Result<Recorded, SourceError> {
        let broken = |what: String| {
            SourceError::Broken(format!(
                "the event at {} cannot be published: {what}",
                event.position
            ))
        };
        let records =
            (self.mapping)(&self.topics, event).map_err(|error| broken(error.to_string()))?;
        let topic = self.topics.events();
        let record = records.into_iter().find(|record| record.topic == topic);
        let record = record.ok_or_else(|| broken("it is mapped to no event".to_owned()))?;
        let headers = record.headers.iter().map(|(name, value)| (*name, value.as_str()));
        decode(headers, record.value.unwrap_or_default()).map_err(|error| broken(error.to_string()))
    }
}

impl Source for EmbeddedSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn crosses(&self) -> bool {
        true
    }

    async fn partitions(&mut self) -> Result<Vec<i32>, SourceError> {
        Ok(vec![0])
    }

    async fn assign(&mut self, partitions: &[(i32, Checkpoint)]) -> Result<(), SourceError> {
        self.above = None;
        let Some((_, checkpoint)) = partitions.first() else {
            return Ok(());
        };
        let head = self.log.head().await.map_err(passing)?;
        if let Some(last) = checkpoint.last
            && (last.log_id != head.log_id || last.number > head.number)
        {
            return Err(SourceError::Broken(format!(
                "the checkpoint stands at {last}, but the log at {head}: the log was restored or \
                 replaced; see docs/runbooks/restoring.md"
            )));
        }
        self.above = Some(checkpoint.last.map_or(0, |last| last.number));
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<Delivery>, SourceError> {
        let Some(above) = self.above else {
            tokio::time::sleep(SLOW_POLL).await;
            return Ok(Vec::new());
        };
        let mut events = self.log.read(above, PAGE).await.map_err(passing)?;
        if events.is_empty() {
            self.log.grown(above, SLOW_POLL).await;
            events = self.log.read(above, PAGE).await.map_err(passing)?;
        }
        let deliveries = events.iter().map(|event| {
            let next_offset = i64::try_from(event.position.number).unwrap_or(i64::MAX);
            Ok(Delivery { partition: 0, next_offset, event: self.pass(event)? })
        });
        let deliveries = deliveries.collect::<Result<Vec<_>, _>>()?;
        if let Some(last) = events.last() {
            self.above = Some(last.position.number);
        }
        Ok(deliveries)
    }
}

fn passing(error: onenet_eventstore::DbError) -> SourceError {
    SourceError::Passing { doing: "reading another context's log", source: Box::new(error) }
}
