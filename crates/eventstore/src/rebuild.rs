use onenet_kernel::Recorded;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::{
    ahead::ReadAhead,
    db::DbError,
    handler::{HandleError, Handler},
    log::PgLog,
    migrate::{grant, quoted},
    row::bigint,
};

/// Events applied per transaction: writing rows is what takes the time, so rarely. Three more pages are on their way.
const PAGE: u32 = 10_000;

/// Why a read model was not rebuilt. The one in use is untouched then.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The database failed.
    #[error("rebuilding the tables of {follower}")]
    Db {
        /// The projection.
        follower: &'static str,
        /// What failed.
        #[source]
        source: DbError,
    },
    /// The projection does not take an event: mend it first.
    #[error("{follower} does not take the event at position {position}")]
    Event {
        /// The projection.
        follower: &'static str,
        /// The event's position in the log.
        position: u64,
        /// What it said.
        #[source]
        source: HandleError,
    },
}

/// Which tables of which schema a projection fills. They own no sequences and no foreign keys.
pub struct Rebuild<'a> {
    /// URL of the owning role: tables are created and swapped.
    pub owner_url: &'a str,
    /// The role that uses them.
    pub role: &'a str,
    /// The tables.
    pub tables: &'a [&'a str],
}

impl Rebuild<'_> {
    /// Replays the context's own log into shadow tables and swaps them in, checkpoint included, while
    /// the projection goes on serving. `progress` hears the position reached and the log's head.
    pub async fn run<H: Handler>(
        &self,
        log: &PgLog,
        projection: &H,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<(), RebuildError> {
        let follower = projection.name();
        let failed = |doing| {
            move |source| RebuildError::Db { follower, source: DbError::while_(doing)(source) }
        };
        let schema = log.db().schema();
        let mut owner = PgConnection::connect(self.owner_url)
            .await
            .map_err(failed("connecting as the owner"))?;
        // names resolve to the shadow first: the projection's own statements fill it
        self.make_shadow(&mut owner, schema).await.map_err(failed("making the shadow tables"))?;
        let unread = |source| RebuildError::Db { follower, source };
        let (mut above, mut pages) = (0, ReadAhead::new(log.clone(), PAGE));
        loop {
            let page = pages.read(above).await.map_err(unread)?;
            let Some(last) = page.last() else { break };
            let (applied, head) = tokio::join!(apply(&mut owner, projection, &page), log.head());
            applied?;
            above = last.position.number;
            progress(above, head.map_err(unread)?.number);
        }
        // its commit makes durable whatever was written before
        owner
            .execute("set synchronous_commit to default")
            .await
            .map_err(failed("preparing the swap"))?;
        let mut tx = owner.begin().await.map_err(failed("beginning the swap"))?;
        // in the order in which the follower takes them: tables, then its checkpoint
        self.stop_followers(&mut tx, schema, follower)
            .await
            .map_err(failed("locking for the swap"))?;
        loop {
            let page = pages.read(above).await.map_err(unread)?;
            let Some(last) = page.last() else { break };
            apply(&mut tx, projection, &page).await?;
            above = last.position.number;
        }
        self.swap(&mut tx, schema).await.map_err(failed("swapping the tables in"))?;
        move_checkpoint(&mut tx, log, follower, above)
            .await
            .map_err(failed("moving the checkpoint"))?;
        grant(&mut tx, schema, self.role).await.map_err(failed("granting rights"))?;
        tx.commit().await.map_err(failed("committing the swap"))?;
        owner.close().await.map_err(failed("disconnecting"))
    }

    /// And fills them without waiting for the disk at each page: after a crash they are made anew.
    async fn make_shadow(&self, owner: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
        let (live, shadow) = (quoted(schema), shadow(schema));
        let copies: Vec<String> = self
            .tables
            .iter()
            .map(|table| {
                let table = quoted(table);
                format!("create table {shadow}.{table} (like {live}.{table} including all);")
            })
            .collect();
        let copies = copies.concat();
        let statements = format!(
            "drop schema if exists {shadow} cascade; create schema {shadow}; {copies}
             set search_path = {shadow}, {live}, pg_temp;
             set synchronous_commit = off;"
        );
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(owner).await.map(drop)
    }

    async fn stop_followers(
        &self,
        tx: &mut PgConnection,
        schema: &str,
        follower: &str,
    ) -> Result<(), sqlx::Error> {
        for table in self.tables {
            let statement =
                format!("lock table {}.{} in access exclusive mode", quoted(schema), quoted(table));
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *tx).await?;
        }
        sqlx::query("select from checkpoints where follower = $1 and source = 'log' for update")
            .bind(follower)
            .execute(tx)
            .await
            .map(drop)
    }

    async fn swap(&self, tx: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
        let (live, shadow) = (quoted(schema), shadow(schema));
        for table in self.tables {
            let table = quoted(table);
            let statements = format!(
                "drop table {live}.{table}; alter table {shadow}.{table} set schema {live};"
            );
            sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *tx).await?;
        }
        let statement = format!("drop schema {shadow}");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(tx).await.map(drop)
    }
}

fn shadow(schema: &str) -> String {
    quoted(&format!("{schema}_rebuild"))
}

/// In a transaction of its own, or in a part of one where `connection` is in it.
async fn apply<H: Handler>(
    connection: &mut PgConnection,
    projection: &H,
    page: &[Recorded],
) -> Result<(), RebuildError> {
    let failed = |source| RebuildError::Db {
        follower: projection.name(),
        source: DbError::while_("applying a page")(source),
    };
    let mut tx = connection.begin().await.map_err(failed)?;
    if H::WHOLE_BATCHES {
        let events: Vec<&Recorded> = page.iter().collect();
        if projection.handle_all(&mut tx, &events).await.is_ok() {
            return tx.commit().await.map_err(failed);
        }
        // one by one, to tell which it does not take
        tx.rollback().await.map_err(failed)?;
        tx = connection.begin().await.map_err(failed)?;
    }
    for event in page {
        projection.handle(&mut tx, event).await.map_err(|source| RebuildError::Event {
            follower: projection.name(),
            position: event.position.number,
            source,
        })?;
    }
    tx.commit().await.map_err(failed)
}

/// The follower goes on after what the new tables hold; a batch it had under way is refused by the
/// compare-and-set. Nothing of it is parked any more: everything was replayed.
async fn move_checkpoint(
    tx: &mut PgConnection,
    log: &PgLog,
    follower: &str,
    to: u64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update checkpoints c set next_offset = $2, position = $2, log_id = $3, log_epoch = e.epoch
         from events e where c.follower = $1 and c.source = 'log' and e.position = $2",
    )
    .bind(follower)
    .bind(bigint(to))
    .bind(log.log_id())
    .execute(&mut *tx)
    .await?;
    sqlx::query("delete from parked where follower = $1").bind(follower).execute(tx).await.map(drop)
}
