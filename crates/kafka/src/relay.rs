use std::{sync::Arc, time::Duration};

use onenet_eventstore::{DbError, PgLog, new_owner, while_leader};
use onenet_kernel::{Position, Recorded};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
    metadata::MetadataTopic,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Mapping, Topics,
    checkpoint::{self, Found, Published},
    client::{ASK_WITHIN, Cluster, KafkaFault},
    publisher::Publisher,
};

/// Events of one transaction at most: small when idle, large when behind.
const PAGE: u32 = 5_000;
/// How long an idle relay waits before it looks by itself.
const SLOW_POLL: Duration = Duration::from_millis(500);
/// Pause after a failure that may pass.
const PAUSE: Duration = Duration::from_millis(500);

/// Why a relay stopped for good. It published nothing since it last took over.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Going on could publish twice or leave a gap: an operator has to decide.
    #[error(
        "the relay of {context} stops and has published nothing: {found}. Compare the topic with the \
         log; either restore what is missing, or give the node a new topic prefix and tell its readers; \
         see docs/runbooks/restoring.md"
    )]
    Contradiction {
        /// Whose relay.
        context: String,
        /// What contradicts what.
        found: String,
    },
}

/// Publishes a context's log to Kafka, exactly once and in the order of positions.
pub struct Relay {
    /// The log.
    pub log: PgLog,
    /// Where to.
    pub cluster: Cluster,
    /// Under which names; they are there (see [`Topics::ensure`]).
    pub topics: Topics,
    /// As what.
    pub mapping: Mapping,
    /// The span in which an event is published, so that one trace goes on in it.
    pub span: fn(&Recorded) -> tracing::Span,
}

enum Failure {
    Contradiction(String),
    /// Another relay has taken over while this one still believed in its lease.
    Fenced(KafkaFault),
    Passing(Box<dyn std::error::Error + Send + Sync>),
}

impl From<KafkaFault> for Failure {
    fn from(fault: KafkaFault) -> Self {
        Self::Passing(Box::new(fault))
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Passing(Box::new(error))
    }
}

impl From<tokio::task::JoinError> for Failure {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Passing(Box::new(error))
    }
}

impl Relay {
    /// Publishes until `stop`, whenever this process holds the lease. Stops between transactions.
    pub async fn run(self, stop: CancellationToken) -> Result<(), RelayError> {
        let stop = stop.child_token();
        let found = std::sync::OnceLock::new();
        while_leader(self.log.db(), "relay", new_owner(), &stop, |_, lost| {
            let (relay, stop, found) = (&self, &stop, &found);
            async move {
                while !lost.is_cancelled() {
                    match relay.publish(&lost).await {
                        Ok(()) => {}
                        Err(Failure::Contradiction(what)) => {
                            found.set(what).ok();
                            stop.cancel();
                        }
                        Err(Failure::Fenced(error)) => {
                            // opening a producer would fence the rival in turn: the lease decides
                            let error = &error as &dyn std::error::Error;
                            tracing::warn!(error, "fenced; the relay gives its lease up");
                            return;
                        }
                        Err(Failure::Passing(error)) => {
                            tracing::warn!(error = &*error, "the relay starts again");
                            lost.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
                        }
                    }
                }
            }
        })
        .await;
        match found.into_inner() {
            None => Ok(()),
            Some(found) => Err(RelayError::Contradiction { context: self.topics.context, found }),
        }
    }

    /// One producer's life: from the last committed checkpoint on, until it is told to stop or fails.
    async fn publish(&self, lost: &CancellationToken) -> Result<(), Failure> {
        let (cluster, topics, log_id) =
            (self.cluster.clone(), self.topics.clone(), self.log.log_id());
        let opened = tokio::task::spawn_blocking(move || {
            // in this order: only what a predecessor left open being ended, the newest is visible
            let publisher = Publisher::open(&cluster, &topics, log_id)?;
            Ok::<_, KafkaFault>((publisher, checkpoint::read(&cluster, &topics)?))
        });
        let (publisher, found) = opened.await??;
        let publisher = Arc::new(publisher);
        let outcome = match self.agree(found).await {
            Ok(above) => self.tail(&publisher, above, lost).await,
            Err(failure) => Err(failure),
        };
        // closing a producer blocks
        tokio::task::spawn_blocking(move || drop(publisher)).await?;
        outcome
    }

