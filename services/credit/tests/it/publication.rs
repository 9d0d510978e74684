//! What stands on the topics of credit.

use std::time::Duration;

use onenet_chassis::testing::elsewhere;
use onenet_kernel::Issuer;
use onenet_proto::{
    common::v1::Position,
    credit::v1::{
        BlacklistRecord, CreditCaseState, ListingOutcome, NothingInForce, RemovalReason,
        SubjectListed, blacklist_record::State,
    },
};
use prost::Message as _;
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    message::Headers as _,
};

use crate::{
    steps::decision,
    support::{World, effect, organ, subject},
};

#[tokio::test]
async fn the_whole_history_stays_inside_and_decided_facts_go_out_with_the_state_after_them() {
    let world = World::new().await;
    let effect = effect();
    let case = world.opened(&effect).await;
    world.notice(&case, "2026-03-06").await.unwrap();
    world.until(&case, CreditCaseState::ToBeDecided).await;
    world.state(&case, "2026-03-10").await.unwrap();
    world.decide(&case, decision(ListingOutcome::List, "2026-03-16")).await.unwrap();
    let listed = world.serve(&case, "2026-03-20").await.unwrap();
    let reason = RemovalReason::PenaltyRevoked;
    let removed = world.remove(&case, reason, "2026-06-01").await.unwrap();

    let topics = elsewhere::topics(&world.node, "credit");
    let history = elsewhere::published(&world.node, topics.events(), 7).await.unwrap();
    let types: Vec<_> = history.iter().map(|event| event.event_type.as_str()).collect();
    let named = [
        "CreditCaseOpened",
        "ListingNoticeServed",
        "StatementPeriodEnded",
        "StatementRecorded",
        "ListingDecided",
        "SubjectListed",
        "SubjectRemoved",
    ];
    assert_eq!(types, named.map(|name| format!("onenet.credit.v1.{name}")));
    assert!(history.iter().all(|event| event.rules_version == "MEM-11"));
    let topic = elsewhere::topics(&world.node, "enforcement").events();
    let penalty = elsewhere::published(&world.node, topic, 1).await.unwrap().remove(0);
    assert_eq!(history[0].issuer, Issuer::reaction("judge"));
    assert_eq!(history[0].causation_id, Some(penalty.event_id));
    assert_eq!(history[0].correlation_id, penalty.correlation_id);
    assert_eq!(history[2].issuer, Issuer::timer());
    assert_eq!(history[2].causation_id, Some(history[1].event_id));
    assert_eq!(history[2].occurred_at.to_string(), "2026-03-13T16:00:00Z");
    assert_eq!(history[5].issuer, Issuer::organisation(&organ()));
    assert_eq!(history[5].occurred_at.to_string(), "2026-03-19T16:00:00Z");

    let facts = elsewhere::published(&world.node, topics.beside("listings"), 2).await.unwrap();
    assert_eq!(facts, history[5..], "the same headers and bytes");

    let (bootstrap, topic) =
        (world.node.settings().kafka.brokers.clone(), topics.beside("blacklist"));
    let records = tokio::task::spawn_blocking(move || read(&bootstrap, &topic, 2)).await.unwrap();
    let entry = SubjectListed::decode(history[5].payload.clone()).unwrap().entry.unwrap();
    assert_eq!(entry.in_force[0].listing_id, case);
    let nothing = NothingInForce { reason: reason.into() };
    assert_eq!(
        records,
        [
            record(State::Entry(entry), listed.position),
            record(State::NothingInForce(nothing), removed.position)
        ]
    );
}

fn record(state: State, position: Option<Position>) -> BlacklistRecord {
    BlacklistRecord { subject: subject(), state: Some(state), position }
}

/// What a committed reader sees of the blacklist topic, once `count` records are there.
fn read(bootstrap: &str, topic: &str, count: usize) -> Vec<BlacklistRecord> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "test")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let mut assignment = TopicPartitionList::new();
    for partition in 0..3 {
        assignment.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&assignment).unwrap();
    let mut records = Vec::new();
    for _second in 0..60 {
        if records.len() == count {
            break;
        }
        let Some(message) = consumer.poll(Duration::from_secs(1)) else { continue };
        let message = message.unwrap();
        assert_eq!(message.key(), Some(subject().as_bytes()));
        let header = message.headers().unwrap().get(0);
        assert_eq!(
            (header.key, header.value),
            ("content-type", Some("application/protobuf".as_bytes()))
        );
        records.push(BlacklistRecord::decode(message.payload().unwrap()).unwrap());
    }
    records
}
