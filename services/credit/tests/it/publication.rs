//! What stands on the topics of credit.

use std::time::Duration;

use onenet_chassis::testing::elsewhere;
use onenet_kafka::read_topic;
use onenet_kernel::Issuer;
use onenet_proto::{
    common::v1::Position,
    credit::v1::{
        BlacklistRecord, CreditCaseState, ListingOutcome, NothingInForce, RemovalReason,
        SubjectListed, blacklist_record::State,
    },
};
use prost::Message as _;

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

    let records = read(&world, &topics.beside("blacklist"), 2).await;
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
async fn read(world: &World, topic: &str, count: usize) -> Vec<BlacklistRecord> {
    let cluster = world.node.settings().cluster().unwrap();
    let mut records = Vec::new();
    for _ in 0..600 {
        records = read_topic(&cluster, topic).await.unwrap();
        if records.len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let content_type = ("content-type".to_owned(), "application/protobuf".to_owned());
    records
        .into_iter()
        .map(|record| {
            assert_eq!((record.key, record.headers), (subject(), vec![content_type.clone()]));
            BlacklistRecord::decode(record.value.unwrap()).unwrap()
        })
        .collect()
}
