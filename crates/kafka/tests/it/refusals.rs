//! A relay whose topic contradicts its log stops, says why, and publishes nothing.

use std::time::Duration;

use onenet_kafka::{Record, Relay, RelayError, TopicError, Topics, encode};
use onenet_kernel::{Corrupt, Recorded};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    producer::{FutureProducer, FutureRecord},
};
use tokio_util::sync::CancellationToken;

use crate::support::World;

/// Two events, published; then the relay has stopped.
async fn published() -> World {
    let world = World::new().await;
    world.append("s", 0).await;
    let stop = CancellationToken::new();
    let running = world.start(&stop);
    world.published(2).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    world
}

async fn refusal(world: &World) -> String {
    world.append("later", 0).await;
    let stopped = Box::pin(world.relay().run(CancellationToken::new())).await;
    let Err(error @ RelayError::Contradiction { .. }) = stopped else {
        unreachable!("the relay went on");
    };
    assert_eq!(world.published(2).await.into_iter().flatten().count(), 2, "nothing was published");
    error.to_string()
}

async fn as_owner(world: &World, statement: &'static str) {
    use onenet_eventstore::sqlx;
    let mut owner = world.scratch.owner("ledger").await.unwrap();
    sqlx::raw_sql(statement).execute(&mut owner).await.unwrap();
}

#[tokio::test]
async fn a_topic_with_records_and_no_checkpoint() {
    let world = published().await;
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &world.cluster.bootstrap).create().unwrap();
    let checkpoint = world.topics.checkpoint();
    admin.delete_topics(&[&checkpoint], &AdminOptions::new()).await.unwrap();
    // the name is free again a moment after the answer
    let mut outcome = world.topics.ensure(&world.cluster, crate::support::PARTITIONS, &[]).await;
    for _ in 0..100 {
        if outcome.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        outcome = world.topics.ensure(&world.cluster, crate::support::PARTITIONS, &[]).await;
    }
    outcome.unwrap();
    let said = refusal(&world).await;
    assert!(said.contains("there is no checkpoint, but"), "{said}");
    assert!(said.contains("has published nothing"), "{said}");
}

#[tokio::test]
async fn a_log_that_was_restored_to_before_the_checkpoint() {
    let world = published().await;
    as_owner(
        &world,
        "alter table events disable trigger user; delete from events where position = 2;
         alter table events enable trigger user",
    )
    .await;
    let stopped = Box::pin(world.relay().run(CancellationToken::new())).await;
    assert!(stopped.unwrap_err().to_string().contains("lies beyond the log's end"));
}

#[tokio::test]
async fn another_event_at_the_published_position() {
    let world = published().await;
    as_owner(
        &world,
        "alter table events disable trigger user;
         update events set event_id = gen_random_uuid() where position = 2;
         alter table events enable trigger user",
    )
    .await;
    assert!(refusal(&world).await.contains("was published at position 2"));
}

#[tokio::test]
async fn an_event_of_another_epoch_at_the_published_position() {
    let world = published().await;
    as_owner(
        &world,
        "alter table events disable trigger user; update events set epoch = 2 where position = 2;
         alter table events enable trigger user",
    )
    .await;
    assert!(refusal(&world).await.contains("is of another epoch"));
}

#[tokio::test]
async fn another_log() {
    let world = published().await;
    let elsewhere = World::new().await;
    let relay = Relay { log: elsewhere.log, ..world.relay() };
    let stopped = relay.run(CancellationToken::new()).await;
    assert!(stopped.unwrap_err().to_string().contains("is another log's"));
    assert_eq!(world.published(2).await.into_iter().flatten().count(), 2, "nothing was published");
}

/// Knows what to make of every event but the third.
fn all_but_the_third(topics: &Topics, event: &Recorded) -> Result<Vec<Record>, Corrupt> {
    if event.position.number == 3 {
        return Err(Corrupt::new(&event.event_type, "says nothing"));
    }
    Ok(vec![encode(topics, event)])
}

