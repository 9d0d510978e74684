use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use onenet_eventstore::{
    PgLog,
    testing::{Scratch, cause, event, new_id},
};
use onenet_kafka::{Cluster, Topics};
use onenet_kernel::{EventStore as _, StreamId, Version};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::relay::{PARTITIONS, new_topics, relay};
use crate::{
    Bar, Bench, Figure, PAYLOAD,
    latency::{Latencies, schedule},
};

const PER_SECOND: u32 = 1_000;
/// Not counted: a broker that has just started answers more slowly than one that has run for a while.
const WARM_UP: u64 = 5_000;
const EVENTS: u64 = 10_000;
const WITHIN: Duration = Duration::from_mins(1);

/// Events at a steady rate, each from the moment it was meant to be appended at until a consumer has it that
/// reads committed transactions only.
pub(super) async fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let scratch = Scratch::create(&bench.postgres).await?;
    let log = scratch.log("bench", &[]).await?;
    let cluster = Cluster::plain(bench.kafka.clone());
    let topics = new_topics(&cluster).await?;
    let consumer = consumer(&bench.kafka, &topics)?;
    let stop = CancellationToken::new();
    let relaying = tokio::spawn(relay(&log, &cluster, &topics).run(stop.clone()));
    append(&log, 0).await?;
    receive(&consumer).await?;

    let (warm_up, events) = (bench.at_most(WARM_UP), bench.at_most(EVENTS));
    let times: Vec<Instant> = schedule(PER_SECOND, u32::try_from(warm_up + events)?).collect();
    let appending = try_join_all(times.iter().zip(0..).map(async |(at, number)| {
        tokio::time::sleep_until(*at).await;
        append(&log, number).await
    }));
    let reading = async {
        let mut latencies = Latencies::new()?;
        for _ in 0..times.len() {
            let number = receive(&consumer).await?;
            let at = times.get(number).context("an event that nobody appended")?;
            if number as u64 >= warm_up {
                latencies.note(at.elapsed());
            }
        }
        anyhow::Ok(latencies)
    };
    let (_, latencies) = tokio::try_join!(appending, reading)?;
    stop.cancel();
    relaying.await??;
    let load = format!("{PER_SECOND} events/s, {events} of them");
    let figure = Figure::latency("append to consumer", load, latencies.quantiles());
    Ok(vec![figure.with(Bar::Within(100.0, 40.0))])
}

/// An event that says its number.
async fn append(log: &PgLog, number: u32) -> Result<()> {
    let id = new_id();
    let numbered = event(&id.to_string(), &format!("{number:0PAYLOAD$}"));
    let stream = StreamId::new("bench", &id.to_string());
    log.append(&stream, Version::NONE, &cause(id), vec![numbered]).await?;
    Ok(())
}

fn consumer(brokers: &str, topics: &Topics) -> Result<StreamConsumer> {
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "bench")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "10")
        .create()?;
    let mut all = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        all.add_partition_offset(&topics.events(), partition, Offset::Beginning)?;
    }
    consumer.assign(&all)?;
    Ok(consumer)
}

async fn receive(consumer: &StreamConsumer) -> Result<usize> {
    let message =
        tokio::time::timeout(WITHIN, consumer.recv()).await.context("nothing comes")??;
    let payload = message.payload().unwrap_or_default();
    ensure!(payload.len() == PAYLOAD, "not an event of this benchmark");
    Ok(std::str::from_utf8(payload)?.parse()?)
}
