use std::sync::Arc;

use onenet_kernel::{Recorded, StoreError, StreamId, Version};
use sqlx::{Row as _, postgres::PgRow};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use uuid::Uuid;

use crate::{
    db::{Db, DbError},
    row::{self, bigint},
};

/// Streams of one question at most.
const MAX_STREAMS: usize = 256;
/// Questions under way: a stream with a long history holds up what was asked with it, not everybody.
const AT_ONCE: usize = 2;
/// Loads that may wait; beyond it the answer is "overloaded".
const QUEUE: usize = 16 * MAX_STREAMS;

type Answer = Result<Vec<Recorded>, StoreError>;

struct Wanted {
    stream: StreamId,
    above: Version,
    answer: oneshot::Sender<Answer>,
}

/// Loads the streams that concurrent commands ask for together: what is asked while questions are under way
/// goes into the next. No timer, as in the appender: alone, a load is asked for at once.
#[derive(Clone)]
pub(crate) struct Loader {
    queue: mpsc::Sender<Wanted>,
}

impl Loader {
    /// The task ends when the last clone is dropped.
    pub(crate) fn start(db: Db, log_id: Uuid) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(answer_all(db, log_id, waiting));
        Self { queue }
    }

    pub(crate) async fn load(&self, stream: &StreamId, above: Version) -> Answer {
        let (answer, loaded) = oneshot::channel();
        let wanted = Wanted { stream: stream.clone(), above, answer };
        self.queue.try_send(wanted).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => closed(),
        })?;
        loaded.await.unwrap_or_else(|_| Err(closed()))
    }
}

async fn answer_all(db: Db, log_id: Uuid, mut waiting: mpsc::Receiver<Wanted>) {
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    // the slot first: meanwhile more is asked
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        let mut together = Vec::new();
        if waiting.recv_many(&mut together, MAX_STREAMS).await == 0 {
            return;
        }
        // nobody waits for it any more
        together.retain(|wanted| !wanted.answer.is_closed());
        tokio::spawn(answer(db.clone(), log_id, together, slot));
    }
}

async fn answer(db: Db, log_id: Uuid, together: Vec<Wanted>, _slot: OwnedSemaphorePermit) {
    match load(&db, &together).await {
        Ok(rows) => {
            let mut rows = rows.iter().peekable();
            for (n, wanted) in (1_i64..).zip(together) {
                let its_own = |row: &&PgRow| row.try_get("n").is_ok_and(|asked: i64| asked == n);
                let mut events = Vec::new();
                while let Some(row) = rows.next_if(its_own) {
                    events.push(row::recorded(row, log_id));
                }
                // what is wrong with a stream is told to who asked for it
                let events: Result<Vec<_>, _> = events.into_iter().collect();
                let events = events.map_err(DbError::while_("decoding the events of a stream"));
                wanted.answer.send(events.map_err(|error| StoreError::Fault(error.into()))).ok();
            }
        }
        Err(error) => {
            let error = Arc::new(error);
            for wanted in together {
                wanted.answer.send(Err(StoreError::Fault(Arc::clone(&error).into()))).ok();
            }
        }
    }
}

/// Rows of events, in the order in which they were asked for, each with that place from 1.
async fn load(db: &Db, together: &[Wanted]) -> Result<Vec<PgRow>, DbError> {
    sqlx::query(
        "select e.*, asked.n
         from unnest($1::text[], $2::bigint[]) with ordinality as asked (stream, above, n)
         cross join lateral (
            select * from events where stream_id = asked.stream and version > asked.above
            order by version
         ) e order by asked.n, e.version",
    )
    .bind(together.iter().map(|wanted| wanted.stream.as_str()).collect::<Vec<_>>())
    .bind(together.iter().map(|wanted| bigint(wanted.above.0)).collect::<Vec<_>>())
    .fetch_all(db.pool())
    .await
    .map_err(DbError::while_("loading streams"))
}

fn closed() -> StoreError {
    StoreError::Fault("the event log is closed".into())
}
