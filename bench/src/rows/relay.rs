use std::time::Duration;

use anyhow::{Result, ensure};
use futures::stream::{FuturesUnordered, TryStreamExt as _};
use onenet_eventstore::{PgLog, testing::Scratch};
use onenet_kafka::{Cluster, Record, Relay, Topics, events_only, relay_status};
use rdkafka::{
    ClientConfig,
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};
use tokio_util::sync::CancellationToken;

use super::{filled::fill, new_name};
use crate::{
    Bar, Bench, Figure,
    contest::{Turn, contest},
};

const SCHEMA: &str = "bench";
const EVENTS: u64 = 300_000;
pub(super) const PARTITIONS: i32 = 12;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A backlog is published, from the relay's start until all of it is acknowledged.
pub(super) async fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let scratch = Scratch::create(&bench.postgres).await?;
    let log = scratch.log(SCHEMA, &[]).await?;
    let behind = bench.events(EVENTS);
    fill(&mut scratch.owner(SCHEMA).await?, behind).await?;
    let cluster = Cluster::plain(bench.kafka.clone());
    let ours = async || {
        let topics = new_topics(&cluster).await?;
        Turn::of(publish(&log, &cluster, &topics)).await
    };
    let theirs = async || {
        let topics = new_topics(&cluster).await?;
        let events = log.read(0, u32::try_from(behind)?).await?;
        let records: Result<Vec<Vec<Record>>, _> =
            events.iter().map(|event| events_only(&topics, event)).collect();
        Turn::of(produce(&bench.kafka, records?.concat())).await
    };
    let case = format!("{behind} events behind");
    let figure = contest(bench, case, ("onenet", ours), ("producer", theirs)).await?;
    Ok(vec![figure.with(Bar::AtLeast(0.6, 0.9))])
}

/// Topics for one turn.
pub(super) async fn new_topics(cluster: &Cluster) -> Result<Topics> {
    let topics = Topics {
        prefix: format!("{}.", new_name("bench")),
        node: "bench".to_owned(),
        context: "ledger".to_owned(),
    };
    topics.ensure(cluster, PARTITIONS, &[]).await?;
    Ok(topics)
}

/// A relay of the log.
pub(super) fn relay(log: &PgLog, cluster: &Cluster, topics: &Topics) -> Relay {
    Relay {
        log: log.clone(),
        cluster: cluster.clone(),
        topics: topics.clone(),
        mapping: events_only,
        span: |_| tracing::Span::none(),
    }
}

async fn publish(log: &PgLog, cluster: &Cluster, topics: &Topics) -> Result<u64> {
    let stop = CancellationToken::new();
    let running = tokio::spawn(relay(log, cluster, topics).run(stop.clone()));
    // a broker does not lead new partitions at once, and cannot be asked before it does
    let has_published =
        async || relay_status(log, cluster, topics).await.is_ok_and(|it| it.published.is_some());
    // once it leads, it ends when everything is published that was appended before it was asked to stop
    while !has_published().await {
        ensure!(!running.is_finished(), "the relay ended before it had published anything");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    stop.cancel();
    running.await??;
    let left = relay_status(log, cluster, topics).await?.lag();
    ensure!(left == 0, "the relay ended with {left} events unpublished");
    Ok(log.head().await?.number)
}

async fn produce(brokers: &str, records: Vec<Record>) -> Result<u64> {
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("linger.ms", "5")
        .set("queue.buffering.max.messages", "1000000")
        .create()?;
    let sent: FuturesUnordered<_> = records.iter().map(|record| send(&producer, record)).collect();
    sent.try_fold(0, |all, ()| async move { Ok(all + 1) }).await
}

async fn send(producer: &FutureProducer, record: &Record) -> Result<()> {
    let headers = record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
        headers.insert(Header { key, value: Some(value) })
    });
    let to = FutureRecord::to(&record.topic).key(&record.key).headers(headers);
    let value = record.value.as_deref().unwrap_or_default();
    let sent = producer.send(to.payload(value), Duration::from_mins(1)).await;
    sent.map(drop).map_err(|(error, _)| error.into())
}
