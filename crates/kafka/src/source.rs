use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures::FutureExt as _;
use onenet_eventstore::{Backlog, Checkpoint, Delivery, Source, SourceError};
use onenet_kernel::Recorded;
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::Consumer as _,
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    message::{Headers as _, OwnedMessage},
    metadata::{MetadataPartition, MetadataTopic},
};

use crate::{
    client::{ASK_WITHIN, AsyncReader, Cluster, KafkaFault},
    cloud_event::decode,
};

/// Records handed out at once.
const BATCH: usize = 500;
/// How long an empty topic is waited for.
const WAIT: Duration = Duration::from_millis(500);

/// Another context's event topic, read at the offsets the follower keeps.
pub struct KafkaSource {
    topic: String,
    consumer: Arc<AsyncReader>,
    assigned: HashSet<i32>,
    ready: Vec<Delivery>,
}

impl KafkaSource {
    /// `name` is the follower's: what the brokers' own tools show, behind the caller's.
    pub fn new(cluster: &Cluster, name: &str, topic: String) -> Result<Self, KafkaFault> {
        let consumer = Arc::new(cluster.reader(name, "read_committed")?);
        Ok(Self { topic, consumer, assigned: HashSet::new(), ready: Vec::new() })
    }

    /// A stored offset on a topic that was created anew, or whose history went, would silently skip
    /// or repeat: Kafka itself accepts it.
    async fn check_offset(&self, partition: i32, offset: i64) -> Result<(), SourceError> {
        let (low, high) = self
            .ask("asking for the ends of a partition", move |consumer, topic| {
                consumer.fetch_watermarks(topic, partition, ASK_WITHIN)
            })
            .await?;
        if (low..=high).contains(&offset) {
            return Ok(());
        }
        Err(SourceError::Broken(format!(
            "the checkpoint of partition {partition} of {} stands at offset {offset}, but the \
             partition holds {low} to {high}: the topic was cut or created anew",
            self.topic
        )))
    }

    async fn ask<T: Send + 'static>(
        &self,
        doing: &'static str,
        question: impl FnOnce(&AsyncReader, &str) -> KafkaResult<T> + Send + 'static,
    ) -> Result<T, SourceError> {
        ask((&self.consumer, &self.topic), doing, question).await
    }

    fn accept(&mut self, message: &OwnedMessage) -> Result<(), SourceError> {
        if !self.assigned.contains(&message.partition()) {
            return Ok(());
        }
        let event = event_of(message).map_err(SourceError::Broken)?;
        let (partition, next_offset) = (message.partition(), message.offset() + 1);
        self.ready.push(Delivery { partition, next_offset, event });
        Ok(())
    }
}

/// A question holds its thread until it is answered: ten seconds where Kafka is away, in which the process
/// has other things to do.
async fn ask<T: Send + 'static>(
    (consumer, topic): (&Arc<AsyncReader>, &str),
    doing: &'static str,
    question: impl FnOnce(&AsyncReader, &str) -> KafkaResult<T> + Send + 'static,
) -> Result<T, SourceError> {
    let (consumer, topic) = (Arc::clone(consumer), topic.to_owned());
    tokio::task::spawn_blocking(move || question(&consumer, &topic))
        .await
        .map_err(|error| SourceError::Passing { doing, source: Box::new(error) })?
        .map_err(passing(doing))
}

/// Counts the records of a topic that are still to be read, marks of transactions among them.
pub struct Unread {
    topic: String,
    consumer: Arc<AsyncReader>,
}

impl Backlog for Unread {
    async fn count(&self, from: &BTreeMap<i32, i64>) -> Option<u64> {
        let mut count = 0;
        // one question after the other: a reader that is to stop waits for one at most
        for (partition, next) in from.iter().map(|(partition, next)| (*partition, *next)) {
            let ends =
                ask((&self.consumer, &self.topic), "counting records", move |consumer, topic| {
                    consumer.fetch_watermarks(topic, partition, ASK_WITHIN)
                });
            let (_, end) = ends.await.ok()?;
            count += u64::try_from(end - next).unwrap_or(0);
        }
        Some(count)
    }
}

impl Source for KafkaSource {
    type Backlog = Unread;

    fn backlog(&self) -> Unread {
        Unread { topic: self.topic.clone(), consumer: Arc::clone(&self.consumer) }
    }

    fn name(&self) -> &str {
        &self.topic
    }

    fn crosses(&self) -> bool {
        true
    }

    async fn partitions(&mut self) -> Result<Vec<i32>, SourceError> {
        self.ask("asking for a topic's partitions", |consumer, topic| {
            let metadata = consumer.fetch_metadata(Some(topic), ASK_WITHIN)?;
            let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
            let partitions: Vec<_> = partitions.map(MetadataPartition::id).collect();
            // an answer without any would let go of all that is held
            let unknown = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
            if partitions.is_empty() { Err(unknown) } else { Ok(partitions) }
        })
        .await
    }

    async fn assign(&mut self, partitions: &[(i32, Checkpoint)]) -> Result<(), SourceError> {
        let mut assignment = TopicPartitionList::new();
        for (partition, checkpoint) in partitions {
            self.check_offset(*partition, checkpoint.next_offset).await?;
            assignment
                .add_partition_offset(
                    &self.topic,
                    *partition,
                    Offset::Offset(checkpoint.next_offset),
                )
                .map_err(passing("assigning partitions"))?;
        }
        self.ready.clear();
        self.assigned = partitions.iter().map(|(partition, _)| *partition).collect();
        self.consumer.assign(&assignment).map_err(passing("assigning partitions"))
    }

    async fn poll(&mut self) -> Result<Vec<Delivery>, SourceError> {
        let deadline = tokio::time::Instant::now() + WAIT;
        while self.ready.len() < BATCH {
            let received = if self.ready.is_empty() {
                let Ok(received) = tokio::time::timeout_at(deadline, self.consumer.recv()).await
                else {
                    break;
                };
                Some(received.map(|message| message.detach()))
            } else {
                self.consumer
                    .recv()
                    .now_or_never()
                    .map(|received| received.map(|message| message.detach()))
            };
            match received {
                None => break,
                Some(Ok(message)) => self.accept(&message)?,
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(error)) => return Err(judged(error)),
            }
        }
        Ok(std::mem::take(&mut self.ready))
    }
}

/// The event that a record is, or what is wrong with it and where it is.
pub(crate) fn event_of(message: &impl Message) -> Result<Recorded, String> {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    let headers =
        headers.filter_map(|header| Some((header.key, std::str::from_utf8(header.value?).ok()?)));
    let value = Bytes::copy_from_slice(message.payload().unwrap_or_default());
    decode(headers, value).map_err(|error| {
        format!(
            "offset {} of partition {} of {} is no event of ours: {error}",
            message.offset(),
            message.partition(),
            message.topic()
        )
    })
}

/// History that expired under a reader is not for the reader to skip.
fn judged(error: KafkaError) -> SourceError {
    match error {
        KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset) => SourceError::Broken(
            "the next offset is gone: the topic was cut or created anew".to_owned(),
        ),
        error => passing("reading a topic")(error),
    }
}

fn passing(doing: &'static str) -> impl FnOnce(KafkaError) -> SourceError {
    move |source| SourceError::Passing { doing, source: Box::new(source) }
}
