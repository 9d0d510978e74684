//! What Kafka forgets of a producer that is quiet does not matter: the checkpoint is a record.

use std::time::Duration;

use onenet_devservers::Kafka;
use tokio_util::sync::CancellationToken;

use crate::support::World;

/// What Kafka keeps of a quiet producer, and of segments, goes after two seconds; in production it is
/// days. Offsets of consumer groups are not among it: the relay has none.
const FORGETFUL: [(&str, &str); 7] = [
    ("transactional.id.expiration.ms", "2000"),
    ("transaction.remove.expired.transaction.cleanup.interval.ms", "500"),
    ("producer.id.expiration.ms", "2000"),
    ("producer.id.expiration.check.interval.ms", "500"),
    ("log.retention.check.interval.ms", "500"),
    ("log.roll.ms", "1000"),
    ("log.retention.ms", "2000"),
];

#[tokio::test]
async fn a_relay_goes_on_after_everything_about_it_was_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let kafka = Kafka::start(folder.path(), &FORGETFUL).unwrap();
    let world = World::on(kafka.bootstrap()).await;
    let stop = CancellationToken::new();
    let running = world.start(&stop);
    world.append("before", 0).await;
    world.published(2).await;
    // the time that passes is what is tested: three times what anything is kept
    tokio::time::sleep(Duration::from_secs(6)).await;
    world.append("while it ran", 0).await;
    world.published(4).await;
    stop.cancel();
    running.await.unwrap().unwrap();

    tokio::time::sleep(Duration::from_secs(6)).await;
    world.append("while it was stopped", 0).await;
    let stop = CancellationToken::new();
    let running = world.start(&stop);
    world.assert_published().await;
    stop.cancel();
    running.await.unwrap().unwrap();
}
