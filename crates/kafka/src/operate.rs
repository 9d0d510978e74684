use std::collections::BTreeMap;

use onenet_eventstore::PgLog;
use onenet_kernel::Position;

use crate::{
    Beside, Cluster, Mapping, Record, RelayError, Topics,
    checkpoint::{self, Found},
    client::KafkaFault,
    publisher::Publisher,
};

/// Events read at once.
const PAGE: u32 = 5_000;

/// How far a relay is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayStatus {
    /// Where the log stands.
    pub head: Position,
    /// Up to where it is published; none: nothing was.
    pub published: Option<Position>,
}

impl RelayStatus {
    /// Positions that are not published yet.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.head.number.saturating_sub(self.published.map_or(0, |published| published.number))
    }

    /// Positions that are published and that the log has lost: it was restored to an earlier moment.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.published.map_or(0, |published| published.number.saturating_sub(self.head.number))
    }
}

/// Why an operation on a relay was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    /// Kafka failed or refused.
    #[error(transparent)]
    Kafka(#[from] KafkaFault),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] onenet_eventstore::DbError),
    /// Log and topic contradict each other, or an event cannot be mapped.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// Part of the work broke down.
    #[error("a part of the work broke down")]
    Broken(#[from] tokio::task::JoinError),
    /// There is nothing to go on from: the relay has to have run before.
    #[error("nothing of {context} was ever published: start its relay first")]
    NeverPublished {
        /// Whose relay.
        context: String,
    },
}

/// Where log and topic stand, without touching either.
pub async fn relay_status(
    log: &PgLog,
    cluster: &Cluster,
    topics: &Topics,
) -> Result<RelayStatus, OperateError> {
    let (cluster, topics) = (cluster.clone(), topics.clone());
    let reading = tokio::task::spawn_blocking(move || checkpoint::read(&cluster, &topics));
    let published = match reading.await?? {
        Found::Checkpoint(published) => Some(published.position),
        Found::Nothing | Found::Unreadable(_) => None,
    };
    Ok(RelayStatus { head: log.head().await?, published })
}

/// Writes the newest record of every key to the context's state topics again: for a topic that was
/// damaged or made anew. It takes the relay's place for a moment; the running one starts again by
/// itself. Answers how many records were written.
pub async fn republish(
    log: &PgLog,
    cluster: &Cluster,
    topics: &Topics,
    mapping: Mapping,
    beside: &[Beside],
) -> Result<usize, OperateError> {
    let states: Vec<String> = beside
        .iter()
        .filter_map(|beside| match beside {
            Beside::State(name) => Some(topics.beside(name)),
            Beside::Facts(..) => None,
        })
        .collect();
    let newest = newest_states(log, topics, mapping, &states).await?;
    let records: Vec<Record> = newest.into_values().collect();
    let (cluster, topics, log_id) = (cluster.clone(), topics.clone(), log.log_id());
    let publishing = tokio::task::spawn_blocking(move || {
        let publisher = Publisher::open(&cluster, &topics, log_id)?;
        // read once the predecessor's open transaction has ended: it is the newest
        let Found::Checkpoint(reached) = checkpoint::read(&cluster, &topics)? else {
            return Err(OperateError::NeverPublished { context: topics.context });
        };
        publisher.publish(&records, reached)?;
        Ok(records.len())
    });
    publishing.await?
}

async fn newest_states(
    log: &PgLog,
    topics: &Topics,
    mapping: Mapping,
    states: &[String],
) -> Result<BTreeMap<(String, String), Record>, OperateError> {
    let (mut newest, mut above) = (BTreeMap::new(), 0);
    loop {
        let page = log.read(above, PAGE).await?;
        let Some(last) = page.last() else { return Ok(newest) };
        above = last.position.number;
        for event in &page {
            let mapped = mapping(topics, event).map_err(|source| RelayError::Unmappable {
                context: topics.context.clone(),
                position: event.position,
                source,
            })?;
            for record in mapped.into_iter().filter(|record| states.contains(&record.topic)) {
                newest.insert((record.topic.clone(), record.key.clone()), record);
            }
        }
    }
}
