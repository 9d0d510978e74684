use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::{TryStreamExt as _, stream::TryReadyChunksError};
use onenet_kernel::{
    Appended, Cause, EventStore, Folded, Issuer, NewEvent, Position, Receipt, Recorded, StoreError,
    StreamId, Version,
};
use sqlx::{AssertSqlSafe, Row as _, postgres::PgRow};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::{
    appender::Appender,
    batch::{AppendCommand, REPLICATED},
    cache::{Cache, Turn},
    db::{Db, DbError},
    loader::Loader,
    row::{self, bigint},
    startup::{self, StartupError},
    wake::Wake,
};

/// Rows that are taken together, where they have come.
const AT_ONCE: usize = 64;

/// One context's event log in PostgreSQL. Cheap to clone.
#[derive(Clone)]
pub struct PgLog {
    db: Db,
    log_id: Uuid,
    appender: Appender,
    loader: Loader,
    cache: Arc<Cache>,
    wake: Wake,
    _stop: Arc<DropGuard>,
}

impl PgLog {
    /// Opens the log in the schema of `db`; refuses a server or a schema that cannot keep what the
    /// log promises.
    pub async fn open(db: Db) -> Result<Self, StartupError> {
        startup::check(&db).await?;
        let log_id = sqlx::query_scalar("select log_id from log")
            .fetch_one(db.pool())
            .await
            .map_err(DbError::while_("reading the identity of the log"))?;
        let wake = Wake::default();
        let stop = CancellationToken::new();
        wake.across_processes(&db, &stop);
        Ok(Self {
            appender: Appender::start(&db, log_id, wake.clone()),
            loader: Loader::start(&db, log_id),
            cache: Arc::default(),
            wake,
            _stop: Arc::new(stop.drop_guard()),
            db,
            log_id,
        })
    }

    /// The schema it lives in.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The log's identity.
    #[must_use]
    pub fn log_id(&self) -> Uuid {
        self.log_id
    }

    /// Position of the newest event, with the log's present epoch; number 0 in an empty log.
    pub async fn head(&self) -> Result<Position, DbError> {
        let query = sqlx::query(
            "select epoch, coalesce((select max(position) from events), 0) as position from log",
        );
        let row = self.db.answered(query.fetch_one(&mut *self.db.reader().await?)).await;
        row.and_then(|row| self.position(&row))
            .map_err(DbError::while_("reading the head of the log"))
    }

    /// Whether what stood at `position` once stands there still: it is this log's, not beyond its end,
    /// and no later epoch began below it.
    pub async fn holds(&self, position: Position) -> Result<bool, DbError> {
        let query = sqlx::query_scalar(
            "select log_id = $1 and $2 <= epoch
                and $3 <= coalesce((select max(position) from events), 0)
                and not exists (select from epochs e where e.epoch > $2 and e.above < $3)
             from log",
        )
        .bind(position.log_id)
        .bind(i32::try_from(position.epoch).unwrap_or(i32::MAX))
        .bind(bigint(position.number));
        self.db
            .answered(query.fetch_one(&mut *self.db.reader().await?))
            .await
            .map_err(DbError::while_("asking whether a position still holds"))
    }

    /// The newest version of each of these streams that the log holds.
    pub(crate) async fn versions(
        &self,
        streams: &[&str],
    ) -> Result<HashMap<StreamId, Version>, DbError> {
        let doing = || DbError::while_("reading the versions of streams");
        let rows = sqlx::query(
            "select stream_id, max(version) as version from events where stream_id = any($1)
             group by 1",
        )
        .bind(streams)
        .fetch_all(self.db.pool())
        .await
        .map_err(doing())?;
        let version = |row: &PgRow| {
            let stream = StreamId::from_stored(row.try_get("stream_id")?);
            Ok((stream, Version(row::long(row, "version")?)))
        };
        rows.iter().map(version).collect::<Result<_, sqlx::Error>>().map_err(doing())
    }

    /// Up to `limit` events above position `above`, in order. Positions are gapless and in commit
    /// order: a reader that remembers one number never skips or repeats an event.
    pub async fn read(&self, above: u64, limit: u32) -> Result<Vec<Recorded>, DbError> {
        let doing = || DbError::while_("reading the log");
        let mut connection = self.db.reader().await?;
        let mut coming =
            sqlx::query("select * from events where position > $1 order by position limit $2")
                .bind(bigint(above))
                .bind(i64::from(limit))
                .fetch(&mut *connection)
                .try_ready_chunks(AT_ONCE)
                .map_err(|TryReadyChunksError(_, error)| error);
        let mut events = Vec::new();
        // a long page over a slow network is no silence
        while let Some(rows) = self.db.answered(coming.try_next()).await.map_err(doing())? {
            for row in &rows {
                events.push(self.event(row)?);
            }
        }
        Ok(events)
    }

