use std::sync::Arc;

use onenet_kernel::{Recorded, StoreError, StreamId, Version};
use sqlx::{PgConnection, Row as _, postgres::PgRow};
use tokio::sync::{Mutex, mpsc, oneshot};
use uuid::Uuid;

use crate::{
    db::{Db, DbError, sqlstate},
    own::{OwnConnection, answered},
    row::{self, bigint},
    settle,
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
    /// The tasks end when the last clone is dropped.
    pub(crate) fn start(db: &Db, log_id: Uuid) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..AT_ONCE {
            let reader = Reader { connection: OwnConnection::new(db), log_id };
            tokio::spawn(reader.run(Arc::clone(&waiting)));
        }
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

/// What is asked together.
async fn next(waiting: &mut mpsc::Receiver<Wanted>) -> Option<Vec<Wanted>> {
    let mut together = vec![waiting.recv().await?];
    settle::settled(waiting, MAX_STREAMS).await;
    while together.len() < MAX_STREAMS
        && let Ok(more) = waiting.try_recv()
    {
        together.push(more);
    }
    Some(together)
}

struct Reader {
    connection: OwnConnection,
    log_id: Uuid,
}

impl Reader {
    async fn run(mut self, waiting: Arc<Mutex<mpsc::Receiver<Wanted>>>) {
        loop {
            let Some(mut together) = next(&mut *waiting.lock().await).await else { return };
            // nobody waits for it any more
            together.retain(|wanted| !wanted.answer.is_closed());
            if !together.is_empty() {
                self.answer(together).await;
            }
        }
    }

    async fn answer(&mut self, together: Vec<Wanted>) {
        let rows = match self.ask_twice(&together).await {
            Ok(rows) => rows,
            Err(error) => {
                let error = Arc::new(DbError::while_("loading streams")(error));
                for wanted in together {
                    let fault = StoreError::Fault(Arc::clone(&error).into());
                    wanted.answer.send(Err(fault)).ok();
                }
                return;
            }
        };
        let mut rows = rows.iter().peekable();
        for (n, wanted) in (1_i64..).zip(together) {
            let its_own = |row: &&PgRow| row.try_get("n").is_ok_and(|asked: i64| asked == n);
            let mut events = Vec::new();
            while let Some(row) = rows.next_if(its_own) {
                events.push(row::recorded(row, self.log_id));
            }
            // what is wrong with a stream is told to who asked for it
            let events: Result<Vec<_>, _> = events.into_iter().collect();
            let events = events.map_err(DbError::while_("decoding the events of a stream"));
            wanted.answer.send(events.map_err(|error| StoreError::Fault(error.into()))).ok();
        }
    }

    /// A connection that was lost, or says nothing any more, is found out by the question and replaced once.
    async fn ask_twice(&mut self, together: &[Wanted]) -> Result<Vec<PgRow>, sqlx::Error> {
        let was_connected = self.connection.is_open();
        match self.ask(together).await {
            Err(error) if was_connected && is_lost(&error) => self.ask(together).await,
            outcome => outcome,
        }
    }

    async fn ask(&mut self, together: &[Wanted]) -> Result<Vec<PgRow>, sqlx::Error> {
        let connection = &mut self.connection;
        let answer = answered(async { load(connection.get().await?, together).await }).await;
        if answer.is_err() {
            self.connection.give_up();
        }
        answer
    }
}

/// Rows of events, in the order in which they were asked for, each with that place from 1.
async fn load(
    connection: &mut PgConnection,
    together: &[Wanted],
) -> Result<Vec<PgRow>, sqlx::Error> {
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
    .fetch_all(connection)
    .await
}

/// Whether another connection may answer: the server said nothing of its own, or that it ends this one (57P).
fn is_lost(error: &sqlx::Error) -> bool {
    sqlstate(error).is_none_or(|code| code.starts_with("57P"))
}

fn closed() -> StoreError {
    StoreError::Fault("the event log is closed".into())
}
