//! Who reads what on the Kafka of `onenet up`: a reader what leaves the node, and nobody anything else. Who
//! is refused stands in the broker's log.

use std::{fs, path::Path, process::Command};

use onenet_chassis::{config::Settings, testing::uscc};
use onenet_devservers::Identity;
use onenet_kafka::{Cluster, Tls, read_topic};
use onenet_tests::{
    actors::PLATFORM,
    network::{contexts, python},
    up::Up,
};

const OTHER: u32 = 31;
const BLACKLIST: &str = "onenet.credit.blacklist.v1";
const LISTINGS: &str = "onenet.credit.listings.v1";
const EVENTS: &str = "onenet.credit.events.v1";
/// Seconds after which a reader gives up that cannot connect at all.
const GIVES_UP: &str = "5";

/// A node with a Kafka of its own, which these may read.
async fn start(folder: &Path, readers: &[u32]) -> Up {
    let readers: Vec<String> = readers.iter().map(|reader| uscc(*reader)).collect();
    let mut words = vec!["--kafka", "private"];
    for reader in &readers {
        words.extend(["--reader", reader]);
    }
    Up::start(folder, &words).await
}

fn reader(up: &Up, topic: &str, group: u32) -> Command {
    let kafka = up.node.settings().kafka.clone().unwrap();
    let (interpreter, script) = python("blacklist.py");
    let mut command = Command::new(interpreter);
    command.arg(script).args(["--brokers", &kafka.brokers]);
    command.args(["--topic", topic, "--reader", &uscc(group)]);
    command
}

/// What somebody who comes with the certificate of `who` reads, or why it does not.
fn read_as(up: &Up, who: u32, topic: &str, group: u32) -> Result<String, String> {
    let identity = up.node.organisation(&uscc(who)).unwrap();
    let mut command = reader(up, topic, group);
    command.arg("--ca").arg(up.node.authority());
    command.arg("--certificate").arg(identity.certificate).arg("--key").arg(identity.key);
    outcome(&mut command)
}

fn record(up: &Up) -> String {
    fs::read_to_string(up.folder.join("kafka/kafka.log")).unwrap()
}

fn outcome(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap();
    let said = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(said(output.stdout)) } else { Err(said(output.stderr)) }
}

fn assert_recorded(record: &str, who: u32, operation: &str, resource: &str) {
    let (principal, operation) =
        (format!("User:{} is Denied", uscc(who)), format!("operation = {operation} "));
    let is_it = |line: &&str| {
        line.starts_with("20")
            && [&*principal, &operation, resource].iter().all(|it| line.contains(it))
    };
    assert!(
        record.lines().any(|line| is_it(&line)),
        "{principal} {operation} {resource}: {record}"
    );
}

#[tokio::test]
async fn a_reader_reads_what_leaves_the_node_and_whoever_else_comes_is_refused_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let up = start(folder.path(), &[PLATFORM]).await;
    assert_eq!(read_as(&up, PLATFORM, BLACKLIST, PLATFORM), Ok("{}\n".to_owned()));
    assert_eq!(read_as(&up, PLATFORM, LISTINGS, PLATFORM), Ok("{}\n".to_owned()));
    assert!(
        !record(&up).contains("is Denied"),
        "the node and its reader lack nothing: {}",
        record(&up)
    );

    for (who, topic, group, refusal) in [
        (PLATFORM, EVENTS, PLATFORM, "TOPIC_AUTHORIZATION_FAILED"),
        (PLATFORM, BLACKLIST, OTHER, "GROUP_AUTHORIZATION_FAILED"),
        (OTHER, BLACKLIST, OTHER, "AUTHORIZATION_FAILED"),
    ] {
        let refused = read_as(&up, who, topic, group).unwrap_err();
        assert!(refused.contains(refusal), "{topic}: {refused}");
    }
    // a client that is in no group asks for the topic alone
    let Identity { certificate, key } = up.node.organisation(&uscc(OTHER)).unwrap();
    let tls = Tls { ca: up.node.authority(), certificate, key };
    let cluster = Cluster { tls: Some(tls), ..up.node.settings().cluster().unwrap() };
    read_topic(&cluster, BLACKLIST).await.unwrap_err();
    let mut nobody = reader(&up, BLACKLIST, OTHER);
    nobody.args(["--wait", GIVES_UP]).arg("--ca").arg(up.node.authority());
    let refused = outcome(&mut nobody).unwrap_err();
    assert!(refused.contains("SSL") || refused.contains("certificate"), "{refused}");
    let mut plain = reader(&up, BLACKLIST, OTHER);
    outcome(plain.args(["--wait", GIVES_UP])).unwrap_err();

    let record = record(&up);
    assert_recorded(&record, PLATFORM, "DESCRIBE", &format!("Topic:LITERAL:{EVENTS}"));
    assert_recorded(&record, PLATFORM, "DESCRIBE", &format!("Group:LITERAL:{}.", uscc(OTHER)));
    assert_recorded(&record, OTHER, "DESCRIBE", &format!("Topic:LITERAL:{BLACKLIST}"));
    assert!(record.contains("Failed authentication with"), "whoever has no certificate: {record}");
    up.stop().await;

    let up = start(folder.path(), &[OTHER]).await;
    let refused = read_as(&up, PLATFORM, BLACKLIST, PLATFORM).unwrap_err();
    assert!(refused.contains("AUTHORIZATION_FAILED"), "it is no reader any more: {refused}");
    assert_eq!(read_as(&up, OTHER, BLACKLIST, OTHER), Ok("{}\n".to_owned()), "it is one now");
    up.stop().await;
}

#[test]
fn two_topics_are_for_others() {
    let settings = Settings::read(Path::new("../docs/onenet.toml")).unwrap();
    let kafka = settings.kafka.unwrap();
    let beside = |context: &onenet_chassis::Context| {
        let names = (context.beside)(&kafka).into_iter();
        names
            .map(|beside| format!("onenet.{}.{}.v1", context.name, beside.name()))
            .collect::<Vec<_>>()
    };
    let all: Vec<String> = contexts().iter().flat_map(beside).collect();
    assert_eq!(
        all,
        [LISTINGS, BLACKLIST],
        "a further one is opened to every reader of the blacklist"
    );
}
