//! The relay is killed at random points, most of them inside an open Kafka transaction.

use std::time::Duration;

use onenet_eventstore::{
    Checkpoint, PgLog, Source as _, sqlx,
    testing::{Scratch, new_id},
};
use onenet_kafka::{Cluster, KafkaSource};
use onenet_kernel::Recorded;
use onenet_tests::process::{Process, until};
use onenet_tests::topics;

const SCHEMA: &str = "ledger";
const PARTITIONS: i32 = 3;
/// Kills that must fall between the beginning and the end of a transaction.
const INSIDE: usize = 10;
/// Kills at least, and at most.
const KILLS: usize = 12;
const ROUNDS: usize = 40;

#[tokio::test]
async fn a_relay_killed_inside_transactions_loses_doubles_and_reorders_nothing() {
    let scratch = Scratch::create(onenet_devservers::shared_postgres().unwrap()).await.unwrap();
    let log = scratch.log(SCHEMA, &[]).await.unwrap();
    let bootstrap = onenet_devservers::shared_kafka().unwrap().to_owned();
    let prefix = format!("t{}.", new_id().simple());
    let (cluster, topics) = (Cluster::plain(&bootstrap), topics(&prefix));
    topics.ensure(&cluster, PARTITIONS, &[]).await.unwrap();
    let url = scratch.settings(SCHEMA).url;
    let relay = || {
        Process::start(
            env!("CARGO_BIN_EXE_onenet-test-relay"),
            &[&url, SCHEMA, &bootstrap, &prefix],
        )
    };
    let writers = ["a", "b"].map(|name| {
        let words = ["append", &url, SCHEMA, name];
        Process::start(env!("CARGO_BIN_EXE_onenet-test-log"), &words)
    });
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    let mut inside = 0;
    for (round, pause) in (0..ROUNDS).zip((0..90).cycle().step_by(37)) {
        if inside >= INSIDE && round >= KILLS {
            break;
        }
        let running = relay();
        // a different transaction each time
        until("a transaction", async || count(&running.said(), "begun") > round % 4).await;
        // and a different moment of it, so that some fall while it is being committed
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let said = running.kill();
        inside += count(&said, "begun") - count(&said, "committed");
        // its lease would keep the successor waiting for ten seconds
        sqlx::raw_sql("update leases set until = '-infinity'").execute(&mut owner).await.unwrap();
    }
    assert!(inside >= INSIDE, "only {inside} of {ROUNDS} kills fell inside a transaction");
    for writer in writers {
        writer.kill();
    }
    let head = log.head().await.unwrap().number;
    let _last = relay();
    every_event_is_published_once(&log, &cluster, &topics.events(), head).await;
}

/// A read-committed reader of the topic sees what the log holds up to `head`, as it stands there.
pub(crate) async fn every_event_is_published_once(
    log: &PgLog,
    cluster: &Cluster,
    topic: &str,
    head: u64,
) {
    let published = read(cluster, topic, usize::try_from(head).unwrap()).await;
    let mut appended = Vec::new();
    while let page = log.read(appended.len() as u64, 5_000).await.unwrap()
        && !page.is_empty()
    {
        appended.extend(page);
    }
    assert_eq!(published.len(), appended.len(), "lost or doubled");
    assert!(published == appended, "an event differs from the log");
}

pub(crate) fn count(said: &[String], what: &str) -> usize {
    let what = format!("transaction {what}");
    said.iter().filter(|line| line.contains(&what)).count()
}

/// Everything that a read-committed reader sees, partition by partition in position order, merged.
async fn read(cluster: &Cluster, topic: &str, count: usize) -> Vec<Recorded> {
    let mut source = KafkaSource::new(cluster, "test", topic.to_owned()).unwrap();
    let start = Checkpoint { next_offset: 0, last: None };
    let partitions: Vec<_> = source
        .partitions()
        .await
        .unwrap()
        .into_iter()
        .map(|partition| (partition, start))
        .collect();
    source.assign(&partitions).await.unwrap();
    let mut events = Vec::new();
    let mut reached = std::collections::HashMap::new();
    let mut idle = 0;
    // after the last one expected, a little longer for those that should not come
    while (events.len() < count && idle < 120) || (events.len() >= count && idle < 2) {
        let deliveries = source.poll().await.unwrap();
        idle = if deliveries.is_empty() { idle + 1 } else { 0 };
        for delivery in deliveries {
            let number = delivery.event.position.number;
            let before = reached.insert(delivery.partition, number);
            assert!(before.is_none_or(|before| before < number), "doubled or reordered: {number}");
            events.push(delivery.event);
        }
    }
    events.sort_by_key(|event| event.position.number);
    events
}
