//! A topic as a source of followers: its contract, and what stops a follower.

use std::time::Duration;

use onenet_eventstore::{
    Follower, FollowerError, Source as _, sqlx, testing::sources::SourceSuite,
};
use onenet_kafka::{Cluster, KafkaSource};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{Nothing, World};

fn follow(world: &World, stop: &CancellationToken) -> JoinHandle<Result<(), FollowerError>> {
    let source = KafkaSource::new(&world.cluster, "copy", world.topics.events()).unwrap();
    tokio::spawn(Follower::new(world.log.db().clone(), source, Nothing).run(stop.clone()))
}

#[tokio::test]
async fn a_topic_keeps_the_contract_of_sources() {
    let world = World::new().await;
    let stop_relay = CancellationToken::new();
    let relay = world.start(&stop_relay);
    let suite = SourceSuite { scratch: &world.scratch, schema: "ledger", log: &world.log };
    let make = || async { Ok(KafkaSource::new(&world.cluster, "suite", world.topics.events())?) };
    suite.run(make).await.unwrap();
    stop_relay.cancel();
    relay.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_offset_that_the_topic_does_not_hold_stops_the_follower() {
    let world = World::new().await;
    let mut owner = world.scratch.owner("ledger").await.unwrap();
    sqlx::query(
        "insert into checkpoints (follower, source, partition, owner, epoch, until, next_offset)
         values ('copy', $1, 0, gen_random_uuid(), 1, '-infinity', 99)",
    )
    .bind(world.topics.events())
    .execute(&mut owner)
    .await
    .unwrap();
    let stopped = follow(&world, &CancellationToken::new()).await.unwrap();
    assert!(matches!(stopped, Err(FollowerError::Broken { .. })), "{stopped:?}");
}

#[tokio::test]
async fn a_kafka_that_is_away_holds_no_thread_of_the_process() {
    let cluster = Cluster::plain("127.0.0.1:1");
    let mut source = KafkaSource::new(&cluster, "copy", "away".to_owned()).unwrap();
    // on this runtime's one thread a question that blocks would be answered before the time is up
    let asked = tokio::time::timeout(Duration::from_millis(200), source.partitions()).await;
    assert!(asked.is_err(), "answered: {asked:?}");
}
