//! A node without Kafka is moved to Kafka: nothing is lost and nothing happens twice.

use onenet_chassis::{private::PrivateNode, testing::uscc};
use onenet_eventstore::{Db, PgLog, sqlx};
use onenet_kafka::{Cluster, read_topic};
use onenet_proto::{
    credit::v1::get_penalty_judgement_response::Judgement,
    exchange::v1::{
        Beginning, SubscribeRequest, exchange_service_client::ExchangeServiceClient,
        subscribe_request::Start, subscribe_response::Message,
    },
};
use onenet_tests::{
    actors::{Actors, Reach, patiently},
    network::{CONTEXTS, Single, new_database},
    process::until,
};

const AGENCY: u32 = 20;
const BEFORE: u32 = 30;
const AFTER: u32 = 31;
const LISTED: &str = "onenet.credit.v1.SubjectListed";

async fn log(node: &PrivateNode, schema: &str) -> PgLog {
    let settings = node.settings().database(schema).unwrap();
    PgLog::open(Db::connect(&settings).await.unwrap()).await.unwrap()
}

/// Registers an enterprise and lists it.
async fn list(reach: &dyn Reach, county: &onenet_proto::common::v1::Receipt, serial: u32) {
    let actors = Actors(reach);
    let plant = actors.register_enterprise(serial, "2614").await;
    let (case_id, served) = actors.punish([county, &plant], serial, "V-UNLICENSED").await;
    let judgement = actors.judgement(&case_id, &served).await;
    let Judgement::CreditCaseId(case_id) = judgement else { unreachable!("{judgement:?}") };
    actors.list(serial, &case_id).await;
}

/// Subjects of what a subscriber gets from a start on, once `count` have come; and its last token.
async fn received(reach: &dyn Reach, start: Start, count: usize) -> (Vec<String>, String) {
    let client = ExchangeServiceClient::new(reach.channel("exchange", &uscc(AGENCY)));
    let request = SubscribeRequest { start: Some(start), ..Default::default() };
    let answer = patiently(async || client.clone().subscribe(request.clone()).await).await;
    let (mut stream, mut seen, mut token) = (answer.into_inner(), Vec::new(), String::new());
    while seen.len() < count {
        let Some(Message::Batch(batch)) = stream.message().await.unwrap().unwrap().message else {
            continue;
        };
        token = batch.resume_token;
        for event in batch.deliveries.into_iter().filter_map(|delivery| delivery.event) {
            seen.push(event.attributes["subject"].attr.clone());
        }
    }
    (seen.into_iter().map(|attr| format!("{attr:?}")).collect(), token)
}

#[tokio::test]
async fn a_node_moves_from_embedded_to_kafka() {
    let (folder, database) = (tempfile::tempdir().unwrap(), new_database());
    let embedded = Single::start(folder.path(), &database, None).await;
    let county = Actors(&embedded).register_public_side().await;
    Actors(&embedded).open_to(AGENCY, &[LISTED]).await;
    list(&embedded, &county, BEFORE).await;
    let (before, token) = received(&embedded, Start::Beginning(Beginning {}), 1).await;
    embedded.stop().await;

    let kafka = onenet_devservers::shared_kafka().unwrap();
    let moved = Single::start(folder.path(), &database, Some(kafka)).await;
    list(&moved, &county, AFTER).await;
    let (after, _) = received(&moved, Start::ResumeToken(token), 1).await;
    assert!(before[0].contains(&uscc(BEFORE)) && after[0].contains(&uscc(AFTER)), "{after:?}");

    // every log is on its topic, once
    let cluster = Cluster::plain(kafka);
    let mut heads = 0;
    for context in CONTEXTS {
        let head = log(moved.node(), context).await.head().await.unwrap().number;
        let topic = format!("{database}.onenet.{context}.events.v1");
        until("the whole log on its topic", async || {
            read_topic(&cluster, &topic).await.unwrap().len() as u64 >= head
        })
        .await;
        let published = read_topic(&cluster, &topic).await.unwrap().len() as u64;
        assert_eq!(published, head, "{context}: doubled");
        heads += if context == "exchange" { 0 } else { head };
    }
    // the feed has each event of the four others, once; reactions and projections hold nothing back
    let feed = log(moved.node(), "exchange_feed").await;
    until("the whole feed", async || feed.head().await.unwrap().number >= heads).await;
    assert_eq!(feed.head().await.unwrap().number, heads);
    for context in CONTEXTS {
        let log = log(moved.node(), context).await;
        let parked: i64 = sqlx::query_scalar("select count(*) from parked")
            .fetch_one(&mut *log.db().reader().await.unwrap())
            .await
            .unwrap();
        assert_eq!(parked, 0, "{context} holds something back");
    }
    moved.stop().await;
}
