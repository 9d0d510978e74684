//! A penalty becomes a listing on the blacklist topic, or does not, for its reason; one trace tells
//! the story.

use std::process::Command;

use onenet_chassis::{day, testing::uscc};
use onenet_proto::{
    common::v1::Receipt,
    credit::v1::{NotOpenedOutcome, get_penalty_judgement_response::Judgement},
};
use onenet_tests::{
    actors::{Actors, PLATFORM, Reach},
    collector::Collector,
    network::{Network, Single, new_database, python},
    process::until,
};
use serde_json::Value;

const CHEMICAL: u32 = 10;
const FARM: u32 = 11;

/// The credit cases of two listings of one subject, after four penalties of which two open none.
struct Story<'a> {
    actors: Actors<'a>,
    listings: Vec<String>,
    listed: Receipt,
}

impl<'a> Story<'a> {
    async fn tell(reach: &'a dyn Reach) -> Self {
        let actors = Actors(reach);
        let county = actors.register_public_side().await;
        let plant = actors.register_enterprise(CHEMICAL, "2614").await;
        let farm = actors.register_enterprise(FARM, "0111").await;
        for (party, serial, violation, outcome) in [
            (&plant, CHEMICAL, "V-TRAINING", NotOpenedOutcome::NoTrigger),
            (&plant, CHEMICAL, "V-RESCUE-ABANDONED", NotOpenedOutcome::PersonsOnly),
            (&farm, FARM, "V-UNLICENSED", NotOpenedOutcome::OutOfScope),
        ] {
            let (case_id, served) = actors.punish([&county, party], serial, violation).await;
            let judgement = actors.judgement(&case_id, &served).await;
            let Judgement::NotOpened(not_opened) = judgement else { unreachable!("{judgement:?}") };
            assert_eq!(not_opened.outcome(), outcome, "{violation}");
        }
        let (mut listings, mut listed) = (Vec::new(), plant.clone());
        for violation in ["V-UNLICENSED", "V-ACCIDENT-CONCEALED"] {
            let (case_id, served) = actors.punish([&county, &plant], CHEMICAL, violation).await;
            let judgement = actors.judgement(&case_id, &served).await;
            let Judgement::CreditCaseId(case_id) = judgement else { unreachable!("{judgement:?}") };
            listed = actors.list(CHEMICAL, &case_id).await;
            listings.push(case_id);
        }
        Self { actors, listings, listed }
    }
}

#[tokio::test]
async fn penalties_open_cases_by_the_rules_alone_and_the_topic_holds_what_is_in_force() {
    let (collector, otlp) = Collector::start().await;
    let mut network = Network::start_secured(Some(otlp)).await;
    let Story { actors, listings, .. } = Story::tell(&network).await;
    assert_eq!(until_blacklisted(&network, 2).await["in_force"], serde_json::json!(listings));
    actors.remove(CHEMICAL, &listings[0]).await;
    let left = until_blacklisted(&network, 1).await;
    assert_eq!(left["in_force"], serde_json::json!([listings[1]]), "the second stays in force");
    actors.remove(CHEMICAL, &listings[1]).await;
    let nothing = until_blacklisted(&network, 0).await;
    assert_eq!(nothing["reason"], "REMOVAL_REASON_PENALTY_REVOKED");
    acknowledge(&network, &actors).await;

    // stopping sends the last spans
    network.stop().await;
    assert_one_trace(&collector).await;
}

#[tokio::test]
async fn the_same_comes_of_it_on_a_node_without_kafka() {
    let folder = tempfile::tempdir().unwrap();
    let single = Single::start(folder.path(), &new_database(), None).await;
    let Story { actors, listings, listed } = Story::tell(&single).await;
    assert_eq!(actors.in_force(CHEMICAL, &listed).await, listings);
    let removed = actors.remove(CHEMICAL, &listings[0]).await;
    assert_eq!(actors.in_force(CHEMICAL, &removed).await, listings[1..], "the second stays");
    let removed = actors.remove(CHEMICAL, &listings[1]).await;
    assert!(actors.in_force(CHEMICAL, &removed).await.is_empty());
    single.stop().await;
}

