use std::{future::Future, time::Duration};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    db::{Db, DbError},
    meters::LeaseMeter,
};

/// How long a lease lasts without being renewed, on the database's clock.
pub const LEASE: Duration = Duration::from_secs(10);
/// Renewals and attempts to take over.
pub(crate) const RENEW_EVERY: Duration = Duration::from_secs(3);

/// What became of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Won,
    Lost,
    Returned,
}

impl Change {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Returned => "returned",
        }
    }
}

/// A name for this process among those that compete for leases.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "owners are told apart by chance alone")]
pub fn new_owner() -> Uuid {
    Uuid::new_v4()
}

/// Runs `work` while this process holds the lease `name`, again each time it is won back, until
/// `stop`. `work` gets the lease's epoch and a token that is cancelled when the lease is lost; it
/// must then return soon. Safety never rests on the lease: two may believe they hold it for a while.
pub async fn while_leader<W, F>(
    db: &Db,
    name: &str,
    owner: Uuid,
    stop: &CancellationToken,
    mut work: W,
) where
    W: FnMut(i64, CancellationToken) -> F,
    F: Future<Output = ()>,
{
    let meter = LeaseMeter::new(db.schema(), name);
    while !stop.is_cancelled() {
        match acquire(db, name, owner).await {
            Ok(Some(epoch)) => {
                tracing::info!(lease = name, epoch, "lease won");
                meter.changed(Change::Won);
                let lost = stop.child_token();
                let renewing = renew(db, name, owner, epoch, &lost);
                let working = work_then_cancel(work(epoch, lost.clone()), &lost);
                let ((), change) = tokio::join!(working, renewing);
                release(db, name, owner).await;
                meter.changed(change);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                lease = name,
                "no answer about the lease"
            ),
        }
        stop.run_until_cancelled(tokio::time::sleep(RENEW_EVERY)).await;
    }
}

async fn work_then_cancel(work: impl Future<Output = ()>, lost: &CancellationToken) {
    work.await;
    lost.cancel();
}

/// Until it is lost, or the work has ended; answers which.
async fn renew(db: &Db, name: &str, owner: Uuid, epoch: i64, lost: &CancellationToken) -> Change {
    while lost.run_until_cancelled(tokio::time::sleep(RENEW_EVERY)).await.is_some() {
        if acquire(db, name, owner).await.ok().flatten() != Some(epoch) {
            tracing::warn!(lease = name, epoch, "lease lost");
            lost.cancel();
            return Change::Lost;
        }
    }
    Change::Returned
}

/// Takes a free lease or renews one's own; answers its epoch, which grows with each change of hands.
async fn acquire(db: &Db, name: &str, owner: Uuid) -> Result<Option<i64>, DbError> {
    let query = sqlx::query_scalar(
        "insert into leases as held (name, owner, epoch, until)
         values ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
         on conflict (name) do update set
            owner = $2, until = excluded.until,
            epoch = held.epoch + case when held.owner = $2 then 0 else 1 end
         where held.owner = $2 or held.until < clock_timestamp()
         returning epoch",
    )
    .bind(name)
    .bind(owner)
    .bind(LEASE.as_secs_f64());
    db.answered(query.fetch_optional(&mut *db.reader().await?))
        .await
        .map_err(DbError::while_("asking for a lease"))
}

/// Gives the lease back at once; without it a successor would wait until it runs out.
async fn release(db: &Db, name: &str, owner: Uuid) {
    let given_back = async {
        let query =
            sqlx::query("update leases set until = '-infinity' where name = $1 and owner = $2")
                .bind(name)
                .bind(owner);
        db.answered(query.execute(&mut *db.reader().await?))
            .await
            .map_err(DbError::while_("giving a lease back"))
    };
    if let Err(error) = given_back.await {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            lease = name,
            "lease not returned"
        );
    }
}
