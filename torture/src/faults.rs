use std::{fmt, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use fastrand::Rng;
use onenet_eventstore::sqlx::{self, PgConnection};
use rustix::process::{Pid, Signal, kill_process};
use uuid::Uuid;

use crate::{
    node::{Links, Node},
    proxy::{Proxy, Way},
    seen::Context,
};

/// A session that holds this keeps every append of two contexts waiting.
const HOLD: &str = "begin;
    select pg_advisory_xact_lock(1, 'enterprise.events'::regclass::oid::integer);
    select pg_advisory_xact_lock(1, 'credit.events'::regclass::oid::integer)";
/// How long a lease may stay without an owner: start and attempts of both relays fit in.
const LEASED_WITHIN: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Bytes a second on a line that was good for millions: an append of some kilobytes takes a tenth of a second.
const SLOW: u32 = 40_000;
/// A fault that is not over by then is none that was planned.
const OVER_WITHIN: Duration = Duration::from_mins(3);

/// What is done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// kill -9 of the process that answers commands and fills the read model.
    ApiKilled,
    /// kill -9 of the relay.
    RelayKilled,
    /// kill -9 of the process that serves subscriptions.
    ExchangeKilled,
    /// kill -9 of the process of the hazard context: calls, read model, relay, reactions, clock.
    HazardKilled,
    /// The same of the enforcement context.
    EnforcementKilled,
    /// The same of the credit context, which publishes the blacklist.
    CreditKilled,
    /// kill -9 of PostgreSQL, and a start after its crash.
    PostgresKilled,
    /// kill -9 of the broker, and a start after its crash.
    KafkaKilled,
    /// The broker does not answer, and goes on.
    KafkaStopped,
    /// A transaction stays open in the middle of an append, in the enterprise and in the credit context.
    AppendHeld,
    /// Another relay takes the lease while the first believes that it has it; the other is killed.
    TwoRelays,
    /// The same of the credit context, whose relay writes to three topics at once.
    TwoRelaysOfCredit,
    /// Connections end, and new ones go through.
    Cut(Link),
    /// Nothing arrives any more and nobody is told, until the connections end.
    HalfOpen(Link),
    /// What arrives comes slowly.
    Throttled(Link),
}

/// A piece of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// Between every process and PostgreSQL.
    Database,
    /// Between every process and Kafka.
    Brokers,
    /// Between the node and its callers and subscribers.
    Callers,
}

