use std::{future::Future, sync::Arc, time::Duration};

use onenet_kernel::{Corrupt, Recorded, StreamId, Timestamp};
use sqlx::{PgConnection, Row as _, postgres::PgRow};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    db::{Db, DbError},
    handler::{HandleError, Handler},
    lease::{new_owner, while_leader},
    row,
};

/// Longest pause between two looks at the timers.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Timers taken per look.
const PAGE: i64 = 100;
/// Pause before a timer that failed is fired again; it doubles up to the longest.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_mins(5);

/// What an event means for the timers of its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimerChange {
    /// Look again at `due_at`. Replaces an earlier timer of that name.
    Arm {
        /// Which clock of the stream; a stream with several of a kind names each by what it is for.
        name: String,
        /// On the database's clock.
        due_at: Timestamp,
    },
    /// There is nothing left to look at.
    Disarm {
        /// Which clock of the stream.
        name: String,
    },
}

/// A timer whose time has come. It means no more than "look again": the aggregate decides whether
/// anything is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// The stream to look at.
    pub stream: StreamId,
    /// Which of its clocks.
    pub name: String,
    /// When it was due.
    pub due_at: Timestamp,
    /// The event that armed it.
    pub armed_by: Uuid,
    /// The journey of that event.
    pub correlation_id: Uuid,
    /// Its trace.
    pub traceparent: String,
}

impl Timer {
    /// The same however often and by whomever the timer is fired: one firing has one effect.
    #[must_use]
    pub fn command_id(&self) -> Uuid {
        let name = format!("{}@{}", self.name, self.due_at.as_micros());
        Uuid::new_v5(&self.armed_by, name.as_bytes())
    }
}

/// Keeps the table of timers: a projection of the context's own log.
pub struct TimerTable {
    changes: fn(&Recorded) -> Result<Vec<TimerChange>, Corrupt>,
}

impl TimerTable {
    /// `changes` says what an event arms and disarms.
    #[must_use]
    pub fn new(changes: fn(&Recorded) -> Result<Vec<TimerChange>, Corrupt>) -> Self {
        Self { changes }
    }
}

impl Handler for TimerTable {
    fn name(&self) -> &'static str {
        "timers"
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        for change in (self.changes)(event)? {
            match change {
                TimerChange::Arm { name, due_at } => arm(tx, event, &name, due_at).await?,
                TimerChange::Disarm { name } => {
                    sqlx::query("delete from timers where stream_id = $1 and name = $2")
                        .bind(event.stream.as_str())
                        .bind(name)
                        .execute(&mut *tx)
                        .await?;
                }
            }
        }
        Ok(())
    }
}

async fn arm(
    tx: &mut PgConnection,
    event: &Recorded,
    name: &str,
    due_at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into timers (stream_id, name, due_at, armed_by, correlation_id, traceparent, retry_at)
         values ($1, $2, $3, $4, $5, $6, $3)
         on conflict (stream_id, name) do update set due_at = excluded.due_at,
            armed_by = excluded.armed_by, correlation_id = excluded.correlation_id,
            traceparent = excluded.traceparent, retry_at = excluded.retry_at,
            attempts = 0, last_error = null",
    )
    .bind(event.stream.as_str())
    .bind(name)
    .bind(due_at.to_datetime())
    .bind(event.event_id)
    .bind(event.correlation_id)
    .bind(&event.traceparent)
    .execute(tx)
    .await
    .map(drop)
}

/// Sends the command that a timer stands for, with [`Timer::command_id`] as its id.
pub trait Fire: Send + Sync + 'static {
    /// Answers once the command is in the log, or needs none.
    fn fire(&self, timer: &Timer) -> impl Future<Output = Result<(), HandleError>> + Send;
}

/// The clock of a context: one process at a time fires what is due, until `stop`. Two may for a
/// while; the command id makes their firings one.
pub async fn run_clock(db: Db, fire: impl Fire, stop: CancellationToken) {
    let fire = Arc::new(fire);
    while_leader(&db, "clock", new_owner(), &stop, |_, lost| {
        let (db, fire) = (db.clone(), Arc::clone(&fire));
        async move {
            while !lost.is_cancelled() {
                if let Err(error) = fire_due(&db, &*fire, &lost).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the clock waits");
                }
                lost.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await;
            }
        }
    })
    .await;
}

