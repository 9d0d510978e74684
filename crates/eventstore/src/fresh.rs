use std::{collections::BTreeMap, time::Duration};

use onenet_kernel::{Position, Receipt};
use sqlx::PgConnection;
use tokio::time::Instant;

use crate::{
    db::{Db, DbError},
    row::bigint,
    source::Delivery,
};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits until `follower` has handled what `receipt` stands for, at most for `at_most`; answers
/// whether it has. A follower of the own log is asked by position, one of another context's topic by
/// the stream's version, since its partitions advance apart.
pub async fn wait_until_fresh(
    db: &Db,
    follower: &str,
    receipt: &Receipt,
    at_most: Duration,
) -> Result<bool, DbError> {
    until(at_most, || is_fresh(db, follower, receipt)).await
}

/// Waits until `follower` has handled its own log up to `position`, at most for `at_most`; answers
/// whether it has.
pub async fn wait_until_handled(
    db: &Db,
    follower: &str,
    position: Position,
    at_most: Duration,
) -> Result<bool, DbError> {
    until(at_most, || has_handled(db, follower, position)).await
}

async fn until<F>(at_most: Duration, is_so: impl Fn() -> F) -> Result<bool, DbError>
where
    F: Future<Output = Result<bool, DbError>>,
{
    let deadline = Instant::now() + at_most;
    loop {
        if is_so().await? {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn is_fresh(db: &Db, follower: &str, receipt: &Receipt) -> Result<bool, DbError> {
    let query = sqlx::query_scalar(
        "select exists (select from checkpoints where follower = $1 and source = 'log'
                and log_id = $2 and position >= $3)
            or exists (select from streams_seen where follower = $1 and stream_id = $4
                and version >= $5)",
    )
    .bind(follower)
    .bind(receipt.position.log_id)
    .bind(bigint(receipt.position.number))
    .bind(receipt.stream.as_str())
    .bind(bigint(receipt.version.0));
    db.answered(query.fetch_one(&mut *db.reader().await?))
        .await
        .map_err(DbError::while_("asking how fresh a read model is"))
}

/// Of an empty log everything is handled.
async fn has_handled(db: &Db, follower: &str, position: Position) -> Result<bool, DbError> {
    let query = sqlx::query_scalar(
        "select $3 = 0 or exists (select from checkpoints where follower = $1 and source = 'log'
            and log_id = $2 and position >= $3)",
    )
    .bind(follower)
    .bind(position.log_id)
    .bind(bigint(position.number));
    db.answered(query.fetch_one(&mut *db.reader().await?))
        .await
        .map_err(DbError::while_("asking how far a read model is"))
}

/// Keeps the newest version of each stream that a follower of another context has seen.
pub(crate) async fn remember_streams(
    tx: &mut PgConnection,
    follower: &str,
    deliveries: &[Delivery],
) -> Result<(), DbError> {
    let newest: BTreeMap<&str, i64> = deliveries
        .iter()
        .map(|delivery| (delivery.event.stream.as_str(), bigint(delivery.event.version.0)))
        .collect();
    sqlx::query(
        "insert into streams_seen as seen (follower, stream_id, version)
         select $1, * from unnest($2::text[], $3::bigint[])
         on conflict (follower, stream_id) do update set version = excluded.version
         where seen.version < excluded.version",
    )
    .bind(follower)
    .bind(newest.keys().copied().collect::<Vec<_>>())
    .bind(newest.values().copied().collect::<Vec<_>>())
    .execute(tx)
    .await
    .map(drop)
    .map_err(DbError::while_("remembering the streams seen"))
}
