//! Looking after a relay from outside, while it runs.

use onenet_kafka::{Beside, Record, Relay, Topics, encode, read_topic, relay_status, republish};
use onenet_kernel::{Corrupt, Recorded};
use tokio_util::sync::CancellationToken;

use crate::support::{PARTITIONS, World};

const STATE: Beside = Beside::State("state");

/// Each event, and the version of its stream as the state of its subject.
#[expect(clippy::unnecessary_wraps, reason = "a mapping may refuse; this one has no reason to")]
fn with_state(topics: &Topics, event: &Recorded) -> Result<Vec<Record>, Corrupt> {
    let state = Record {
        topic: topics.beside("state"),
        key: event.key.subject.clone(),
        headers: Vec::new(),
        value: Some(event.version.to_string().into()),
    };
    Ok(vec![encode(topics, event), state])
}

#[tokio::test]
async fn the_newest_state_of_each_key_is_written_again_beside_a_running_relay() {
    let world = World::new().await;
    world.topics.ensure(&world.cluster, PARTITIONS, &[STATE]).await.unwrap();
    let status = async || relay_status(&world.log, &world.cluster, &world.topics).await.unwrap();
    world.append("a", 0).await;
    let before = status().await;
    assert_eq!((before.published, before.lag()), (None, 2));

    let stop = CancellationToken::new();
    let relay = Relay { mapping: with_state, ..world.relay() };
    let running = tokio::spawn(relay.run(stop.clone()));
    world.append("a", 2).await;
    world.append("b", 0).await;
    world.published(6).await;
    for _ in 0..500 {
        if status().await.lag() == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(status().await.lag(), 0);

    let (log, cluster, topics) = (&world.log, &world.cluster, &world.topics);
    let count = republish(log, cluster, topics, with_state, &[STATE]).await.unwrap();
    assert_eq!(count, 2, "one for each key");
    let topic = topics.beside("state");
    let newest = |key: &str, records: &[onenet_kafka::ReadRecord]| {
        let of_key = records.iter().rfind(|record| record.key == key).unwrap();
        String::from_utf8(of_key.value.clone().unwrap().to_vec()).unwrap()
    };
    let records = read_topic(cluster, &topic).await.unwrap();
    assert_eq!(records.len(), 8, "six that were published, and two again");
    assert_eq!((newest("a", &records), newest("b", &records)), ("4".to_owned(), "2".to_owned()));

    // the relay that was displaced goes on by itself
    world.append("b", 2).await;
    world.published(8).await;
    world.assert_published().await;
    stop.cancel();
    running.await.unwrap().unwrap();
}