#[tokio::test]
async fn an_event_that_does_not_say_what_it_makes_public() {
    let world = World::new().await;
    world.append("s", 0).await;
    world.append("t", 0).await;
    let relay = || Relay { mapping: all_but_the_third, ..world.relay() };
    for _restarted in [false, true] {
        let stopped = relay().run(CancellationToken::new()).await;
        let Err(RelayError::Unmappable { position, source, .. }) = stopped else {
            unreachable!("{stopped:?}");
        };
        assert_eq!((position.number, source.reason.as_str()), (3, "says nothing"));
        let published = world.published(2).await.into_iter().flatten();
        let positions: Vec<_> = published.map(|event| event.position.number).collect();
        assert_eq!(positions, [1, 2], "what stands before it is published, once");
    }
    // a program that can read it goes on from there
    let stop = CancellationToken::new();
    let running = world.start(&stop);
    world.assert_published().await;
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_topic_that_needs_more_copies_in_step_than_it_has() {
    let world = World::new().await;
    let topics =
        Topics { prefix: format!("{}insync.", world.topics.prefix), ..world.topics.clone() };
    let missing = topics.check(&world.cluster, crate::support::PARTITIONS, &[]).await.unwrap_err();
    assert!(missing.to_string().contains("partitions is 0"), "{missing}");
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &world.cluster.bootstrap).create().unwrap();
    let (name, copies) = (topics.events(), TopicReplication::Fixed(1));
    let topic = NewTopic::new(&name, crate::support::PARTITIONS, copies)
        .set("message.timestamp.type", "LogAppendTime")
        .set("retention.ms", "-1")
        .set("retention.bytes", "-1")
        .set("min.insync.replicas", "2");
    admin.create_topics(&[topic], &AdminOptions::new()).await.unwrap();
    let ensured = topics.ensure(&world.cluster, crate::support::PARTITIONS, &[]).await;
    let differs = ensured.unwrap_err();
    let TopicError::Differs { setting, actual, .. } = &differs else { unreachable!("{differs:?}") };
    assert_eq!((*setting, actual.as_str()), ("min.insync.replicas", "2"));
    let checked = topics.check(&world.cluster, crate::support::PARTITIONS, &[]).await;
    assert_eq!(checked.unwrap_err().to_string(), differs.to_string());
    world.topics.check(&world.cluster, crate::support::PARTITIONS, &[]).await.unwrap();
}

#[tokio::test]
async fn a_topic_that_is_not_what_the_contract_says() {
    let world = World::new().await;
    let differs = world.topics.ensure(&world.cluster, 7, &[]).await.unwrap_err();
    let TopicError::Differs { setting, actual, needed, .. } = &differs else {
        unreachable!("{differs:?}");
    };
    assert_eq!((*setting, actual.as_str(), needed.as_str()), ("partitions", "3", "7"));
    let elsewhere = Topics { prefix: "elsewhere.".to_owned(), ..world.topics.clone() };
    assert_ne!(elsewhere.events(), world.topics.events());
}

/// A relay's client stamps what it publishes with its machine's time; the broker is to go by its own.
#[tokio::test]
async fn what_a_machine_publishes_whose_clock_is_hours_ahead_is_taken() {
    const HOURS: Duration = Duration::from_hours(2);
    let world = World::new().await;
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", &world.cluster.bootstrap)
        .set("message.timeout.ms", "10000")
        .create()
        .unwrap();
    let ahead = std::time::UNIX_EPOCH.elapsed().unwrap() + HOURS;
    let (topic, ahead) = (world.topics.events(), i64::try_from(ahead.as_millis()).unwrap());
    let record = FutureRecord::<str, str>::to(&topic).partition(0).payload("x").timestamp(ahead);
    producer.send(record, Duration::ZERO).await.unwrap();
}
