use anyhow::{Context as _, Result, ensure};
use onenet_chassis::{
    private::{Brokers, Plan, PrivateNode},
    testing::{self, elsewhere::topics},
};
use onenet_eventstore::PgLog;
use onenet_kafka::relay_status;
use tokio::time::{Duration, Instant};

use super::{exchange::Exchange, fan_out, filled, new_name, node};
use crate::{Bench, Figure, process::Process};

/// Enough of them that what a process has anyway does not matter.
const SUBSCRIBERS: u64 = 1_000;
/// Events that each of them has had, so that its buffers are there.
const EVENTS: u64 = 100;
const BEHIND: u64 = 1_000_000;
const LOOK_EVERY: Duration = Duration::from_millis(50);
const PUBLISHED_WITHIN: Duration = Duration::from_mins(5);

/// Of processes of this program; each is measured once.
pub(super) async fn run(bench: &Bench) -> Result<Vec<Figure>> {
    Ok(vec![idle(bench).await?, subscriber(bench).await?, relay(bench).await?])
}

async fn idle(bench: &Bench) -> Result<Figure> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().to_str().context("the name of a folder")?;
    let words = ["up", "--data", data, "--listen", "127.0.0.1:0"];
    let mut node = Process::start(&bench.program, &words)?;
    node.says("gRPC").await?;
    // as long as a turn of any other row, nobody asks it anything
    tokio::time::sleep(bench.turn).await;
    let megabytes = thousands(node.memory()?);
    Ok(Figure::amount("idle node", megabytes, "MB", "`onenet up`, every role of every context"))
}

async fn subscriber(bench: &Bench) -> Result<Figure> {
    let (count, exchange) = (bench.at_most(SUBSCRIBERS), Exchange::make(bench).await?);
    let config = exchange.node.write_settings()?;
    let config = config.to_str().context("the name of a file")?;
    let roles = ["--role", "api,project", "--listen", "127.0.0.1:0"];
    let words = [&["serve", "exchange", "--config", config][..], &roles].concat();
    let mut process = Process::start(&bench.program, &words)?;
    let address = process.says("is listening on").await?.parse()?;
    exchange.open_to_agency(address).await?;
    let feed = exchange.feed().await?;
    // a first one, so that what the first costs is not divided among all
    let mut subscribers = exchange.subscribe(address, 1).await?;
    deliver(&feed, &mut subscribers).await?;
    let before = process.memory()?;
    let mut more = exchange.subscribe(address, count).await?;
    fan_out::read(&mut more, EVENTS).await?;
    subscribers.append(&mut more);
    deliver(&feed, &mut subscribers).await?;
    let each =
        thousands(process.memory()?.saturating_sub(before) * 1_000) / thousands(count * 1_000);
    let case = format!("subscriber, of {count}");
    Ok(Figure::amount(case, each, "KB", "exchange's process, each on a connection of its own"))
}

async fn deliver(feed: &PgLog, subscribers: &mut Vec<fan_out::Subscriber>) -> Result<()> {
    for _ in 0..EVENTS {
        Exchange::append(feed).await?;
    }
    fan_out::read(subscribers, EVENTS).await
}

async fn relay(bench: &Bench) -> Result<Figure> {
    const CONTEXT: &str = "enterprise";
    let (folder, behind) = (tempfile::tempdir()?, bench.events(BEHIND));
    let database = new_name("bench_");
    let brokers = Brokers::Plain(bench.kafka.clone());
    let plan = Plan { database, ..testing::plan(&bench.postgres, brokers) };
    let node = PrivateNode::make(folder.path(), &plan).await?;
    node.prepare(&[onenet_enterprise::context()]).await?;
    filled::fill(&mut node::owner(&node, CONTEXT).await?, behind).await?;

    let log = node::log(&node, CONTEXT).await?;
    let cluster = node.settings().cluster().context("a node with Kafka")?;
    let topics = topics(&node, CONTEXT);
    let config = node.write_settings()?;
    let config = config.to_str().context("the name of a file")?;
    let words = ["serve", CONTEXT, "--config", config, "--role", "relay"];
    let process = Process::start(&bench.program, &words)?;
    let until = Instant::now() + PUBLISHED_WITHIN;
    while relay_status(&log, &cluster, &topics).await?.lag() > behind / 5 * 4 {
        ensure!(Instant::now() < until, "the relay publishes nothing");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let megabytes = thousands(process.most_memory()?);
    let case = format!("relay, {behind} events behind");
    Ok(Figure::amount(case, megabytes, "MB", "the most, up to where it has published a fifth"))
}

#[expect(clippy::cast_precision_loss, reason = "no process has 2^52 bytes")]
fn thousands(of: u64) -> f64 {
    of as f64 / 1e3
}
