use std::collections::{HashMap, HashSet};

use onenet_chassis::{Refusal, view::decode};
use onenet_eventstore::{Db, DbError, sqlx};
use onenet_proto::exchange::v1 as wire;
use uuid::Uuid;

use crate::{
    domain::Grant,
    feed::{FeedEvent, Filter, Tail, deliveries::bigint, directory},
};

/// What was delivered to a subscription before.
pub(super) struct Reached<'a> {
    pub(super) db: &'a Db,
    pub(super) tail: &'a Tail,
    pub(super) subscription: Uuid,
    pub(super) subscriber: &'a str,
}

/// What was delivered under the same grants and filter.
struct Interval {
    from: u64,
    upto: u64,
    grants: Vec<Uuid>,
    filter: Filter,
}

impl Reached<'_> {
    /// Those of these events, by their ids, that were delivered: they lie in an interval of the
    /// subscription, and a grant and the filter of that interval let them pass.
    pub(super) async fn among(&self, ids: &[Uuid]) -> Result<HashSet<Uuid>, Refusal> {
        let events = self.tail.events(ids).await?;
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Ok(HashSet::new());
        };
        let intervals = self.intervals(first.position, last.position).await?;
        let grants = self.grants(&intervals).await?;
        let delivered = events.iter().filter(|event| {
            intervals.iter().any(|interval| self.delivered(event, interval, &grants))
        });
        Ok(delivered.map(|event| event.id).collect())
    }

    fn delivered(
        &self,
        event: &FeedEvent,
        interval: &Interval,
        grants: &HashMap<Uuid, Grant>,
    ) -> bool {
        let opens = |id| grants.get(id).is_some_and(|grant| directory::opens(grant, event));
        event.is_shared
            && (interval.from..=interval.upto).contains(&event.position)
            && (event.subject == self.subscriber || interval.grants.iter().any(opens))
            && interval.filter.passes(event)
    }

    /// The intervals that reach into a range of the feed.
    async fn intervals(&self, first: u64, last: u64) -> Result<Vec<Interval>, Refusal> {
        let query = sqlx::query_as(
            "select from_position, upto_position, grants, filter from deliveries
             where subscription_id = $1 and feed_log = $2 and from_position <= $4
                and upto_position >= $3",
        )
        .bind(self.subscription)
        .bind(self.tail.feed().log_id())
        .bind(bigint(first))
        .bind(bigint(last));
        let rows: Vec<(i64, i64, Vec<Uuid>, Vec<u8>)> = self
            .db
            .answered(query.fetch_all(&mut *self.db.reader().await?))
            .await
            .map_err(DbError::while_("asking what was delivered"))?;
        let interval = |(from, upto, grants, filter): (i64, i64, Vec<Uuid>, Vec<u8>)| {
            let filter = Filter::new(decode::<wire::Filter>(&filter)?);
            Ok(Interval { from: from.unsigned_abs(), upto: upto.unsigned_abs(), grants, filter })
        };
        rows.into_iter().map(interval).collect()
    }

    /// Grants by their ids, whether or not they are still in force.
    async fn grants(&self, intervals: &[Interval]) -> Result<HashMap<Uuid, Grant>, DbError> {
        let ids: HashSet<Uuid> =
            intervals.iter().flat_map(|it| it.grants.iter().copied()).collect();
        let doing = || DbError::while_("reading the grants of what was delivered");
        let query = sqlx::query_scalar("select view from grants where grant_id = any($1)")
            .bind(ids.into_iter().collect::<Vec<_>>());
        let views: Vec<Vec<u8>> = self
            .db
            .answered(query.fetch_all(&mut *self.db.reader().await?))
            .await
            .map_err(doing())?;
        let grants = views.iter().map(|bytes| directory::grant(bytes));
        let grants = grants.map(|grant| grant.map(|grant| (grant.id, grant)));
        grants.collect::<Result<_, _>>().map_err(|error| doing()(sqlx::Error::Decode(error)))
    }
}
