use std::{collections::BTreeMap, future::Future, time::Duration};

use onenet_kernel::Recorded;

use crate::{behind::Backlog, checkpoint::Checkpoint, log::PgLog};

/// An event as a source hands it out.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Which of the source's partitions.
    pub partition: i32,
    /// Where reading goes on after it.
    pub next_offset: i64,
    /// The event itself.
    pub event: Recorded,
}

/// Where a follower reads: a log, or a topic of Kafka. Per partition, events come in log order; one
/// may come again after a failure elsewhere, none is left out.
pub trait Source: Send + 'static {
    /// Counts what is still to be read.
    type Backlog: Backlog;

    /// Asked beside the reading, while a handler may hang.
    fn backlog(&self) -> Self::Backlog;

    /// Its name in the checkpoint table: `log`, or the topic.
    fn name(&self) -> &str;

    /// Whether the events are another context's: then the versions seen are kept per stream, so that
    /// commands can wait for them.
    fn crosses(&self) -> bool;

    /// The partitions there are.
    fn partitions(&mut self) -> impl Future<Output = Result<Vec<i32>, SourceError>> + Send;

    /// Reads exactly these partitions from now on, each from where its checkpoint says.
    fn assign(
        &mut self,
        partitions: &[(i32, Checkpoint)],
    ) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// What has come, waiting a while for it; empty if nothing has. Cancelling it loses nothing that
    /// was not handed out.
    fn poll(&mut self) -> impl Future<Output = Result<Vec<Delivery>, SourceError>> + Send;
}

/// A source cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It may be readable again later.
    #[error("{doing}")]
    Passing {
        /// What was being done.
        doing: &'static str,
        /// What failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What it says contradicts what was read before: going on could lose or repeat events.
    #[error("{0}")]
    Broken(String),
}

/// Largest page read from a log at once.
const PAGE: u32 = 500;
/// How long an idle reader waits before it looks by itself.
const SLOW_POLL: Duration = Duration::from_millis(500);

/// A context's own log, as a source with one partition.
pub struct LogSource {
    log: PgLog,
    above: Option<u64>,
}

impl LogSource {
    /// Reads `log`.
    #[must_use]
    pub fn new(log: PgLog) -> Self {
        Self { log, above: None }
    }
}

/// A log has one partition, whose offsets are positions.
impl Backlog for PgLog {
    async fn count(&self, from: &BTreeMap<i32, i64>) -> Option<u64> {
        let above = from.get(&0).copied().map_or(0, i64::cast_unsigned);
        self.head().await.ok().map(|head| head.number.saturating_sub(above))
    }
}

impl Source for LogSource {
    type Backlog = PgLog;

    fn backlog(&self) -> PgLog {
        self.log.clone()
    }

    fn name(&self) -> &'static str {
        "log"
    }

    fn crosses(&self) -> bool {
        false
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
        self.above = Some(u64::try_from(checkpoint.next_offset).unwrap_or(0));
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
        if let Some(last) = events.last() {
            self.above = Some(last.position.number);
        }
        Ok(events.into_iter().map(delivery).collect())
    }
}

fn delivery(event: Recorded) -> Delivery {
    let next_offset = crate::row::bigint(event.position.number);
    Delivery { partition: 0, next_offset, event }
}

fn passing(error: crate::db::DbError) -> SourceError {
    SourceError::Passing { doing: "reading the log", source: Box::new(error) }
}
