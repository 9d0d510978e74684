//! The benchmarks run; what they measure in a test says nothing.

#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use std::{fs, process::Stdio, time::Duration};

use onenet_devservers::shared_postgres;
use onenet_eventstore::{DbSettings, testing::Scratch};
use onenet_tests::{
    network::{onenet, run},
    process::until,
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// A row in short turns and with little work; its figures.
async fn measured(row: &str, more: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.json");
    let json = ["--json", file.to_str().unwrap()];
    let short = ["bench", row, "--rounds", "2", "--seconds", "0.3"];
    let (is_well, said) = run(&[&short[..], more, &json[..]].concat()).await;
    assert!(is_well && said.contains(&format!("| {row} | ")), "{said}");
    let report: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(report["rounds"], 2);
    let figures = report["rows"][0][3].as_array().unwrap().clone();
    assert!(!figures.is_empty(), "{report}");
    figures
}

/// Both sides did something, in each of their turns.
fn assert_ratio(figure: &Value) {
    let ratio = &figure["outcome"]["ratio"];
    assert!(ratio["ratio"]["median"].as_f64().unwrap() > 0.0, "{figure}");
    for side in ["ours", "theirs"] {
        assert!(ratio[side]["events_per_second"]["least"].as_f64().unwrap() > 0.0, "{figure}");
    }
}

#[tokio::test]
async fn rows_are_measured_beside_their_limits() {
    for (row, size, case) in [
        ("append", "1", "256 callers"),
        ("command", "1", "256 callers on 8 connections"),
        ("tail", "0.02", "2000 events"),
        ("relay", "0.01", "3000 events behind"),
    ] {
        let figures = measured(row, &["--size", size]).await;
        assert_eq!(figures[0]["case"], case);
        assert_ratio(&figures[0]);
    }
}

#[tokio::test]
async fn the_way_to_a_consumer_is_measured_in_milliseconds() {
    let figures = measured("visible", &["--size", "0.02"]).await;
    assert_eq!(figures[0]["case"], "append to consumer");
    let quantile = |name| figures[0]["outcome"]["latency"]["quantiles"][name].as_f64().unwrap();
    assert!(0.0 < quantile("p50_us") && quantile("p50_us") <= quantile("p99_us"), "{figures:?}");
}

#[tokio::test]
async fn a_read_model_is_rebuilt_beside_reading_its_log() {
    let figures = measured("rebuild", &["--size", "0.01"]).await;
    assert_eq!(figures[0]["case"], "3000 enterprises");
    assert_ratio(&figures[0]);
}

/// They may be installed here or not: either is said.
#[tokio::test]
async fn a_peer_that_is_not_installed_is_said_to_be_missing() {
    let peers = concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/peers");
    for row in ["postgres-es", "message-db", "emmett", "disintegrate", "umadb"] {
        for figure in measured(row, &["--peers", peers]).await {
            let missing = &figure["outcome"]["missing"];
            if missing.is_null() {
                assert_ratio(&figure);
            } else {
                let reason = missing["reason"].as_str().unwrap();
                assert!(reason.contains("bench/peers/setup"), "{figure}");
            }
        }
    }
}

#[tokio::test]
async fn deliveries_are_measured_for_few_and_for_many_subscribers() {
    let folder = tempfile::tempdir().unwrap();
    let plot = ["--size", "0.02", "--plot", folder.path().to_str().unwrap()];
    let figures = measured("deliver", &plot).await;
    let cases: Vec<_> = figures.iter().map(|figure| figure["case"].as_str().unwrap()).collect();
    assert_eq!(cases, ["subscribers: 1", "subscribers: 4", "subscribers: 20"]);
    figures.iter().for_each(assert_ratio);
    let svg = fs::read_to_string(folder.path().join("deliveries-by-subscribers.svg")).unwrap();
    assert_eq!(svg.matches("<circle").count(), 3, "{svg}");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
}

#[tokio::test]
async fn arriving_is_measured_from_the_moment_it_was_meant_to_begin() {
    for figure in measured("arrive", &["--size", "0.02"]).await {
        let slower = &figure["outcome"]["slower"];
        for side in ["ours", "theirs"] {
            let [median, p99] =
                ["p50_us", "p99_us"].map(|quantile| slower[side][quantile].as_u64().unwrap());
            assert!(0 < median && median <= p99, "{figure}");
        }
    }
}

#[tokio::test]
async fn scaling_is_measured_over_appenders_and_over_the_lengths_of_logs() {
    let figures = measured("scale", &["--size", "0.002"]).await;
    figures.iter().for_each(assert_ratio);
    let curve = |name| {
        let points = figures.iter().map(|figure| &figure["point"]);
        let on_it = points.filter(|point| point[0] == name);
        on_it.map(|point| point[1].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(curve("append by appenders"), [2, 4]);
    assert_eq!(curve("append to a log"), [200, 2_000]);
    assert_eq!(curve("tail of a log"), [200, 2_000]);
}

/// It would append for an hour: nobody is there any more to begin the turn.
#[tokio::test]
async fn an_appender_ends_with_whoever_started_it() {
    let scratch = Scratch::create(shared_postgres().unwrap()).await.unwrap();
    let log = scratch.log("bench", &[]).await.unwrap();
    let DbSettings { url, schema, max_connections } = scratch.settings("bench");
    let turn = Duration::from_hours(1);
    let task = json!({ "url": url, "schema": schema, "max_connections": max_connections, "callers": 1, "turn": turn });
    let mut appender = Command::new(onenet())
        .args(["bench", "--appender"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut told = appender.stdin.take().unwrap();
    told.write_all(format!("{task}\n").as_bytes()).await.unwrap();
    until("its first event", async || log.head().await.unwrap().number == 1).await;
    drop(told);
    let ended = tokio::time::timeout(Duration::from_mins(1), appender.wait()).await;
    assert!(!ended.unwrap().unwrap().success());
    assert_eq!(log.head().await.unwrap().number, 1);
}

#[tokio::test]
async fn memory_is_that_of_processes_which_do_something() {
    let figures = measured("memory", &["--size", "0.02"]).await;
    assert_eq!(figures.len(), 3);
    for figure in figures {
        assert!(figure["outcome"]["amount"]["amount"].as_f64().unwrap() > 0.0, "{figure}");
    }
}

#[tokio::test]
async fn a_row_that_is_not_there_is_named_before_anything_starts() {
    let (is_well, said) = run(&["bench", "apend"]).await;
    assert!(!is_well && said.contains("apend") && said.contains("--list"), "{said}");
}