/// The removals are open until the platform says that it has applied them; then both sides compare
/// their days.
async fn acknowledge(network: &Network, actors: &Actors<'_>) {
    let registered = actors.register_agency(PLATFORM).await;
    let open = actors.open_removals(&[registered]).await;
    let at: Vec<u64> =
        open.removals.iter().map(|it| it.position.as_ref().unwrap().number).collect();
    assert_eq!(at.len(), 2, "{open:?}");
    assert_eq!((open.readers[0].open_removals, &open.readers[0].acknowledged), (2, &None));
    measured(network, "open_removals", |open| open > 1.0).await;
    measured(network, "open_removal_age_seconds", |age| age > 0.0).await;

    until("everything to be acknowledged", async || {
        platform(network, &["--acknowledge"])["acknowledged"].as_u64() == Some(at[1])
    })
    .await;
    until("the removals to be closed", async || {
        let open = actors.open_removals(&[]).await;
        open.removals.is_empty() && open.readers[0].oldest_open_seconds.is_none()
    })
    .await;

    measured(network, "open_removals", |open| open < 1.0).await;
    measured(network, "open_removal_age_seconds", |age| age < 1.0).await;

    let removed_at = open.removals[1].open_since_at.unwrap();
    let day = day::of(onenet_chassis::instant(&removed_at)).to_string();
    let compared = platform(network, &["--reconcile", &day]);
    assert_eq!(compared["upto"].as_u64(), Some(at[1]));
    assert_eq!(compared["first_difference"], Value::Null);
}

/// What operators see of the platform comes to be so.
async fn measured(network: &Network, what: &str, is_so: fn(f64) -> bool) {
    let metric = format!("onenet_blacklist_{what}{{reader=\"{}\"}} ", uscc(PLATFORM));
    until(what, async || {
        let (_, text) = network.watch("credit", "/metrics").unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(&metric));
        value.is_some_and(|value| is_so(value.parse().unwrap()))
    })
    .await;
}

/// The platform's programme, with its own certificate.
fn platform(network: &Network, words: &[&str]) -> Value {
    let mut command = reader(network);
    command.arg("--address").arg(format!("localhost:{}", network.address("credit").port()));
    answered(command.args(words))
}

fn reader(network: &Network) -> Command {
    let kafka = network.node.settings().kafka.as_ref().unwrap();
    let (platform, (interpreter, script)) = (uscc(PLATFORM), python("blacklist.py"));
    let identity = network.node.organisation(&platform).unwrap();
    let mut command = Command::new(interpreter);
    command.arg(script).args(["--brokers", &kafka.brokers, "--prefix", &kafka.prefix]);
    command.args(["--reader", &platform]).arg("--ca").arg(network.node.authority());
    command.arg("--certificate").arg(identity.certificate).arg("--key").arg(identity.key);
    command
}

fn answered(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_reader_keeps_its_rules_and_computes_the_digest_of_the_document() {
    let (interpreter, script) = python("blacklist.py");
    let output = Command::new(interpreter).arg(script).arg("--selftest").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What a consumer in another language holds of the subject, once so many listings are in force.
async fn until_blacklisted(network: &Network, count: usize) -> Value {
    let mut held = Value::Null;
    until("the blacklist record", async || {
        let all = answered(reader(network).args(["--expect", "1"]));
        held = all[uscc(CHEMICAL)].clone();
        held["in_force"].as_array().is_some_and(|in_force| in_force.len() == count)
    })
    .await;
    held
}

/// One trace holds the service of a penalty, its publication, the reaction to it, and the feed.
async fn assert_one_trace(collector: &Collector) {
    let needed = [
        ("enforcement", "onenet.enforcement.v1.CaseService/ServePenalty"),
        ("enforcement", "relay publish"),
        ("credit", "handle judge"),
        ("exchange", "handle feed.enforcement"),
    ];
    until("one trace over three processes", async || {
        collector.traces().iter().any(|trace| {
            needed.iter().all(|(process, span)| {
                trace
                    .iter()
                    .any(|(of, name)| of.contains(&format!("onenet {process}")) && name == span)
            })
        })
    })
    .await;
}
