//! Each event of the log is on its topic once, in order, whatever stops the relay.

use onenet_kafka::{Record, Relay, Topics, encode};
use onenet_kernel::Recorded;
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

fn twice(topics: &Topics, event: &Recorded) -> Vec<Record> {
    vec![encode(topics, event), encode(topics, event)]
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
