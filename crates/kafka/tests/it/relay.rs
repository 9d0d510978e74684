//! Each event of the log is on its topic once, in order, whatever stops the relay.

use std::time::Duration;

use onenet_eventstore::{Db, PgLog, sqlx, testing::half_open::strandable};
use onenet_kafka::{Cluster, Record, Relay, Topics, encode};
use onenet_kernel::{Corrupt, Recorded};
use rdkafka::{
    ClientConfig,
    producer::{BaseProducer, BaseRecord, Producer as _},
};
use tokio_util::sync::CancellationToken;

use crate::support::World;

#[tokio::test]
async fn every_event_is_published_once_through_stops_and_restarts() {
    let world = World::new().await;
    for round in 0_u64..3 {
        let stop = CancellationToken::new();
        let running = world.start(&stop);
        for subject in 0..40 {
            world.append(&format!("s{subject}"), round * 2).await;
        }
        world.published(usize::try_from((round + 1) * 80).unwrap()).await;
        stop.cancel();
        running.await.unwrap().unwrap();
    }
    world.assert_published().await;
}

#[tokio::test]
async fn a_relay_goes_on_after_its_connections_to_the_log_say_nothing_more() {
    let world = World::new().await;
    let (settings, strand) = strandable(world.scratch.settings("ledger")).await.unwrap();
    let log = PgLog::open(Db::connect(&settings).await.unwrap()).await.unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(Relay { log, ..world.relay() }.run(stop.clone()));
    world.append("s", 0).await;
    world.published(2).await;
    strand.send(()).unwrap();
    world.append("s", 2).await;
    world.published(4).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    world.assert_published().await;
}

async fn has_the_lease(world: &World) {
    let mut owner = world.scratch.owner("ledger").await.unwrap();
    let holds = "select exists (select from leases where until > clock_timestamp())";
    while !sqlx::query_scalar::<_, bool>(holds).fetch_one(&mut owner).await.unwrap() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_relay_that_is_to_stop_publishes_what_waits_and_one_without_the_lease_ends_at_once() {
    let world = World::new().await;
    for subject in 0..40 {
        world.append(&format!("s{subject}"), 0).await;
    }
    let (stop, stop_other) = (CancellationToken::new(), CancellationToken::new());
    let running = world.start(&stop);
    has_the_lease(&world).await;
    // nothing can have been published yet: the producer is still being opened
    stop.cancel();
    let other = world.start(&stop_other);
    stop_other.cancel();
    other.await.unwrap().unwrap();
    running.await.unwrap().unwrap();
    world.assert_published().await;
}

/// Kafka is away: what waits stays in the log, and the process may end.
#[test]
fn a_relay_that_cannot_publish_ends_within_its_limit() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let waited = runtime.block_on(async {
        let world = World::new().await;
        world.append("s", 0).await;
        let stop = CancellationToken::new();
        let relay = world.relay();
        let bootstrap = "127.0.0.1:1".to_owned();
        let cluster = Cluster { bootstrap, ..relay.cluster.clone() };
        let running = tokio::spawn(Relay { cluster, ..relay }.run(stop.clone()));
        has_the_lease(&world).await;
        let asked_at = tokio::time::Instant::now();
        stop.cancel();
        running.await.unwrap().unwrap();
        asked_at.elapsed()
    });
    // its client may still be asking
    runtime.shutdown_background();
    assert!(waited < Duration::from_secs(15), "{waited:?}");
}

#[tokio::test]
async fn two_relays_at_once_publish_each_event_once() {
    let world = World::new().await;
    let stop = CancellationToken::new();
    let running = [world.start(&stop), world.start(&stop)];
    for subject in 0..50 {
        world.append(&format!("s{subject}"), 0).await;
    }
    world.assert_published().await;
    stop.cancel();
    for relay in running {
        relay.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn relays_that_both_believe_in_their_lease_publish_each_event_once() {
    let world = World::new().await;
    let stop = CancellationToken::new();
    let running = [world.start(&stop), world.start(&stop)];
    let mut owner = world.scratch.owner("ledger").await.unwrap();
    for subject in 0..160 {
        world.append(&format!("s{subject}"), 0).await;
        // whoever asks next gets it; the other hears of that only when it renews
        sqlx::query("update leases set until = '-infinity'").execute(&mut owner).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.assert_published().await;
    stop.cancel();
    for relay in running {
        relay.await.unwrap().unwrap();
    }
}

/// A producer of the relay's own name takes over inside its own transaction.
fn take_over(world: &World) -> BaseProducer {
    let rival: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &world.cluster.bootstrap)
        .set("transactional.id", world.topics.transactional_id(world.log.log_id()))
        .create()
        .unwrap();
    let within = Duration::from_secs(10);
    rival.init_transactions(within).unwrap();
    rival.begin_transaction().unwrap();
    rival.send(BaseRecord::to(&world.topics.events()).key("s").payload("no event")).unwrap();
    rival.flush(within).unwrap();
    rival
}

/// A relay that gave its lease up asks for it again three seconds later.
async fn gave_its_lease_up(world: &World) -> bool {
    let mut owner = world.scratch.owner("ledger").await.unwrap();
    let is_free = "select until < clock_timestamp() from leases";
    for _ in 0..500 {
        if sqlx::query_scalar(is_free).fetch_one(&mut owner).await.unwrap() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fenced_relay_wins_its_lease_again_and_ends_what_its_rival_left_open() {
    let world = World::new().await;
    let stop = CancellationToken::new();
    let running = world.start(&stop);
    world.append("before", 0).await;
    world.published(2).await;
    let rival = tokio::task::block_in_place(|| take_over(&world));
    world.append("after", 0).await;
    assert!(gave_its_lease_up(&world).await, "the relay fenced its rival in turn");
    world.assert_published().await;
    let committed =
        tokio::task::block_in_place(|| rival.commit_transaction(Duration::from_secs(10)));
    assert!(committed.is_err(), "the rival was not fenced");
    world.assert_published().await;
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a mapping")]
fn twice(topics: &Topics, event: &Recorded) -> Result<Vec<Record>, Corrupt> {
    Ok(vec![encode(topics, event), encode(topics, event)])
}

#[tokio::test]
async fn an_event_may_become_several_records_of_one_transaction() {
    let world = World::new().await;
    let stop = CancellationToken::new();
    let relay = Relay { mapping: twice, ..world.relay() };
    let running = tokio::spawn(relay.run(stop.clone()));
    world.append("s", 0).await;
    let records: Vec<_> = world.published(4).await.into_iter().flatten().collect();
    let positions: Vec<_> = records.iter().map(|record| record.position.number).collect();
    assert_eq!(positions, [1, 1, 2, 2]);
    stop.cancel();
    running.await.unwrap().unwrap();
}