    async fn tail(
        &self,
        publisher: &Arc<Publisher>,
        mut above: u64,
        lost: &CancellationToken,
    ) -> Result<(), Failure> {
        while !lost.is_cancelled() {
            let events = self.log.read(above, PAGE).await?;
            let Some(newest) = events.last() else {
                lost.run_until_cancelled(self.log.grown(above, SLOW_POLL)).await;
                continue;
            };
            let reached = Published { position: newest.position, event_id: newest.event_id };
            let records: Vec<_> =
                events.iter().flat_map(|event| (self.mapping)(&self.topics, event)).collect();
            let spans: Vec<_> = events.iter().map(self.span).collect();
            let publishing = Arc::clone(publisher);
            let outcome =
                tokio::task::spawn_blocking(move || publishing.publish(&records, reached)).await?;
            drop(spans);
            if let Err(fault) = outcome {
                let fenced = publisher.is_fenced();
                return Err(if fenced { Failure::Fenced(fault) } else { fault.into() });
            }
            above = reached.position.number;
        }
        Ok(())
    }

    /// Where publishing goes on, if topic and log agree.
    async fn agree(&self, found: Found) -> Result<u64, Failure> {
        let head = self.log.head().await?;
        let published = match found {
            Found::Checkpoint(published) => published,
            Found::Unreadable(text) => {
                return Err(Failure::Contradiction(format!("the checkpoint says {text:?}")));
            }
            Found::Nothing => {
                let (cluster, topic) = (self.cluster.clone(), self.topics.events());
                let asked = tokio::task::spawn_blocking(move || holds_records(&cluster, &topic));
                return if asked.await?? {
                    Err(Failure::Contradiction(format!(
                        "there is no checkpoint, but {} holds records",
                        self.topics.events()
                    )))
                } else {
                    Ok(0)
                };
            }
        };
        let number = published.position.number;
        if let Some(found) = beyond(published.position, head) {
            return Err(Failure::Contradiction(found));
        }
        let row = self.log.read(number.saturating_sub(1), 1).await?;
        let own = row.first().map(|event: &Recorded| event.event_id);
        if own != Some(published.event_id) {
            return Err(Failure::Contradiction(format!(
                "event {} was published at position {number}, but the log holds {own:?} there",
                published.event_id
            )));
        }
        Ok(number)
    }
}

fn beyond(checkpoint: Position, head: Position) -> Option<String> {
    let differs = if checkpoint.log_id != head.log_id {
        "is another log's"
    } else if checkpoint.epoch != head.epoch {
        "is of another epoch"
    } else if checkpoint.number > head.number {
        "lies beyond the log's end"
    } else {
        return None;
    };
    Some(format!("the checkpoint {checkpoint} {differs}; the log stands at {head}"))
}

/// Whether anything was ever published on a topic, as far as can be known: where its beginning was cut
/// off, something may have been. What an aborted transaction left does not count: a relay that is
/// killed inside its first one leaves such records and no checkpoint.
fn holds_records(cluster: &Cluster, topic: &str) -> Result<bool, KafkaFault> {
    let consumer: BaseConsumer = cluster.reader(topic, "read_committed")?;
    let metadata = consumer
        .fetch_metadata(Some(topic), ASK_WITHIN)
        .map_err(KafkaFault::while_("asking for the partitions of the event topic"))?;
    let mut assignment = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
        let (low, _) = consumer
            .fetch_watermarks(topic, partition.id(), ASK_WITHIN)
            .map_err(KafkaFault::while_("asking where the event topic begins"))?;
        if low > 0 {
            return Ok(true);
        }
        assignment
            .add_partition_offset(topic, partition.id(), Offset::Offset(low))
            .map_err(KafkaFault::while_("assigning the event topic"))?;
    }
    if assignment.count() == 0 {
        // a broker that does not know the topic is no witness that it is empty
        let unknown = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
        return Err(KafkaFault::while_("asking for the partitions of the event topic")(unknown));
    }
    consumer.assign(&assignment).map_err(KafkaFault::while_("assigning the event topic"))?;
    let mut ended = 0;
    while ended < assignment.count() {
        match consumer.poll(ASK_WITHIN) {
            Some(Ok(_)) => return Ok(true),
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => return Err(KafkaFault::while_("reading the event topic")(error)),
            None => return Err(KafkaFault::timeout("reading the event topic")),
        }
    }
    Ok(false)
}
