use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use onenet_eventstore::sqlx::{self, AssertSqlSafe, PgConnection};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Fault, Link, Planned};
use crate::{
    node::{Links, Node},
    proxy::{Proxy, Way},
    seen::Context,
};

/// A session that holds this keeps every append of two contexts waiting.
const HOLD: &str = "begin;
    select pg_advisory_xact_lock(1, 'enterprise.events'::regclass::oid::integer);
    select pg_advisory_xact_lock(1, 'credit.events'::regclass::oid::integer)";
/// How long a lease or claim may stay without an owner: start and attempts of both processes fit in.
const HELD_WITHIN: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Bytes a second on a line that was good for millions: an append of some kilobytes takes a tenth of a second.
const SLOW: u32 = 40_000;
/// A fault that is not over by then is none that was planned.
const OVER_WITHIN: Duration = Duration::from_mins(3);

/// What one process at a time holds, by a row with its owner.
struct Held {
    table: &'static str,
    /// Those that are taken away.
    rows: &'static str,
    /// The one of them that is looked at.
    one: &'static str,
    /// What a second process does that takes it.
    roles: &'static str,
}

const RELAY: Held =
    Held { table: "leases", rows: "name = 'relay'", one: "name = 'relay'", roles: "relay" };
const FOLLOWERS: Held = Held {
    table: "checkpoints",
    rows: "true",
    one: "follower = 'read_model' and source = 'log'",
    roles: "project,react",
};

/// Does it; whatever was taken away is there again, or on its way, when this answers.
pub(crate) async fn strike(node: &mut Node, planned: Planned) -> Result<()> {
    let striking = strike_at_once(node, planned);
    let struck = tokio::time::timeout(OVER_WITHIN, striking).await;
    struck.context("it was not over within three minutes")?.with_context(|| planned.fault.name())
}

async fn strike_at_once(node: &mut Node, Planned { fault, away, .. }: Planned) -> Result<()> {
    match fault {
        Fault::ApiKilled => kill(node, Context::Enterprise),
        Fault::RelayKilled => node.relay.kill(),
        Fault::ExchangeKilled => kill(node, Context::Exchange),
        Fault::HazardKilled => kill(node, Context::Hazard),
        Fault::EnforcementKilled => kill(node, Context::Enforcement),
        Fault::CreditKilled => kill(node, Context::Credit),
        Fault::PostgresKilled => node.kill_postgres(away).await?,
        Fault::KafkaKilled => node.kill_kafka(away).await?,
        Fault::KafkaStopped => stop_for(node.kafka.running()?.pid(), away).await?,
        Fault::AppendHeld => {
            let mut holder = node.owner().await?;
            sqlx::raw_sql(HOLD).execute(&mut holder).await?;
            tokio::time::sleep(away).await;
            sqlx::raw_sql("commit").execute(&mut holder).await?;
        }
        Fault::TwoRelays => two_of(node, Context::Enterprise, &RELAY, away).await?,
        Fault::TwoRelaysOfCredit => two_of(node, Context::Credit, &RELAY, away).await?,
        Fault::TwoFollowers => two_of(node, Context::Credit, &FOLLOWERS, away).await?,
        Fault::Cut(link) => link.of(&node.links).into_iter().for_each(Proxy::cut),
        Fault::HalfOpen(link) => {
            let proxies = link.of(&node.links);
            set(&proxies, Way::HalfOpen);
            tokio::time::sleep(away).await;
            // what was on its way is lost: who comes back finds a server that knows nothing of it
            for proxy in &proxies {
                proxy.cut();
            }
            set(&proxies, Way::Open);
        }
        Fault::Throttled(link) => {
            let proxies = link.of(&node.links);
            set(&proxies, Way::Slow(SLOW));
            tokio::time::sleep(away).await;
            set(&proxies, Way::Open);
        }
    }
    Ok(())
}

/// A second process holds it for so long, and the first is not told.
async fn two_of(node: &Node, context: Context, held: &Held, away: Duration) -> Result<()> {
    let mut owner = node.owner().await?;
    // from one that has died, too: who takes it now is there, and alone
    held.take_away(&mut owner, context).await?;
    let first = held.owner(&mut owner, context).await?;
    let _second = node.second(context, held.roles)?;
    let until = Instant::now() + HELD_WITHIN;
    // whoever comes first gets it: taken away until that is another
    while held.owner(&mut owner, context).await? == first {
        ensure!(Instant::now() < until, "the second process did not get it");
        held.take_away(&mut owner, context).await?;
    }
    tokio::time::sleep(away).await;
    Ok(())
}

fn kill(node: &Node, context: Context) {
    if let Some(process) = node.served.get(&context) {
        process.kill();
    }
}

fn set(proxies: &[&Proxy], way: Way) {
    for proxy in proxies {
        proxy.set(way);
    }
}

impl Link {
    fn of(self, links: &Links) -> Vec<&Proxy> {
        match self {
            Self::Database => vec![&links.database],
            Self::Brokers => vec![&links.brokers],
            Self::Callers => links.callers.values().collect(),
        }
    }
}

async fn stop_for(pid: u32, away: Duration) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).context("no process id")?;
    kill_process(pid, Signal::STOP).context("stopping a process")?;
    tokio::time::sleep(away).await;
    kill_process(pid, Signal::CONT).context("letting a process go on")
}

impl Held {
    async fn take_away(&self, owner: &mut PgConnection, context: Context) -> Result<()> {
        let Self { table, rows, .. } = self;
        let take = format!(
            "update {context}.{table} set owner = gen_random_uuid(), until = '-infinity' where {rows}"
        );
        sqlx::raw_sql(AssertSqlSafe(take)).execute(owner).await?;
        Ok(())
    }

    /// Who holds the one that is looked at, once somebody does.
    async fn owner(&self, owner: &mut PgConnection, context: Context) -> Result<Uuid> {
        let Self { table, one, .. } = self;
        let held = format!(
            "select owner from {context}.{table} where {one} and until > clock_timestamp()"
        );
        let until = Instant::now() + HELD_WITHIN;
        loop {
            let held = sqlx::query_scalar(AssertSqlSafe(held.clone()));
            if let Some(held_by) = held.fetch_optional(&mut *owner).await? {
                return Ok(held_by);
            }
            ensure!(Instant::now() < until, "nobody took it");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
