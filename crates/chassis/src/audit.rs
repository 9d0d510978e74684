use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use onenet_eventstore::{Db, DbError, sqlx};
use onenet_kernel::Timestamp;
use tokio_util::sync::CancellationToken;

/// How long a refusal may stand in memory before it is written.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// Different refusals kept between two writes; a flood of them is counted under "others".
const MOST_KEPT: usize = 10_000;
const MICROS_PER_MINUTE: i64 = 60_000_000;

/// A refusal for what the caller is, as it is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Refused {
    /// USCC of the caller, or what it came with instead.
    pub(crate) caller: String,
    /// The RPC's path.
    pub(crate) rpc: String,
    /// Name of the reason.
    pub(crate) reason: &'static str,
    /// The rule that was not met.
    pub(crate) rule: String,
}

/// Counts refusals per caller, RPC, reason and minute, and writes them to the context's schema.
#[derive(Default)]
pub(crate) struct Audit {
    counts: Mutex<HashMap<(i64, Refused), i64>>,
}

impl Audit {
    /// Counts a refusal.
    pub(crate) fn refused(&self, at: Timestamp, refused: Refused) {
        let minute = at.as_micros().div_euclid(MICROS_PER_MINUTE);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let key = if counts.len() < MOST_KEPT {
            (minute, refused)
        } else {
            (minute, Refused { caller: "others".to_owned(), rule: String::new(), ..refused })
        };
        *counts.entry(key).or_insert(0) += 1;
    }

    /// Writes what was counted, every second until `stop`, and once more then.
    pub(crate) async fn write_until(&self, db: &Db, stop: &CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(WRITE_EVERY)).await.is_some() {
            self.write(db).await;
        }
        self.write(db).await;
    }

    async fn write(&self, db: &Db) {
        let counts =
            std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        if counts.is_empty() {
            return;
        }
        if let Err(error) = insert(db, &counts).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "refusals wait to be audited"
            );
            let mut kept = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, count) in counts {
                *kept.entry(key).or_insert(0) += count;
            }
        }
    }
}

async fn insert(db: &Db, counts: &HashMap<(i64, Refused), i64>) -> Result<(), DbError> {
    let column = |of: fn(&Refused) -> &str| {
        counts.keys().map(|(_, refused)| of(refused)).collect::<Vec<_>>()
    };
    let query = sqlx::query(
        "insert into audited_refusals as kept (minute, caller, rpc, reason, rule, count)
         select to_timestamp(minute * 60), caller, rpc, reason, rule, count
         from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
            as new (minute, caller, rpc, reason, rule, count)
         on conflict (minute, caller, rpc, reason, rule)
            do update set count = kept.count + excluded.count",
    )
    .bind(counts.keys().map(|(minute, _)| *minute).collect::<Vec<_>>())
    .bind(column(|refused| &refused.caller))
    .bind(column(|refused| &refused.rpc))
    .bind(column(|refused| refused.reason))
    .bind(column(|refused| &refused.rule))
    .bind(counts.values().copied().collect::<Vec<_>>());
    db.answered(query.execute(&mut *db.reader().await?))
        .await
        .map(drop)
        .map_err(DbError::while_("writing audited refusals"))
}
