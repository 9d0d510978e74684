use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use onenet_eventstore::{DbError, PgLog, sqlx, wait_until_fresh, wait_until_handled};
use onenet_kernel::{Position, Receipt};
use onenet_proto::common::v1::{self as wire, ErrorReason};

use crate::{Refusal, field, receipt};

/// Most receipts of one request.
const MOST: usize = 10;
/// Longest wait, whatever the caller's deadline.
const AT_MOST: Duration = Duration::from_secs(10);

/// What reads and dependent commands wait for: the followers of this context, by what they follow.
#[derive(Default)]
pub(crate) struct Freshness {
    own: Mutex<Vec<&'static str>>,
    /// Category of stream, and the follower that handles its events.
    crossing: Mutex<Vec<(&'static str, &'static str)>>,
}

impl Freshness {
    /// A follower of the own log.
    pub(crate) fn own(&self, follower: &'static str) {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).push(follower);
    }

    /// A follower of another context's topic.
    pub(crate) fn crossing(&self, categories: &[&'static str], follower: &'static str) {
        let pairs = categories.iter().map(|category| (*category, follower));
        self.crossing.lock().unwrap_or_else(PoisonError::into_inner).extend(pairs);
    }

    /// Every follower of this context.
    pub(crate) fn followers(&self) -> Vec<&'static str> {
        let mut names = self.own.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let crossing = self.crossing.lock().unwrap_or_else(PoisonError::into_inner);
        names.extend(crossing.iter().map(|(_, follower)| *follower));
        names
    }

    /// Waits until everything the receipts stand for can be read here, at most for `at_most`.
    pub(crate) async fn wait(
        &self,
        log: &PgLog,
        receipts: &[wire::Receipt],
        at_most: Duration,
    ) -> Result<(), Refusal> {
        field::list("fresh_as", receipts, 0, MOST)?;
        let at_most = at_most.min(AT_MOST);
        let mut has_crossed = false;
        for (n, sent) in receipts.iter().enumerate() {
            let path = field::at("fresh_as", n);
            let receipt = receipt::from_wire(&path, sent)?;
            if receipt.position.log_id == log.log_id() {
                self.wait_for_own(log, receipt.position, at_most).await?;
            } else {
                let follower = self.follower_of(log, &path, &receipt).await?;
                let seen = wait_until_fresh(log.db(), follower, &receipt, at_most).await?;
                reached(seen)?;
                has_crossed = true;
            }
        }
        if has_crossed {
            // what the events of others led to here is in the own log by now, and read from there
            let head = log.head().await?;
            self.wait_for_own(log, head, at_most).await?;
        }
        Ok(())
    }

    async fn wait_for_own(
        &self,
        log: &PgLog,
        position: Position,
        at_most: Duration,
    ) -> Result<(), Refusal> {
        let followers = self.own.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for follower in followers {
            reached(wait_until_handled(log.db(), follower, position, at_most).await?)?;
        }
        Ok(())
    }

    async fn follower_of(
        &self,
        log: &PgLog,
        path: &str,
        receipt: &Receipt,
    ) -> Result<&'static str, Refusal> {
        let category = receipt.stream.category();
        let follower = self
            .crossing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .find(|(known, _)| *known == category)
            .map(|(_, follower)| *follower);
        let unknown = || {
            Refusal::field(
                ErrorReason::ReceiptUnknown,
                path,
                "names a log that is not followed here",
            )
        };
        let follower = follower.ok_or_else(unknown)?;
        let query = sqlx::query_scalar(
            "select coalesce(bool_and(log_id <> $2 or log_epoch <> $3), false) from checkpoints
             where follower = $1 and log_id is not null",
        )
        .bind(follower)
        .bind(receipt.position.log_id)
        .bind(i32::try_from(receipt.position.epoch).unwrap_or(i32::MAX));
        let is_other: bool = log
            .db()
            .answered(query.fetch_one(&mut *log.db().reader().await?))
            .await
            .map_err(DbError::while_("asking which log is followed"))?;
        if is_other { Err(unknown()) } else { Ok(follower) }
    }
}

fn reached(seen: bool) -> Result<(), Refusal> {
    if seen {
        return Ok(());
    }
    Err(Refusal::new(
        ErrorReason::NotFreshInTime,
        "what `fresh_as` asks for has not been seen here in time",
    ))
}