/// A fault of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) fault: Fault,
    /// Before it.
    pub(crate) pause: Duration,
    /// How long the part is away, where it is not started again at once.
    pub(crate) away: Duration,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 21] = [
        Self::ApiKilled,
        Self::RelayKilled,
        Self::ExchangeKilled,
        Self::HazardKilled,
        Self::EnforcementKilled,
        Self::CreditKilled,
        Self::PostgresKilled,
        Self::KafkaKilled,
        Self::KafkaStopped,
        Self::AppendHeld,
        Self::TwoRelays,
        Self::TwoRelaysOfCredit,
        Self::Cut(Link::Database),
        Self::Cut(Link::Brokers),
        Self::Cut(Link::Callers),
        Self::HalfOpen(Link::Database),
        Self::HalfOpen(Link::Brokers),
        Self::HalfOpen(Link::Callers),
        Self::Throttled(Link::Database),
        Self::Throttled(Link::Brokers),
        Self::Throttled(Link::Callers),
    ];

    /// Whether processes cannot ask the database as they should while it lasts.
    pub(crate) fn keeps_from_the_database(self) -> bool {
        matches!(
            self,
            Self::PostgresKilled
                | Self::Cut(Link::Database)
                | Self::HalfOpen(Link::Database)
                | Self::Throttled(Link::Database)
        )
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ApiKilled => "受理进程被杀 / api killed",
            Self::RelayKilled => "发布进程被杀 / relay killed",
            Self::ExchangeKilled => "交换进程被杀 / exchange killed",
            Self::HazardKilled => "隐患进程被杀 / hazard killed",
            Self::EnforcementKilled => "执法进程被杀 / enforcement killed",
            Self::CreditKilled => "信用进程被杀 / credit killed",
            Self::PostgresKilled => "数据库被杀 / PostgreSQL killed",
            Self::KafkaKilled => "消息服务被杀 / Kafka killed",
            Self::KafkaStopped => "消息服务停顿 / Kafka stopped",
            Self::AppendHeld => "写入被占住 / append held open",
            Self::TwoRelays => "两个发布进程 / two relays",
            Self::TwoRelaysOfCredit => "信用两个发布进程 / two relays of credit",
            Self::Cut(Link::Database) => "数据库连接被切断 / database cut off",
            Self::Cut(Link::Brokers) => "消息服务连接被切断 / Kafka cut off",
            Self::Cut(Link::Callers) => "调用方连接被切断 / callers cut off",
            Self::HalfOpen(Link::Database) => "数据库连接半开 / database half open",
            Self::HalfOpen(Link::Brokers) => "消息服务连接半开 / Kafka half open",
            Self::HalfOpen(Link::Callers) => "调用方连接半开 / callers half open",
            Self::Throttled(Link::Database) => "数据库限速 / database throttled",
            Self::Throttled(Link::Brokers) => "消息服务限速 / Kafka throttled",
            Self::Throttled(Link::Callers) => "调用方限速 / callers throttled",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What comes oftener than once in a round: the processes, which are soon there again.
const OFTEN: [Fault; 3] = [Fault::ApiKilled, Fault::RelayKilled, Fault::ExchangeKilled];

/// Faults without end, the same for the same chance: round after round, each in an order of its own.
pub(crate) fn schedule(mut chance: Rng) -> impl Iterator<Item = Planned> {
    let mut round = Vec::new();
    std::iter::repeat_with(move || {
        if round.is_empty() {
            round = [&Fault::ALL[..], &OFTEN].concat();
            chance.shuffle(&mut round);
        }
        let mut between = |from, to| Duration::from_millis(chance.u64(from..to));
        let (pause, away) = (between(300, 2_000), between(500, 3_000));
        Planned { fault: round.pop().unwrap_or(Fault::ApiKilled), pause, away }
    })
}

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
        Fault::TwoRelays => two_relays(node, Context::Enterprise, away).await?,
        Fault::TwoRelaysOfCredit => two_relays(node, Context::Credit, away).await?,
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

/// A second relay has the lease for so long, and the first is not told.
async fn two_relays(node: &Node, context: Context, away: Duration) -> Result<()> {
    let mut owner = node.owner().await?;
    let take = format!(
        "update {context}.leases set owner = gen_random_uuid(), until = '-infinity'
         where name = 'relay'"
    );
    // from one that has died, too: who takes it now is there, and alone
    sqlx::raw_sql(sqlx::AssertSqlSafe(take.clone())).execute(&mut owner).await?;
    let first = owner_of_lease(&mut owner, context).await?;
    let _second = node.second_relay(context)?;
    let until = tokio::time::Instant::now() + LEASED_WITHIN;
    // whoever comes first gets it: taken away until that is another
    while owner_of_lease(&mut owner, context).await? == first {
        ensure!(tokio::time::Instant::now() < until, "the second relay did not get the lease");
        sqlx::raw_sql(sqlx::AssertSqlSafe(take.clone())).execute(&mut owner).await?;
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

/// Who holds the lease of a context's relay, once somebody does.
async fn owner_of_lease(owner: &mut PgConnection, context: Context) -> Result<Uuid> {
    let held = format!(
        "select owner from {context}.leases where name = 'relay' and until > clock_timestamp()"
    );
    let until = tokio::time::Instant::now() + LEASED_WITHIN;
    loop {
        if let Some(held_by) = sqlx::query_scalar(sqlx::AssertSqlSafe(held.clone()))
            .fetch_optional(&mut *owner)
            .await?
        {
            return Ok(held_by);
        }
        if tokio::time::Instant::now() >= until {
            bail!("no relay took the lease");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ROUND: usize = Fault::ALL.len() + OFTEN.len();

    #[test]
    fn a_seed_has_one_schedule() {
        let of = |seed| schedule(Rng::with_seed(seed)).take(40).collect::<Vec<_>>();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn each_round_has_every_kind() {
        let planned: Vec<_> = schedule(Rng::with_seed(3)).take(2 * ROUND).collect();
        for round in planned.chunks(ROUND) {
            let kinds: BTreeSet<_> = round.iter().map(|planned| planned.fault).collect();
            assert_eq!(kinds, Fault::ALL.into());
        }
    }
}
