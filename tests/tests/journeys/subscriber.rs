//! A subscriber in another language and the process that serves it are killed again and again:
//! nothing is lost, nothing comes twice. The same on a node without Kafka, killed with its PostgreSQL.

use std::{fs, path::Path};

use onenet_chassis::testing::uscc;
use onenet_tests::{
    actors::{Actors, Reach},
    network::{Network, python},
    process::{Process, until},
    up::Up,
};
use serde_json::Value;

const AGENCY: u32 = 20;
const FIRST_ENTERPRISE: u32 = 100;
const REGISTERED: &str = "onenet.enterprise.v1.EnterpriseRegistered";
/// Enterprises per round; after each round the client or the server is killed.
const PER_ROUND: u32 = 10;
const ROUNDS: u32 = 6;

/// A client that keeps what it gets in `folder`.
fn start(reach: &dyn Reach, folder: &Path) -> Process {
    let (interpreter, script) = python("subscribe.py");
    let identity = reach.node().organisation(&uscc(AGENCY)).unwrap();
    let address = format!("localhost:{}", reach.address("exchange").port());
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let words = [
        path(&script),
        "--address".to_owned(),
        address,
        "--ca".to_owned(),
        path(&reach.node().authority()),
        "--certificate".to_owned(),
        path(&identity.certificate),
        "--key".to_owned(),
        path(&identity.key),
        "--state".to_owned(),
        path(&folder.join("state.json")),
        "--out".to_owned(),
        path(&folder.join("out.jsonl")),
        "--max-batch".to_owned(),
        "3".to_owned(),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Process::start(interpreter, &words)
}

/// What the client has kept: whole lines; one that a kill cut off is none.
fn kept(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("out.jsonl")).unwrap_or_default();
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Waits until so many are kept. A client that was refused, as while the server starts, ends and is started
/// again: its supervisor would.
async fn until_kept(reach: &dyn Reach, folder: &Path, client: &mut Process, count: usize) {
    until("what the client has to keep", async || {
        if client.has_ended() {
            *client = start(reach, folder);
        }
        kept(folder).len() >= count
    })
    .await;
}

/// Rounds of events, after each of which the client is killed, and after every other the server. Answers
/// the node as it stands in the end.
async fn tell<N: Reach>(mut node: N, kill_and_start: impl AsyncFn(N) -> N) -> N {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    Actors(&node).register_public_side().await;
    Actors(&node).open_to(AGENCY, &[REGISTERED]).await;
    let mut client = start(&node, folder);
    let mut next = FIRST_ENTERPRISE;
    for round in 0..ROUNDS {
        for _ in 0..PER_ROUND {
            Actors(&node).register_enterprise(next, "2614").await;
            next += 1;
        }
        // in the middle of what has come so far, not after it
        let some = usize::try_from(round * PER_ROUND + 1).unwrap();
        until_kept(&node, folder, &mut client, some).await;
        if round % 2 == 1 {
            node = kill_and_start(node).await;
        }
        client.kill();
        client = start(&node, folder);
    }
    let all = usize::try_from(ROUNDS * PER_ROUND).unwrap();
    until_kept(&node, folder, &mut client, all).await;
    drop(client);

    let kept = kept(folder);
    let sequences: Vec<u64> = kept.iter().map(|line| line["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (1..=all as u64).collect::<Vec<_>>(), "lost, repeated or reordered");
    let mut subjects: Vec<&str> =
        kept.iter().map(|line| line["subject"].as_str().unwrap()).collect();
    subjects.sort_unstable();
    subjects.dedup();
    assert_eq!(subjects.len(), all, "each enterprise once");
    node
}

#[tokio::test]
async fn a_client_and_its_server_are_killed_and_nothing_is_lost_or_repeated() {
    let kill_and_start = async |mut network: Network| {
        network.kill("exchange");
        network.serve("exchange").await;
        network
    };
    let mut network = tell(Network::start(None).await, kill_and_start).await;
    network.stop().await;
}

#[tokio::test]
async fn the_same_on_a_node_without_kafka_that_is_killed_with_its_database() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &[]).await;
    tell(up, async |up: Up| up.kill_and_start(&[]).await).await.stop().await;
}