async fn fire_due(db: &Db, fire: &impl Fire, lost: &CancellationToken) -> Result<(), DbError> {
    let query = sqlx::query(
        "select * from timers where retry_at <= clock_timestamp() order by retry_at limit $1",
    )
    .bind(PAGE);
    let rows = db
        .answered(query.fetch_all(&mut *db.reader().await?))
        .await
        .map_err(DbError::while_("looking for due timers"))?;
    for row in rows {
        if lost.is_cancelled() {
            break;
        }
        let (timer, attempts) = timer(&row).map_err(DbError::while_("reading a timer"))?;
        match fire.fire(&timer).await {
            Ok(()) => done(db, &timer).await?,
            Err(error) => put_off(db, &timer, attempts, &error).await?,
        }
    }
    Ok(())
}

/// Timers that are armed and not due yet, of these names: `name` alone, and followed by a hyphen and
/// what it is for.
pub async fn armed(db: &Db, name: &str) -> Result<Vec<Timer>, DbError> {
    let query = sqlx::query(
        "select * from timers
         where (name = $1 or starts_with(name, $1 || '-')) and due_at > clock_timestamp()
         order by due_at",
    )
    .bind(name);
    let rows = db
        .answered(query.fetch_all(&mut *db.reader().await?))
        .await
        .map_err(DbError::while_("listing armed timers"))?;
    let read = rows.iter().map(|row| timer(row).map(|(timer, _)| timer));
    read.collect::<Result<_, _>>().map_err(DbError::while_("reading a timer"))
}

/// How long the oldest timer that is due has waited to be fired; zero where none is due.
pub(crate) async fn overdue(db: &Db) -> Result<Duration, DbError> {
    let query = sqlx::query_scalar(
        "select coalesce(extract(epoch from clock_timestamp() - min(due_at)), 0)::float8
         from timers where due_at <= clock_timestamp()",
    );
    let seconds: f64 = db
        .answered(query.fetch_one(&mut *db.reader().await?))
        .await
        .map_err(DbError::while_("looking for the oldest due timer"))?;
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// Removes a timer that was fired, unless an event has armed it anew meanwhile.
async fn done(db: &Db, timer: &Timer) -> Result<(), DbError> {
    let query =
        sqlx::query("delete from timers where stream_id = $1 and name = $2 and armed_by = $3")
            .bind(timer.stream.as_str())
            .bind(&timer.name)
            .bind(timer.armed_by);
    db.answered(query.execute(&mut *db.reader().await?))
        .await
        .map(drop)
        .map_err(DbError::while_("removing a timer"))
}

async fn put_off(
    db: &Db,
    timer: &Timer,
    attempts: u32,
    error: &HandleError,
) -> Result<(), DbError> {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        stream = %timer.stream,
        timer = timer.name,
        "a timer failed and is fired again later"
    );
    let doubled = FIRST_RETRY.saturating_mul(2_u32.saturating_pow(attempts));
    let query = sqlx::query(
        "update timers set attempts = attempts + 1, last_error = $4,
            retry_at = clock_timestamp() + make_interval(secs => $5)
         where stream_id = $1 and name = $2 and armed_by = $3",
    )
    .bind(timer.stream.as_str())
    .bind(&timer.name)
    .bind(timer.armed_by)
    .bind(error.to_string())
    .bind(doubled.min(LONGEST_RETRY).as_secs_f64());
    db.answered(query.execute(&mut *db.reader().await?))
        .await
        .map(drop)
        .map_err(DbError::while_("putting a timer off"))
}

fn timer(row: &PgRow) -> Result<(Timer, u32), sqlx::Error> {
    let timer = Timer {
        stream: StreamId::from_stored(row.try_get("stream_id")?),
        name: row.try_get("name")?,
        due_at: row::instant(row, "due_at")?,
        armed_by: row.try_get("armed_by")?,
        correlation_id: row.try_get("correlation_id")?,
        traceparent: row.try_get("traceparent")?,
    };
    Ok((timer, row::unsigned(row, "attempts")?))
}
