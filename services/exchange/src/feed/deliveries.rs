use onenet_eventstore::{Db, DbError, sqlx};
use onenet_kernel::Position;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::feed::Filter;

/// Positions by which the stored upper bound runs ahead of what was sent.
const STEP: u64 = 1_000;

/// What was delivered, as the present interval of the feed: stored before the events leave, so that a
/// crash can only overstate.
pub(crate) struct Delivered {
    db: Db,
    subscription: Uuid,
    subscriber: String,
    open: Option<Interval>,
}

struct Interval {
    opened_at: OffsetDateTime,
    grants: Vec<Uuid>,
    filter: Filter,
    upto: u64,
}

impl Delivered {
    /// Of a subscription; what an earlier stream of it left open is closed as it stands.
    pub(crate) async fn begin(
        db: Db,
        subscription: Uuid,
        subscriber: String,
    ) -> Result<Self, DbError> {
        let query = sqlx::query(
            "update deliveries set closed_at = clock_timestamp()
             where subscription_id = $1 and closed_at is null",
        )
        .bind(subscription);
        db.answered(query.execute(&mut *db.reader().await?))
            .await
            .map_err(DbError::while_("closing what was delivered before"))?;
        Ok(Self { db, subscription, subscriber, open: None })
    }

    /// Stores that everything above `above` up to `upto` may be delivered under these grants and this
    /// filter. Answers once it is stored.
    pub(crate) async fn will_deliver(
        &mut self,
        grants: Vec<Uuid>,
        filter: &Filter,
        above: Position,
        upto: u64,
    ) -> Result<(), DbError> {
        let fits =
            self.open.as_ref().is_some_and(|open| open.grants == grants && open.filter == *filter);
        if !fits {
            self.close(above.number).await?;
            self.open(grants, filter, above, upto + STEP).await?;
        }
        let Some(open) = self.open.as_mut().filter(|open| open.upto < upto) else { return Ok(()) };
        open.upto = upto + STEP;
        let (opened_at, bound) = (open.opened_at, open.upto);
        self.set_bound(opened_at, bound, false).await
    }

    async fn open(
        &mut self,
        grants: Vec<Uuid>,
        filter: &Filter,
        above: Position,
        upto: u64,
    ) -> Result<(), DbError> {
        let query = sqlx::query_scalar(
            "insert into deliveries (subscription_id, subscriber, grants, filter, feed_log,
                feed_epoch, from_position, upto_position)
             values ($1, $2, $3, $4, $5, $6, $7, $8) returning opened_at",
        )
        .bind(self.subscription)
        .bind(&self.subscriber)
        .bind(&grants)
        .bind(filter.encoded())
        .bind(above.log_id)
        .bind(i32::try_from(above.epoch).unwrap_or(i32::MAX))
        .bind(bigint(above.number + 1))
        .bind(bigint(upto));
        let opened_at = self
            .db
            .answered(query.fetch_one(&mut *self.db.reader().await?))
            .await
            .map_err(DbError::while_("storing what will be delivered"))?;
        self.open = Some(Interval { opened_at, grants, filter: filter.clone(), upto });
        Ok(())
    }

    /// The last position that was looked at and sent from: the interval ends there.
    pub(crate) async fn close(&mut self, last: u64) -> Result<(), DbError> {
        match self.open.take() {
            None => Ok(()),
            Some(open) => self.set_bound(open.opened_at, last, true).await,
        }
    }

    async fn set_bound(
        &self,
        opened_at: OffsetDateTime,
        upto: u64,
        is_last: bool,
    ) -> Result<(), DbError> {
        let query = sqlx::query(
            "update deliveries set upto_position = $3,
                closed_at = case when $4 then clock_timestamp() end
             where subscription_id = $1 and opened_at = $2",
        )
        .bind(self.subscription)
        .bind(opened_at)
        .bind(bigint(upto))
        .bind(is_last);
        self.db
            .answered(query.execute(&mut *self.db.reader().await?))
            .await
            .map(drop)
            .map_err(DbError::while_("storing how far was delivered"))
    }
}

/// Positions fit: they are counted from 1.
pub(super) fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
