//! What others do to a topic: a transaction that hangs, a topic that is made anew, history that is cut.

use std::time::{Duration, Instant};

use onenet_eventstore::{Checkpoint, Follower, FollowerError, Source as _, SourceError, sqlx};
use onenet_kafka::KafkaSource;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
    producer::{BaseProducer, BaseRecord, Producer as _},
};
use tokio_util::sync::CancellationToken;

use crate::{
    recover::{delete_topic, publish},
    support::{Nothing, PARTITIONS, World},
};

const ASK_WITHIN: Duration = Duration::from_secs(30);
const EVENTS: usize = 20;
/// Events are on their way within a minute.
const TRIES: usize = 120;

async fn append(world: &World) {
    for n in 0..EVENTS / 2 {
        world.append(&n.to_string(), 0).await;
    }
}

/// A reader of the whole topic from its beginning.
async fn reader(world: &World) -> KafkaSource {
    let mut source = KafkaSource::new(&world.cluster, "copy", world.topics.events()).unwrap();
    let start = Checkpoint { next_offset: 0, last: None };
    let partitions: Vec<_> = (0..PARTITIONS).map(|partition| (partition, start)).collect();
    source.assign(&partitions).await.unwrap();
    source
}

/// A transaction over every partition of the topic, of somebody who may write here and does not go on: brokers
/// end it when its time is over.
async fn hang(world: &World) -> BaseProducer {
    let (bootstrap, topic) = (world.cluster.bootstrap.clone(), world.topics.events());
    let hanging: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("transactional.id", format!("hanging.{topic}"))
        .set("transaction.timeout.ms", "5000")
        .create()
        .unwrap();
    tokio::task::spawn_blocking(move || {
        hanging.init_transactions(ASK_WITHIN).unwrap();
        hanging.begin_transaction().unwrap();
        for partition in 0..PARTITIONS {
            let record = BaseRecord::<str, str>::to(&topic).partition(partition).payload("nothing");
            hanging.send(record).map_err(|(error, _)| error).unwrap();
        }
        hanging.flush(ASK_WITHIN).unwrap();
        hanging
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn readers_wait_behind_a_hanging_transaction_and_then_miss_nothing() {
    let world = World::new().await;
    let hanging = hang(&world).await;
    let hangs_since = Instant::now();
    append(&world).await;
    let stop = CancellationToken::new();
    let relay = world.start(&stop);
    let mut source = reader(&world).await;
    let mut seen = Vec::new();
    for _ in 0..TRIES {
        if seen.len() >= EVENTS {
            break;
        }
        // in front of its end nothing is shown, and what never was committed never is
        let shown = source.poll().await.unwrap();
        if hangs_since.elapsed() < Duration::from_secs(4) {
            assert!(shown.is_empty(), "shown past an open transaction");
        }
        seen.extend(shown);
    }
    assert_eq!(seen.len(), EVENTS);
    world.assert_published().await;
    stop.cancel();
    relay.await.unwrap().unwrap();
    drop(hanging);
}

#[tokio::test]
async fn a_topic_that_is_made_anew_stops_the_follower_that_reads_it() {
    let world = World::new().await;
    append(&world).await;
    publish(&world, EVENTS).await;
    let source = KafkaSource::new(&world.cluster, "copy", world.topics.events()).unwrap();
    let follower = Follower::new(world.log.db().clone(), source, Nothing);
    let following = tokio::spawn(follower.run(CancellationToken::new()));
    let mut handled = 0_i64;
    for _ in 0..TRIES {
        let reached = sqlx::query_scalar(
            "select coalesce(sum(next_offset), 0)::bigint from checkpoints where follower = 'copy'",
        );
        handled = reached.fetch_one(&mut *world.log.db().reader().await.unwrap()).await.unwrap();
        if handled >= i64::try_from(EVENTS).unwrap() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(handled >= i64::try_from(EVENTS).unwrap(), "{handled}");
    delete_topic(&world, world.topics.events()).await;
    let stopped = tokio::time::timeout(Duration::from_mins(1), following).await.unwrap().unwrap();
    assert!(matches!(stopped, Err(FollowerError::Broken { .. })), "{stopped:?}");
}

#[tokio::test]
async fn history_that_is_cut_under_a_reader_is_not_skipped() {
    let world = World::new().await;
    let hanging = hang(&world).await;
    // checked where it begins, and not shown what is cut away before it was committed
    let mut source = reader(&world).await;
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &world.cluster.bootstrap).create().unwrap();
    let mut cut = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        cut.add_partition_offset(&world.topics.events(), partition, Offset::End).unwrap();
    }
    admin.delete_records(&cut, &AdminOptions::new()).await.unwrap();
    let mut outcome = Ok(Vec::new());
    for _ in 0..TRIES {
        outcome = source.poll().await;
        if outcome.is_err() {
            break;
        }
    }
    assert!(matches!(outcome, Err(SourceError::Broken(_))), "{outcome:?}");
    drop(hanging);
}
