use onenet_eventstore::{Checkpoint, Delivery, LogSource, PgLog, Source, SourceError};
use onenet_kernel::Recorded;

use crate::{Mapping, Topics, decode};

/// Another context's log in the same process, read as its topic would be: through the relay's own
/// mapping and back, so that nothing passes here that would fail on Kafka.
pub struct EmbeddedSource {
    log: LogSource,
    topics: Topics,
    mapping: Mapping,
    name: String,
}

impl EmbeddedSource {
    /// Reads `log` as what `mapping` makes of it for the event topic of `topics`.
    #[must_use]
    pub fn new(log: PgLog, topics: Topics, mapping: Mapping) -> Self {
        let name = topics.embedded();
        Self { log: LogSource::new(log), topics, mapping, name }
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
    type Backlog = PgLog;

    fn backlog(&self) -> PgLog {
        self.log.backlog()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn crosses(&self) -> bool {
        true
    }

    async fn partitions(&mut self) -> Result<Vec<i32>, SourceError> {
        self.log.partitions().await
    }

    async fn assign(&mut self, partitions: &[(i32, Checkpoint)]) -> Result<(), SourceError> {
        self.log.assign(partitions).await
    }

    async fn poll(&mut self) -> Result<Vec<Delivery>, SourceError> {
        // what does not pass is broken and ends the reader, so the rest of the page is not left out
        let deliveries = self.log.poll().await?.into_iter();
        deliveries
            .map(|delivery| Ok(Delivery { event: self.pass(&delivery.event)?, ..delivery }))
            .collect()
    }
}
