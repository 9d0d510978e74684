use onenet_kernel::Position;
use sqlx::{PgConnection, Row as _, postgres::PgRow};
use uuid::Uuid;

use crate::{
    db::{Db, DbError},
    lease::LEASE,
    row::{self, bigint},
};

/// How far a follower got in one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Where reading goes on, in the source's own counting: an offset of Kafka, a position of a log.
    pub next_offset: i64,
    /// The last event handled.
    pub last: Option<Position>,
}

/// Lets a follower go on in `source` where it stood in `before`, which hands out the same log: what
/// it has handled there it skips here. Changes nothing where it has begun in `source`.
pub async fn adopt_checkpoints(
    db: &Db,
    follower: &str,
    before: &str,
    source: &str,
    partitions: i32,
) -> Result<(), DbError> {
    sqlx::query(
        "insert into checkpoints (follower, source, partition, owner, epoch, until, next_offset,
            log_id, log_epoch, position)
         select follower, $3, new, owner, 1, '-infinity', 0, log_id, log_epoch, max(position)
            from checkpoints, generate_series(0, $4 - 1) new
            where follower = $1 and source = $2 and position is not null
                and not exists (select from checkpoints begun
                    where begun.follower = $1 and begun.source = $3 and begun.position is not null)
            group by follower, new, owner, log_id, log_epoch
         on conflict (follower, source, partition) do update set log_id = excluded.log_id,
            log_epoch = excluded.log_epoch, position = excluded.position",
    )
    .bind(follower)
    .bind(before)
    .bind(source)
    .bind(partitions)
    .execute(db.pool())
    .await
    .map(drop)
    .map_err(DbError::while_("adopting a checkpoint"))
}

/// Why followers do not go on in another topic.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A follower has handled what the log it follows no longer holds.
    #[error(
        "{follower} has handled {source_name} up to position {position}, beyond the end of that log: \
         their schemas are not of one backup"
    )]
    Beyond {
        /// The follower.
        follower: String,
        /// What it follows.
        source_name: String,
        /// Up to where.
        position: u64,
    },
    /// The topics differ in their partitions, which the checkpoints are kept by.
    #[error(
        "{follower} holds {held} partitions of {source_name}: name as many in `kafka.partitions`"
    )]
    Partitions {
        /// The follower.
        follower: String,
        /// What it follows.
        source_name: String,
        /// How many it holds.
        held: i64,
    },
}

/// Lets every follower of `before` go on in `now`, which holds the same log from its first event on, in
/// as many partitions: what it has handled it skips there. `head` is where that log ends. Changes nothing
/// where a follower has begun in `now`.
pub async fn carry_checkpoints(
    db: &Db,
    before: &str,
    now: &str,
    partitions: i32,
    head: u64,
) -> Result<(), CarryError> {
    let doing = || DbError::while_("carrying checkpoints to another topic");
    let source_name = before.to_owned();
    let followers: Vec<(String, i64, Option<i64>)> = sqlx::query_as(
        "select follower, count(*), max(position) from checkpoints where source = $1 group by 1",
    )
    .bind(before)
    .fetch_all(db.pool())
    .await
    .map_err(doing())?;
    for (follower, held, position) in followers {
        if held != i64::from(partitions) {
            return Err(CarryError::Partitions { follower, source_name, held });
        }
        let position = u64::try_from(position.unwrap_or(0)).unwrap_or(0);
        if position > head {
            return Err(CarryError::Beyond { follower, source_name, position });
        }
    }
    sqlx::query(
        "insert into checkpoints (follower, source, partition, owner, epoch, until, next_offset,
            log_id, log_epoch, position)
         select follower, $2, partition, owner, 1, '-infinity', 0, log_id, log_epoch, position
            from checkpoints where source = $1
         on conflict do nothing",
    )
    .bind(before)
    .bind(now)
    .execute(db.pool())
    .await
    .map_err(doing())?;
    Ok(())
}

/// The right to move one checkpoint on, and where it stands.
pub(crate) struct Claim {
    pub(crate) epoch: i64,
    pub(crate) at: Checkpoint,
}

/// Whose checkpoints.
pub(crate) struct Checkpoints<'a> {
    pub(crate) follower: &'a str,
    pub(crate) source: &'a str,
    pub(crate) owner: Uuid,
}

impl Checkpoints<'_> {
    /// Takes the partition if nobody holds it, or renews one's own claim.
    pub(crate) async fn claim(&self, db: &Db, partition: i32) -> Result<Option<Claim>, DbError> {
        let query = sqlx::query(
            "insert into checkpoints as held (follower, source, partition, owner, epoch, until)
             values ($1, $2, $3, $4, 1, clock_timestamp() + make_interval(secs => $5))
             on conflict (follower, source, partition) do update set
                owner = $4, until = excluded.until,
                epoch = held.epoch + case when held.owner = $4 then 0 else 1 end
             where held.owner = $4 or held.until < clock_timestamp()
             returning epoch, next_offset, log_id, log_epoch, position",
        )
        .bind(self.follower)
        .bind(self.source)
        .bind(partition)
        .bind(self.owner)
        .bind(LEASE.as_secs_f64());
        let row = db.answered(query.fetch_optional(&mut *db.reader().await?)).await;
        row.and_then(|row| row.as_ref().map(claim).transpose())
            .map_err(DbError::while_("claiming a checkpoint"))
    }

    /// Moves a checkpoint on, unless another process has taken it over: then answers false, and the
    /// caller rolls back.
    pub(crate) async fn advance(
        &self,
        tx: &mut PgConnection,
        partition: i32,
        claim: &Claim,
        to: &Checkpoint,
    ) -> Result<bool, DbError> {
        let moved = sqlx::query(
            "update checkpoints set next_offset = $6, log_id = $7, log_epoch = $8, position = $9
             where follower = $1 and source = $2 and partition = $3 and epoch = $4
                and next_offset = $5",
        )
        .bind(self.follower)
        .bind(self.source)
        .bind(partition)
        .bind(claim.epoch)
        .bind(claim.at.next_offset)
        .bind(to.next_offset)
        .bind(to.last.map(|last| last.log_id))
        .bind(to.last.map(|last| i32::try_from(last.epoch).unwrap_or(i32::MAX)))
        .bind(to.last.map(|last| bigint(last.number)))
        .execute(tx)
        .await
        .map_err(DbError::while_("moving a checkpoint"))?;
        Ok(moved.rows_affected() == 1)
    }

    /// Gives all claims back at once.
    pub(crate) async fn release(&self, db: &Db) -> Result<(), DbError> {
        let query = sqlx::query(
            "update checkpoints set until = '-infinity'
             where follower = $1 and source = $2 and owner = $3",
        )
        .bind(self.follower)
        .bind(self.source)
        .bind(self.owner);
        let released = db.answered(query.execute(&mut *db.reader().await?)).await;
        released.map(drop).map_err(DbError::while_("giving checkpoints back"))
    }
}

fn claim(row: &PgRow) -> Result<Claim, sqlx::Error> {
    let last = match row.try_get::<Option<Uuid>, _>("log_id")? {
        None => None,
        Some(log_id) => Some(Position {
            log_id,
            epoch: row::unsigned(row, "log_epoch")?,
            number: row::long(row, "position")?,
        }),
    };
    let at = Checkpoint { next_offset: row.try_get("next_offset")?, last };
    Ok(Claim { epoch: row.try_get("epoch")?, at })
}
