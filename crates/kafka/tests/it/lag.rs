//! While Kafka is away, the lag of who publishes and of who reads grows; afterwards it falls.

use std::time::Duration;

use onenet_devservers::Kafka;
use onenet_eventstore::{Follower, HandleError, Handler, sqlx::PgConnection};
use onenet_kafka::KafkaSource;
use onenet_kernel::Recorded;
use prometheus::{Registry, TextEncoder};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::support::{PARTITIONS, World};

/// Handles everything by doing nothing, once its gate is open.
struct Lagging(watch::Receiver<bool>);

impl Handler for Lagging {
    fn name(&self) -> &'static str {
        "lagging"
    }

    async fn handle(&self, _: &mut PgConnection, _: &Recorded) -> Result<(), HandleError> {
        self.0.clone().wait_for(|open| *open).await.unwrap();
        Ok(())
    }
}

/// Measures this process; for one test, which is why the labels below are its own.
struct Measured(Registry);

impl Measured {
    fn start() -> Self {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone());
        let provider = opentelemetry_sdk::metrics::SdkMeterProvider::builder()
            .with_reader(exporter.build().unwrap())
            .build();
        opentelemetry::global::set_meter_provider(provider);
        Self(registry)
    }

    fn value(&self, name: &str, label: &str) -> f64 {
        let text = TextEncoder::new().encode_to_string(&self.0.gather()).unwrap();
        let line = text.lines().find(|line| line.starts_with(name) && line.contains(label));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(-1.0)
    }

    /// Seconds and positions.
    fn relay(&self) -> (f64, f64) {
        let label = "context=\"lagging\"";
        let of = |unit| self.value(&format!("onenet_relay_lag_{unit}"), label);
        (of("seconds"), of("positions"))
    }

    fn follower(&self) -> (f64, f64) {
        let label = "follower=\"lagging\"";
        let of = |unit| self.value(&format!("onenet_follower_lag_{unit}"), label);
        (of("seconds"), of("positions"))
    }
}

/// Level-triggered, for two minutes at most.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..2_400 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    unreachable!("{what} was not measured");
}

#[tokio::test]
async fn lag_grows_while_kafka_is_away_and_falls_afterwards() {
    let measured = Measured::start();
    let folder = tempfile::tempdir().unwrap();
    let kafka = Kafka::start(folder.path(), &[]).unwrap();
    let mut world = World::on(kafka.bootstrap()).await;
    world.topics.context = "lagging".to_owned();
    world.topics.ensure(&world.cluster, PARTITIONS, &[]).await.unwrap();
    let stop = CancellationToken::new();
    let relay = world.start(&stop);
    let (gate, gated) = watch::channel(true);
    let source = KafkaSource::new(&world.cluster, "henan.lagging", world.topics.events()).unwrap();
    let follower = Follower::new(world.log.db().clone(), source, Lagging(gated));
    let following = tokio::spawn(follower.run(stop.clone()));
    world.append("a", 0).await;
    world.published(2).await;
    until("no lag", || (measured.relay(), measured.follower()) == ((0.0, 0.0), (0.0, 0.0))).await;

    // a handler that hangs: what is published meanwhile is counted, though nothing is read
    gate.send_replace(false);
    world.append("b", 0).await;
    world.append("a", 2).await;
    until("records that wait", || measured.follower().1 >= 4.0).await;
    assert!(measured.follower().0 > 0.0);
    gate.send_replace(true);
    until("no lag of the follower", || measured.follower() == (0.0, 0.0)).await;
    assert_eq!(measured.relay(), (0.0, 0.0));

    kafka.kill();
    world.append("a", 4).await;
    world.append("b", 2).await;
    until("events that wait", || measured.relay().1 >= 4.0 && measured.relay().0 > 5.0).await;
    until("a topic that cannot be read", || measured.follower().0 > 1.0).await;
    let (relay_before, follower_before) = (measured.relay().0, measured.follower().0);
    until("growth", || {
        measured.relay().0 > relay_before + 1.0 && measured.follower().0 > follower_before + 1.0
    })
    .await;

    let _kafka = Kafka::start(folder.path(), &[]).unwrap();
    until("no lag", || (measured.relay(), measured.follower()) == ((0.0, 0.0), (0.0, 0.0))).await;
    world.assert_published().await;
    stop.cancel();
    relay.await.unwrap().unwrap();
    following.await.unwrap().unwrap();
}
