use std::{
    fmt,
    str::FromStr,
    time::{Duration, Instant},
};

use onenet_kernel::Position;
use rdkafka::{
    Message as _, Offset, TopicPartitionList, consumer::Consumer as _, error::KafkaError,
};
use uuid::Uuid;

use crate::{
    Topics,
    client::{ASK_WITHIN, BlockingReader, Cluster, KafkaFault},
};

/// Records read from the end of the topic at first; compaction leaves few, control records more.
const FIRST_LOOK: i64 = 16;

/// How far a log is published: the last event, by place and by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) position: Position,
    pub(crate) event_id: Uuid,
}

/// Four words: log, epoch, number, event.
impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { log_id, epoch, number } = self.position;
        write!(f, "{log_id} {epoch} {number} {}", self.event_id)
    }
}

impl FromStr for Published {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or(());
        let log_id = word()?.parse().map_err(drop)?;
        let epoch = word()?.parse().map_err(drop)?;
        let number = word()?.parse().map_err(drop)?;
        let event_id = word()?.parse().map_err(drop)?;
        Ok(Self { position: Position { log_id, epoch, number }, event_id })
    }
}

/// What the checkpoint topic says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Checkpoint(Published),
    /// Its newest record is not one of ours.
    Unreadable(String),
}

/// Reads the newest committed checkpoint. Blocking. Everything below the end must be decided first:
/// an open transaction would hide the newest one.
pub(crate) fn read(cluster: &Cluster, topics: &Topics) -> Result<Found, KafkaFault> {
    let topic = topics.checkpoint();
    let committed = cluster.reader_to_the_end(&topic, "read_committed")?;
    let uncommitted = cluster.reader_to_the_end(&topic, "read_uncommitted")?;
    let ask = |consumer: &BlockingReader| {
        consumer
            .fetch_watermarks(&topic, 0, ASK_WITHIN)
            .map_err(KafkaFault::while_("asking where the checkpoint topic ends"))
    };
    let (low, end) = ask(&uncommitted)?;
    let start = Instant::now();
    while ask(&committed)?.1 < end {
        if start.elapsed() > ASK_WITHIN {
            return Err(KafkaFault::timeout("waiting for an open transaction to end"));
        }
        committed.poll(Duration::from_millis(20));
    }
    let mut reach = FIRST_LOOK;
    loop {
        let from = low.max(end - reach);
        if let Some(text) = last_from(&committed, &topic, from, end)? {
            return Ok(text.parse().map_or(Found::Unreadable(text), Found::Checkpoint));
        }
        if from <= low {
            return Ok(Found::Nothing);
        }
        reach *= 8;
    }
}

/// The last record between two offsets, if there is any between the control records.
fn last_from(
    consumer: &BlockingReader,
    topic: &str,
    from: i64,
    end: i64,
) -> Result<Option<String>, KafkaFault> {
    let mut last = None;
    if from >= end {
        return Ok(last);
    }
    let mut assignment = TopicPartitionList::new();
    assignment
        .add_partition_offset(topic, 0, Offset::Offset(from))
        .and_then(|()| consumer.assign(&assignment))
        .map_err(KafkaFault::while_("assigning the checkpoint topic"))?;
    loop {
        match consumer.poll(ASK_WITHIN) {
            Some(Ok(message)) => {
                let value = message.payload().unwrap_or_default();
                last = Some(String::from_utf8_lossy(value).into_owned());
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(last),
            Some(Err(error)) => return Err(KafkaFault::while_("reading the checkpoint")(error)),
            None => return Err(KafkaFault::timeout("reading the checkpoint")),
        }
    }
}
