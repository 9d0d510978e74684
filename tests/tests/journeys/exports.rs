//! What a node holds goes to files: every event once, over an interruption, and the list that is in force.

use std::fs;

use onenet_chassis::testing::uscc;
use onenet_proto::credit::v1::get_penalty_judgement_response::Judgement;
use onenet_tests::{
    actors::Actors,
    network::{Single, new_database, run},
};
use serde_json::Value;

const PLANT: u32 = 30;

#[tokio::test]
async fn events_and_the_blacklist_are_exported_from_a_node_without_kafka() {
    let folder = tempfile::tempdir().unwrap();
    let single = Single::start(folder.path(), &new_database(), None).await;
    let actors = Actors(&single);
    let county = actors.register_public_side().await;
    let plant = actors.register_enterprise(PLANT, "2614").await;
    let (case_id, served) = actors.punish([&county, &plant], PLANT, "V-UNLICENSED").await;
    let judgement = actors.judgement(&case_id, &served).await;
    let Judgement::CreditCaseId(listing) = judgement else { unreachable!("{judgement:?}") };
    actors.list(PLANT, &listing).await;
    let config = single.node.write_settings().unwrap();
    let export = async |words: &[&str]| {
        run(&[&["export"], words, &["--config", config.to_str().unwrap()]].concat()).await
    };

    let file = folder.path().join("events.jsonl");
    let output = ["--output", file.to_str().unwrap()];
    let (is_well, said) =
        export(&[&["events", "enterprise", "--upto", "4"], &output[..]].concat()).await;
    assert!(is_well && said.contains("已导出 4 个事件"), "{said}");
    let (is_well, said) = export(&[&["events", "enterprise"], &output[..]].concat()).await;
    assert!(!is_well && said.contains("--after"), "no file is written over: {said}");
    let (is_well, said) =
        export(&[&["events", "enterprise", "--after", "4"], &output[..]].concat()).await;
    assert!(is_well, "{said}");
    let text = fs::read_to_string(&file).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let positions: Vec<&str> =
        events.iter().map(|event| event["logposition"].as_str().unwrap()).collect();
    assert_eq!(positions, ["1", "2", "3", "4", "5", "6"], "each once");
    let last = &events[5];
    assert_eq!(last["type"], "onenet.enterprise.v1.EnterpriseRegistered");
    assert_eq!(last["data"]["enterprise"]["uscc"], uscc(PLANT), "{last}");
    assert_eq!(last["subject"], uscc(PLANT));

    // days are those of the log, in Beijing
    let (is_well, said) = export(&["events", "enterprise", "--to-day", "2020-01-01"]).await;
    assert!(is_well && said.contains("已导出 0 个事件"), "{said}");
    let csv = ["--format", "csv"];
    let from = ["events", "enterprise", "--from-day", "2020-01-01"];
    let (is_well, said) = export(&[&from[..], &csv].concat()).await;
    assert!(is_well && said.starts_with("位置 / position,"), "{said}");

    let (is_well, said) = export(&[&["blacklist"], &csv[..]].concat()).await;
    assert!(is_well && said.contains("已导出 1 项措施"), "{said}");
    let row = said.lines().nth(1).unwrap();
    assert!(row.starts_with(&uscc(PLANT)) && row.contains(&listing), "{row}");
    assert!(
        row.contains("严重失信主体") && row.contains("政府采购,禁止,政府采购法第二十二条"),
        "{row}"
    );
    let (is_well, said) = export(&["blacklist"]).await;
    let line: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert!(is_well && line["field"] == "政府采购", "{line}");
    single.stop().await;
}
