//! When nothing moves any more.

use std::{fmt::Write as _, time::Duration};

use anyhow::Result;
use onenet_chassis::{day::SystemClock, testing::uscc};
use onenet_eventstore::{
    PgLog,
    sqlx::{self, Connection as _},
};
use onenet_exchange::feed::Tokens;
use onenet_kafka::{Cluster, Topics, relay_status};
use onenet_kernel::Clock as _;
use tokio::time::Instant;

use crate::{
    asker::Asker,
    checker::REACTIONS,
    inbox::{Inbox, Inboxes},
    load::Plants,
    node::Node,
    seen::{Context, Reader},
    setup::serial,
};

/// What everything may take to come to rest after the last fault.
const AT_REST_WITHIN: Duration = Duration::from_mins(5);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// What is published may take so long to be fed and judged.
const GROWS_EVERY: Duration = Duration::from_secs(3);

/// Makes the feed grow by one event at a time, when nothing else does.
pub(crate) struct Growth {
    pub(crate) asker: Asker,
    pub(crate) plants: Plants,
}

/// Waits until each context has folded its log, fired what is due, and taken up what it follows; answers what
/// did not come to that.
pub(super) async fn reactions_and_clocks(node: &Node) -> Result<Vec<String>> {
    let mut owner = node.owner().await?;
    let question = question();
    let rests = until(async || {
        let question = sqlx::AssertSqlSafe(question.clone());
        Ok(sqlx::query_scalar(question).fetch_one(&mut owner).await?)
    })
    .await?;
    owner.close().await?;
    let late = "反应或时钟未赶上 / reactions or clocks did not catch up with the logs".to_owned();
    Ok(if rests { vec![] } else { vec![late] })
}

/// One look at all of them: what one has done may be another's to do.
fn question() -> String {
    let mut question = "select true".to_owned();
    for context in Context::ALL {
        write!(
            question,
            " and not exists (select from {context}.timers where due_at <= clock_timestamp())
              and not exists (select from {context}.checkpoints where source = 'log'
                and coalesce(position, 0) < (select coalesce(max(position), 0) from {context}.events))"
        )
        .ok();
    }
    for (from, event_type, context, _) in REACTIONS {
        write!(
            question,
            " and not exists (select from {from}.events e where event_type = '{event_type}'
                and not exists (select from {context}.events r where r.causation_id = e.event_id))"
        )
        .ok();
    }
    question
}

/// Waits until the feed has taken up what every other context has recorded, and each subscription has looked at all of
/// it; answers what did not come to that. A subscription's token says where it stands, and moves while the feed grows:
/// one that is silent may be judging yet, or have passed over what its agency does not want.
pub(super) async fn fed(
    node: &Node,
    inboxes: &Inboxes,
    growth: &mut Growth,
) -> Result<Vec<String>> {
    let followed = Context::ALL.iter().filter(|context| **context != Context::Exchange);
    let logs: Vec<String> =
        followed.map(|context| format!("(select count(*) from {context}.events)")).collect();
    let question = format!(
        "select count(*) >= {}, coalesce(max(position), 0) from exchange_feed.events",
        logs.join(" + ")
    );
    let tokens = Tokens::from_settings(&node.private.settings().exchange)?;
    let mut owner = node.owner().await?;
    let (began, mut grows_at) = (SystemClock.now(), Instant::now() + GROWS_EVERY);
    let mut late = Vec::new();
    until(async || {
        let question = sqlx::AssertSqlSafe(question.clone());
        let (is_fed, head): (bool, i64) = sqlx::query_as(question).fetch_one(&mut owner).await?;
        let has_looked = |agency, inbox: &Inbox| {
            let (token, refused_at) = inbox.stands();
            let at = token.and_then(|token| tokens.open(&uscc(serial(agency)), &token));
            at.is_some_and(|at| i64::try_from(at.position) == Ok(head)) || refused_at > Some(began)
        };
        let behind = inboxes.iter().filter(|(agency, inbox)| !has_looked(**agency, inbox));
        late = behind.map(|(&agency, _)| Reader::Subscription(agency)).collect();
        late.extend((!is_fed).then_some(Reader::Feed));
        if late.is_empty() {
            return Ok(true);
        }
        if Instant::now() >= grows_at {
            growth.plants.register(&mut growth.asker).await;
            grows_at = Instant::now() + GROWS_EVERY;
        }
        Ok(false)
    })
    .await?;
    owner.close().await?;
    Ok(late.into_iter().map(|reader| format!("未赶上 / did not catch up: {reader}")).collect())
}

/// Waits until the relay has published all of the log; answers whether it has. While Kafka comes back, nobody
/// can tell.
pub(super) async fn published(log: &PgLog, cluster: &Cluster, topics: &Topics) -> Result<bool> {
    until(async || {
        Ok(relay_status(log, cluster, topics).await.is_ok_and(|status| {
            // a log without an event has nothing to publish
            let published = status.published.map_or(0, |published| published.number);
            published >= status.head.number
        }))
    })
    .await
}

/// Looks until it is so, or the time is over; answers whether it was.
pub(super) async fn until(mut is_so: impl AsyncFnMut() -> Result<bool>) -> Result<bool> {
    let deadline = Instant::now() + AT_REST_WITHIN;
    while !is_so().await? {
        if Instant::now() >= deadline {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(true)
}
