use std::time::Duration;

use onenet_eventstore::{
    HandleError, Handler, PgLog,
    sqlx::PgConnection,
    testing::{Scratch, cause, event, new_id},
};
use onenet_kafka::{Cluster, Relay, RelayError, Topics, decode, events_only};
use onenet_kernel::{EventStore as _, Recorded, StreamId, Version};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    message::Headers as _,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const PARTITIONS: i32 = 3;

/// A log in a database of its own, and topics of its own.
pub(crate) struct World {
    pub(crate) scratch: Scratch,
    pub(crate) log: PgLog,
    pub(crate) cluster: Cluster,
    pub(crate) topics: Topics,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::on(onenet_devservers::shared_kafka().unwrap().to_owned()).await
    }

    pub(crate) async fn on(bootstrap: String) -> Self {
        let scratch = Scratch::create(onenet_devservers::shared_postgres().unwrap()).await.unwrap();
        let log = scratch.log("ledger", &[]).await.unwrap();
        let cluster = Cluster::plain(bootstrap);
        let topics = Topics {
            prefix: format!("t{}.", new_id().simple()),
            node: "henan".to_owned(),
            context: "ledger".to_owned(),
        };
        topics.ensure(&cluster, PARTITIONS, &[]).await.unwrap();
        Self { scratch, log, cluster, topics }
    }

    pub(crate) fn relay(&self) -> Relay {
        Relay {
            log: self.log.clone(),
            cluster: self.cluster.clone(),
            topics: self.topics.clone(),
            mapping: events_only,
            span: |_| tracing::Span::none(),
        }
    }

    pub(crate) fn start(&self, stop: &CancellationToken) -> JoinHandle<Result<(), RelayError>> {
        tokio::spawn(self.relay().run(stop.clone()))
    }

    /// Two events on the stream of `subject`, which stands at `version`.
    pub(crate) async fn append(&self, subject: &str, version: u64) {
        let event = event(subject, "x");
        let cause = cause(new_id());
        let stream = StreamId::new("account", subject);
        let events = vec![event.clone(), event];
        self.log.append(&stream, Version(version), &cause, events).await.unwrap();
    }

    /// What a read-committed consumer sees of the event topic, per partition in offset order, once
    /// `count` events are there; at most a minute.
    pub(crate) async fn published(&self, count: usize) -> Vec<Vec<Recorded>> {
        let (bootstrap, topic) = (self.cluster.bootstrap.clone(), self.topics.events());
        tokio::task::spawn_blocking(move || consume(&bootstrap, &topic, count)).await.unwrap()
    }

    /// Each event of the log is on the topic once, and each partition is in position order.
    pub(crate) async fn assert_published(&self) {
        let head = self.log.head().await.unwrap().number;
        let partitions = self.published(usize::try_from(head).unwrap()).await;
        for partition in &partitions {
            assert!(partition.is_sorted_by_key(|event| event.position.number), "reordered");
        }
        let mut all: Vec<Recorded> = partitions.into_iter().flatten().collect();
        all.sort_by_key(|event| event.position.number);
        let log = self.log.read(0, 1_000_000).await.unwrap();
        assert_eq!(all.len(), log.len(), "lost or doubled");
        assert_eq!(all, log, "every column travels");
    }
}

fn consume(bootstrap: &str, topic: &str, count: usize) -> Vec<Vec<Recorded>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "test")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let mut assignment = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        assignment.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&assignment).unwrap();
    let mut partitions = vec![Vec::new(); usize::try_from(PARTITIONS).unwrap()];
    let mut seen = 0;
    // after the last one expected, a little longer for those that should not come
    let mut idle = 0;
    while (seen < count && idle < 60) || (seen >= count && idle < 1) {
        let Some(message) = consumer.poll(Duration::from_secs(1)) else {
            idle += 1;
            continue;
        };
        let message = message.unwrap();
        let headers = message.headers().unwrap();
        let headers = headers
            .iter()
            .map(|header| (header.key, std::str::from_utf8(header.value.unwrap()).unwrap()));
        let value = message.payload().unwrap().to_vec().into();
        let event = decode(headers, value).unwrap();
        partitions[usize::try_from(message.partition()).unwrap()].push(event);
        seen += 1;
    }
    partitions
}

/// Handles everything by doing nothing.
pub(crate) struct Nothing;

impl Handler for Nothing {
    fn name(&self) -> &'static str {
        "copy"
    }

    async fn handle(&self, _: &mut PgConnection, _: &Recorded) -> Result<(), HandleError> {
        Ok(())
    }
}
