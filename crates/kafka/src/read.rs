use bytes::Bytes;
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::Consumer as _,
    error::{KafkaError, RDKafkaErrorCode},
    message::{BorrowedMessage, Header, Headers as _},
    metadata::MetadataTopic,
};

use crate::client::{ASK_WITHIN, Cluster, KafkaFault};

/// A record of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRecord {
    /// What orders it.
    pub key: String,
    /// In the order they were written.
    pub headers: Vec<(String, String)>,
    /// `None` is a tombstone.
    pub value: Option<Bytes>,
}

/// Everything that stands on a topic now, committed records only, each partition in its order. For
/// topics that are small by what they are, such as a compacted one.
pub async fn read_topic(cluster: &Cluster, topic: &str) -> Result<Vec<ReadRecord>, KafkaFault> {
    let (cluster, topic) = (cluster.clone(), topic.to_owned());
    let reading = tokio::task::spawn_blocking(move || {
        let mut records = Vec::new();
        scan(&cluster, &topic, |message| {
            let text = |bytes: Option<&[u8]>| {
                String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
            };
            let headers = message.headers().map(|headers| {
                let pair = |header: Header<'_, &[u8]>| (header.key.to_owned(), text(header.value));
                headers.iter().map(pair).collect()
            });
            records.push(ReadRecord {
                key: text(message.key()),
                headers: headers.unwrap_or_default(),
                value: message.payload().map(Bytes::copy_from_slice),
            });
            true
        })?;
        Ok(records)
    });
    reading.await.unwrap_or_else(|_stopped| Err(KafkaFault::timeout("reading a topic")))
}

/// Whether the cluster knows a topic. Blocking.
pub(crate) fn has_topic(cluster: &Cluster, topic: &str) -> Result<bool, KafkaFault> {
    let consumer = cluster.reader_to_the_end(topic, "read_committed")?;
    let metadata = consumer
        .fetch_metadata(Some(topic), ASK_WITHIN)
        .map_err(KafkaFault::while_("asking for the partitions of a topic"))?;
    Ok(metadata.topics().iter().any(|topic| !topic.partitions().is_empty()))
}

/// Hands out every committed record of a topic, from where each partition begins to where it ends,
/// while `go_on` says so. Blocking. Answers whether the topic begins at its first record: where its
/// beginning was cut off, more may have been there.
pub(crate) fn scan(
    cluster: &Cluster,
    topic: &str,
    mut go_on: impl FnMut(&BorrowedMessage<'_>) -> bool,
) -> Result<bool, KafkaFault> {
    let consumer = cluster.reader_to_the_end(topic, "read_committed")?;
    let metadata = consumer
        .fetch_metadata(Some(topic), ASK_WITHIN)
        .map_err(KafkaFault::while_("asking for the partitions of a topic"))?;
    let (mut assignment, mut is_whole) = (TopicPartitionList::new(), true);
    for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
        let (low, _) = consumer
            .fetch_watermarks(topic, partition.id(), ASK_WITHIN)
            .map_err(KafkaFault::while_("asking where a topic begins"))?;
        is_whole &= low == 0;
        assignment
            .add_partition_offset(topic, partition.id(), Offset::Offset(low))
            .map_err(KafkaFault::while_("assigning a topic"))?;
    }
    if assignment.count() == 0 {
        // a broker that does not know the topic is no witness that it is empty
        let unknown = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
        return Err(KafkaFault::while_("asking for the partitions of a topic")(unknown));
    }
    consumer.assign(&assignment).map_err(KafkaFault::while_("assigning a topic"))?;
    let mut ended = 0;
    while ended < assignment.count() {
        match consumer.poll(ASK_WITHIN) {
            Some(Ok(message)) if go_on(&message) => {}
            Some(Ok(_)) => break,
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => return Err(KafkaFault::while_("reading a topic")(error)),
            None => return Err(KafkaFault::timeout("reading a topic")),
        }
    }
    Ok(is_whole)
}
