//! The database is lost and yesterday's backup restored. What was published comes back from Kafka as it
//! was; who retries, resumes or reads on notices nothing but repetitions that it can recognise.

use std::{collections::BTreeMap, fs, process::Command, time::Duration};

use onenet_chassis::testing::{refusal, uscc};
use onenet_eventstore::{Db, PgLog, sqlx};
use onenet_kafka::{ReadRecord, read_topic};
use onenet_kernel::Recorded;
use onenet_proto::{
    common::v1::Receipt,
    credit::v1::get_penalty_judgement_response::Judgement,
    enterprise::v1::{
        Enterprise, RegisterEnterpriseRequest, enterprise_service_client::EnterpriseServiceClient,
    },
    exchange::v1::{
        Beginning, SubscribeRequest, exchange_service_client::ExchangeServiceClient,
        subscribe_request::Start, subscribe_response::Message,
    },
};
use onenet_tests::{
    actors::{Actors, COUNTY, PLACE, Reach as _, new_id, patiently},
    network::{CONTEXTS, Network, address},
    process::until,
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

const AGENCY: u32 = 20;
const BEFORE: u32 = 30;
const AFTER: u32 = 31;
const UNPUBLISHED: u32 = 32;
const SHARED: [&str; 3] = [
    "onenet.enterprise.v1.EnterpriseRegistered",
    "onenet.credit.v1.SubjectListed",
    "onenet.credit.v1.SubjectRemoved",
];

/// PostgreSQL's own tools, as the runbook has them.
fn postgres(program: &str, words: &[&str]) {
    let output = Command::new(program).args(words).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The owner's URL of the node's database, and of another one of the same server.
fn owner(network: &Network) -> (String, String) {
    let database = network.node.settings().owner_url().unwrap();
    let (server, _) = database.rsplit_once('/').unwrap();
    (database.clone(), format!("{server}/postgres"))
}

fn back_up(network: &Network) {
    let (database, _) = owner(network);
    let file = network.folder.path().join("backup.dump");
    postgres("pg_dump", &["-Fc", "-f", file.to_str().unwrap(), "-d", &database]);
}

fn restore(network: &Network) {
    let (database, server) = owner(network);
    let name = database.rsplit('/').next().unwrap();
    let file = network.folder.path().join("backup.dump");
    postgres("dropdb", &["--force", &format!("--maintenance-db={server}"), name]);
    postgres("createdb", &[&format!("--maintenance-db={server}"), name]);
    postgres("pg_restore", &["--exit-on-error", "-d", &database, file.to_str().unwrap()]);
}

async fn events(network: &Network, schema: &str) -> Vec<Recorded> {
    let settings = network.node.settings().database(schema).unwrap();
    let log = PgLog::open(Db::connect(&settings).await.unwrap()).await.unwrap();
    let events = log.read(0, 100_000).await.unwrap();
    // an open connection is a process of the node to `onenet recover`
    log.db().close().await;
    events
}

async fn logs(network: &Network) -> BTreeMap<&'static str, Vec<Recorded>> {
    let mut logs = BTreeMap::new();
    for context in CONTEXTS {
        logs.insert(context, events(network, context).await);
    }
    logs
}

/// Waits until every log is on its topic and in the feed, and nothing more comes of it.
async fn settle(network: &Network) {
    until("every log on its topic", async || {
        let (_, said) = network.tool(&["relay", "status"]).await;
        said.lines().filter(|line| line.ends_with("lag 0")).count() == CONTEXTS.len()
    })
    .await;
    until("the whole feed", async || {
        let logs = logs(network).await;
        let all: usize =
            logs.iter().filter(|(name, _)| **name != "exchange").map(|(_, log)| log.len()).sum();
        events(network, "exchange_feed").await.len() == all
    })
    .await;
}

/// What a subscriber gets from a start on: ids by which it knows the events, once `count` have come; and
/// its newest token.
async fn received(network: &Network, start: Start, count: usize) -> (Vec<String>, String) {
    let client = ExchangeServiceClient::new(network.channel("exchange", &uscc(AGENCY)));
    let request = SubscribeRequest { start: Some(start), ..Default::default() };
    let answer = patiently(async || client.clone().subscribe(request.clone()).await).await;
    let (mut stream, mut ids, mut token) = (answer.into_inner(), Vec::new(), String::new());
    while ids.len() < count {
        let coming = tokio::time::timeout(Duration::from_mins(1), stream.message()).await;
        let message = coming.unwrap().unwrap().unwrap().message;
        let Some(Message::Batch(batch)) = message else { continue };
        token = batch.resume_token;
        ids.extend(batch.deliveries.into_iter().filter_map(|it| it.event).map(|event| event.id));
    }
    (ids, token)
}

fn registration(serial: u32) -> RegisterEnterpriseRequest {
    let plant = onenet_chassis::testing::elsewhere::Registered::plant(&uscc(serial));
    let enterprise =
        Enterprise { division: PLACE.to_owned(), industry: "2614".to_owned(), ..plant };
    RegisterEnterpriseRequest {
        command_id: new_id(),
        enterprise: Some(enterprise),
        ..Default::default()
    }
}

async fn register(
    network: &Network,
    address: std::net::SocketAddr,
    request: &RegisterEnterpriseRequest,
) -> Receipt {
    let channel = network.node.connect(address, Some(&uscc(COUNTY))).unwrap();
    let client = EnterpriseServiceClient::new(channel);
    let send = async || client.clone().register_enterprise(request.clone()).await;
    patiently(send).await.into_inner().receipt.unwrap()
}

/// Punishes and lists an enterprise; answers its listing.
async fn list(network: &Network, county: &Receipt, plant: &Receipt, serial: u32) -> String {
    let actors = Actors(network);
    let (case_id, served) = actors.punish([county, plant], serial, "V-UNLICENSED").await;
    let judgement = actors.judgement(&case_id, &served).await;
    let Judgement::CreditCaseId(case_id) = judgement else { unreachable!("{judgement:?}") };
    actors.list(serial, &case_id).await;
    case_id
}

#[tokio::test]
async fn what_was_published_survives_a_restore_to_yesterday() {
    let mut network = Network::start(None).await;
    let county = Actors(&network).register_public_side().await;
    Actors(&network).open_to(AGENCY, &SHARED).await;
    let plant = Actors(&network).register_enterprise(BEFORE, "2614").await;
    let first = list(&network, &county, &plant, BEFORE).await;
    let begin = Start::Beginning(Beginning {});
    let (_, yesterday) = received(&network, begin, 2).await;
    back_up(&network);

    // after the backup: another is listed, and the first removed
    let command = registration(AFTER);
    let acknowledged = register(&network, network.address("enterprise"), &command).await;
    let second = list(&network, &county, &acknowledged, AFTER).await;
    let removed = Actors(&network).remove(BEFORE, &first).await;
    assert!(Actors(&network).in_force(BEFORE, &removed).await.is_empty());
    let resume = Start::ResumeToken(yesterday.clone());
    let (seen, today) = received(&network, resume, 3).await;
    settle(&network).await;
    let before = logs(&network).await;
    let blacklist = on_topic(&network, &prefix(&network), "credit.blacklist").await;
    network.kill_all();
    // acknowledged, and lost with the database before a relay published it
    let api = network.role("enterprise", "api");
    until("a context that listens", async || address(&api).is_some()).await;
    let unpublished = registration(UNPUBLISHED);
    register(&network, address(&api).unwrap(), &unpublished).await;
    api.kill();
    restore(&network);

    assert_set_back(&network, &before).await;
    assert_recovered(&network, &before).await;

    for context in CONTEXTS {
        network.serve(context).await;
    }
    // who was answered is answered the same; what was not published is decided anew
    let again = register(&network, network.address("enterprise"), &command).await;
    assert_eq!(again, acknowledged, "a retry gets its first receipt");
    assert_subscriber(&network, &seen, yesterday, today).await;
    settle(&network).await;
    let after = logs(&network).await;
    assert!(after == before, "something was lost, or happened twice");
    let now = on_topic(&network, &prefix(&network), "credit.blacklist").await;
    assert!(now == blacklist, "the platform sees nothing of it");
    register(&network, network.address("enterprise"), &unpublished).await;
    settle(&network).await;
    assert_once_on_the_topics(&network, &prefix(&network)).await;
    assert!(Actors(&network).in_force(BEFORE, &removed).await.is_empty());
    let served = Receipt { version: 0, ..removed };
    assert_eq!(Actors(&network).in_force(AFTER, &served).await, [second]);
    network.stop().await;
}

/// The tools and the relay say what has happened, and nothing is done by itself.
async fn assert_set_back(network: &Network, before: &BTreeMap<&'static str, Vec<Recorded>>) {
    let (is_well, said) = network.tool(&["relay", "status"]).await;
    assert!(!is_well && said.contains("onenet recover"), "{said}");
    let relay = network.role("enterprise", "relay");
    assert!(!relay.ended().await, "a relay started on a log that was set back");
    let (is_well, said) = network.tool(&["recover"]).await;
    assert!(is_well && said.contains("未作任何更改"), "{said}");
    let [left, all] = [events(network, "enterprise").await.len(), before["enterprise"].len()];
    assert!(left < all, "the backup holds less");
    let missing =
        format!("enterprise: 日志 / log {left}, 已发布 / published {all}: 补回 {}", all - left);
    assert!(said.contains(&missing), "{said}");
}

async fn assert_recovered(network: &Network, before: &BTreeMap<&'static str, Vec<Recorded>>) {
    let api = network.role("enterprise", "api");
    until("a context that listens", async || address(&api).is_some()).await;
    // it listens before it has a database
    let channel = network.node.connect(address(&api).unwrap(), Some(&uscc(COUNTY))).unwrap();
    let request = HealthCheckRequest { service: String::new() };
    patiently(async || HealthClient::new(channel.clone()).check(request.clone()).await).await;
    let mut last = String::new();
    until("a refusal beside a living process", async || {
        let (is_well, said) = network.tool(&["recover", "--apply"]).await;
        assert!(!is_well, "{said}");
        last = said;
        last.contains("onenet_enterprise")
    })
    .await;
    api.kill();
    until("the end of a killed process's connections", async || {
        let (is_well, said) = network.tool(&["recover", "--apply"]).await;
        last = said;
        is_well
    })
    .await;
    assert!(last.contains("exchange_feed: 纪元已提升"), "{last}");
    let (is_well, said) = network.tool(&["verify"]).await;
    assert!(is_well, "{said}");
    assert!(logs(network).await == *before, "every event as it was, and none more");
    let (is_well, said) = network.tool(&["recover"]).await;
    assert_eq!(said.matches("一致 / they agree").count(), CONTEXTS.len(), "{said}");
    assert!(is_well);
}

/// Today's token covers what the feed has lost. Yesterday's goes on, with the same events.
async fn assert_subscriber(network: &Network, seen: &[String], yesterday: String, today: String) {
    let mut client = ExchangeServiceClient::new(network.channel("exchange", &uscc(AGENCY)));
    let request = SubscribeRequest { start: Some(Start::ResumeToken(today)), ..Default::default() };
    let refused = client.subscribe(request).await.unwrap_err();
    assert_eq!(refusal(&refused).1, "EXCHANGE_ERROR_REASON_RESUME_TOKEN_INVALID");
    let resume = Start::ResumeToken(yesterday);
    let (mut again, _) = received(network, resume, seen.len()).await;
    let mut seen = seen.to_vec();
    // contexts side by side may come in another order
    again.sort_unstable();
    seen.sort_unstable();
    assert_eq!(again, seen, "the same events, known by their ids");
}

fn prefix(network: &Network) -> String {
    network.node.settings().kafka.as_ref().unwrap().prefix.clone()
}

async fn on_topic(network: &Network, prefix: &str, name: &str) -> Vec<ReadRecord> {
    let cluster = network.node.settings().cluster().unwrap();
    let topic = format!("{prefix}onenet.{name}.v1");
    read_topic(&cluster, &topic).await.unwrap()
}

async fn assert_once_on_the_topics(network: &Network, prefix: &str) {
    for (context, log) in logs(network).await {
        let published = on_topic(network, prefix, &format!("{context}.events")).await;
        assert_eq!(published.len(), log.len(), "{context}");
        let settings = network.node.settings().database(context).unwrap();
        let db = Db::connect(&settings).await.unwrap();
        let parked: i64 = sqlx::query_scalar("select count(*) from parked")
            .fetch_one(&mut *db.reader().await.unwrap())
            .await
            .unwrap();
        assert_eq!(parked, 0, "{context} holds something back");
        db.close().await;
    }
}

#[tokio::test]
async fn a_node_goes_on_in_new_topics_after_a_restore() {
    let mut network = Network::start(None).await;
    Actors(&network).register_public_side().await;
    Actors(&network).register_enterprise(BEFORE, "2614").await;
    settle(&network).await;
    back_up(&network);
    Actors(&network).register_enterprise(AFTER, "2614").await;
    settle(&network).await;
    let before = logs(&network).await;
    network.kill_all();
    restore(&network);

    let (old, new) = (prefix(&network), format!("{}new.", prefix(&network)));
    let apply = ["recover", "--apply", "--raise-epoch", "--from-prefix", &old];
    let (is_well, said) = network.tool(&apply).await;
    assert!(!is_well && said.contains("name a new one in the settings"), "{said}");
    let config = network.folder.path().join("onenet.toml");
    let settings = fs::read_to_string(&config).unwrap();
    fs::write(&config, settings.replace(&format!("\"{old}\""), &format!("\"{new}\""))).unwrap();
    let mut last = String::new();
    until("a refusal without new topics", async || {
        let (is_well, said) = network.tool(&apply).await;
        assert!(!is_well, "{said}");
        last = said;
        last.contains("is no new, empty topic")
    })
    .await;
    let (is_well, said) = network.tool(&["migrate"]).await;
    assert!(is_well, "{said}");
    let (is_well, said) = network.tool(&apply).await;
    assert!(is_well && said.contains("enterprise: 已补回 1"), "{said}");
    assert!(logs(&network).await == before);

    for context in CONTEXTS {
        network.serve(context).await;
    }
    Actors(&network).register_enterprise(UNPUBLISHED, "2614").await;
    settle(&network).await;
    assert_once_on_the_topics(&network, &new).await;
    let old_topic = on_topic(&network, &old, "enterprise.events").await;
    assert_eq!(old_topic.len(), before["enterprise"].len(), "what was before stays as it was");
    network.stop().await;
}