    /// The events that these commands of an issuer led to, in the order of the log; a command that the log does
    /// not know led to none.
    pub async fn of_commands(
        &self,
        issuer: &Issuer,
        command_ids: &[Uuid],
    ) -> Result<Vec<Recorded>, DbError> {
        let query = sqlx::query(
            "select * from events where issuer = $1 and command_id = any($2) order by position",
        )
        .bind(issuer.as_str())
        .bind(command_ids);
        let rows = self
            .db
            .answered(query.fetch_all(&mut *self.db.reader().await?))
            .await
            .map_err(DbError::while_("reading what commands led to"))?;
        rows.iter().map(|row| self.event(row)).collect()
    }

    /// Waits until the log may have grown beyond `above`, at most for `at_most`.
    pub async fn grown(&self, above: u64, at_most: Duration) {
        let mut head = self.wake.subscribe();
        let grown = head.wait_for(|head| *head > above);
        tokio::time::timeout(at_most, grown).await.ok();
    }

    /// Positions as this process hears of them; hints, not the truth.
    #[must_use]
    pub fn hints(&self) -> watch::Receiver<u64> {
        self.wake.subscribe()
    }

    fn event(&self, row: &PgRow) -> Result<Recorded, DbError> {
        row::recorded(row, self.log_id).map_err(DbError::while_("decoding rows of the log"))
    }

    fn position(&self, row: &PgRow) -> Result<Position, sqlx::Error> {
        Ok(Position {
            log_id: self.log_id,
            epoch: row::unsigned(row, "epoch")?,
            number: row::long(row, "position")?,
        })
    }

    async fn find_receipt(&self, cause: &Cause) -> Result<Option<PgRow>, DbError> {
        let statement = format!(
            "select found.*, {REPLICATED} from (
                (select digest, stream_id, version, epoch, position, recorded_at from events
                    where issuer = $1 and command_id = $2 order by ordinal desc limit 1)
                union all
                (select digest, stream_id, version, epoch, position, recorded_at
                    from quiet_commands where issuer = $1 and command_id = $2)
                limit 1) found"
        );
        // read to its end, which is after the commit: a single row is handed on as soon as it comes
        let query = sqlx::query(AssertSqlSafe(statement))
            .bind(cause.issuer.as_str())
            .bind(cause.command_id);
        let mut rows = self
            .db
            .answered(query.fetch_all(&mut *self.db.reader().await?))
            .await
            .map_err(DbError::while_("looking for a receipt"))?;
        Ok(rows.pop())
    }

    fn read_receipt(&self, row: &PgRow) -> Result<(onenet_kernel::Digest, Receipt), sqlx::Error> {
        let receipt = Receipt {
            stream: StreamId::from_stored(row.try_get("stream_id")?),
            version: Version(row::long(row, "version")?),
            position: self.position(row)?,
            recorded_at: row::instant(row, "recorded_at")?,
        };
        Ok((row::digest(row, "digest")?, receipt))
    }
}

impl EventStore for PgLog {
    type Turn = Turn;

    async fn turn(&self, stream: &StreamId) -> Turn {
        self.cache.turn(stream).await
    }

    async fn receipt(&self, cause: &Cause) -> Result<Option<Receipt>, StoreError> {
        // boxed, since the future of every command holds this one, which few need
        let Some(row) = Box::pin(self.find_receipt(cause)).await.map_err(fault)? else {
            return Ok(None);
        };
        let failed = |error| fault(DbError::while_("reading a receipt")(error));
        let (digest, receipt) = self.read_receipt(&row).map_err(failed)?;
        if digest == cause.digest { Ok(Some(receipt)) } else { Err(StoreError::CommandReused) }
    }

    async fn load(&self, stream: &StreamId, above: Version) -> Result<Vec<Recorded>, StoreError> {
        self.loader.load(stream, above).await
    }

    async fn append(
        &self,
        stream: &StreamId,
        expected: Version,
        cause: &Cause,
        events: Vec<NewEvent>,
    ) -> Result<Appended, StoreError> {
        let command = AppendCommand::try_new(stream.clone(), expected, cause.clone(), events)?;
        self.appender.append(command).await
    }

    fn recall(&self, stream: &StreamId) -> Option<Folded> {
        self.cache.recall(stream)
    }

    fn remember(&self, stream: &StreamId, folded: Folded) {
        self.cache.remember(stream, folded);
    }

    fn forget(&self, stream: &StreamId) {
        self.cache.forget(stream);
    }
}

fn fault(error: DbError) -> StoreError {
    StoreError::Fault(Box::new(error))
}
