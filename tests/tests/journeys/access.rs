//! Who reads what on the Kafka of `onenet up`: a reader what leaves the node, and nobody anything else. Who
//! is refused stands in the broker's log.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use onenet_chassis::{config::Settings, testing::uscc};
use onenet_devservers::{Identity, Pki};
use onenet_kafka::{Cluster, Tls, read_topic};
use onenet_tests::{
    actors::PLATFORM,
    network::{contexts, onenet, python},
    process::{Process, until},
};

const OTHER: u32 = 31;
const BLACKLIST: &str = "onenet.credit.blacklist.v1";
const LISTINGS: &str = "onenet.credit.listings.v1";
const EVENTS: &str = "onenet.credit.events.v1";
/// Seconds after which a reader gives up that cannot connect at all.
const GIVES_UP: &str = "5";

/// A node of `onenet up`, with a Kafka of its own.
struct Up {
    folder: PathBuf,
    process: Process,
}

impl Up {
    async fn start(folder: &Path, readers: &[u32]) -> Self {
        let mut words: Vec<String> = ["up", "--kafka", "private", "--listen", "127.0.0.1:0"]
            .into_iter()
            .map(str::to_owned)
            .collect();
        words.extend(["--data".to_owned(), folder.to_str().unwrap().to_owned()]);
        for reader in readers {
            words.extend(["--reader".to_owned(), uscc(*reader)]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let process = Process::start(onenet(), &words);
        until("a node that is ready", async || {
            process.said().iter().any(|line| line.contains("Ctrl-C"))
        })
        .await;
        Self { folder: folder.to_owned(), process }
    }

    fn pki(&self) -> Pki {
        Pki::open(&self.folder.join("pki")).unwrap()
    }

    fn organisation(&self, who: u32) -> Identity {
        self.pki().organisation("henan", &uscc(who)).unwrap()
    }

    fn settings(&self) -> Settings {
        Settings::read(&self.folder.join("onenet.toml")).unwrap()
    }

    fn reader(&self, topic: &str, group: u32) -> Command {
        let kafka = self.settings().kafka.unwrap();
        let (interpreter, script) = python("blacklist.py");
        let mut command = Command::new(interpreter);
        command.arg(script).args(["--brokers", &kafka.brokers]);
        command.args(["--topic", topic, "--reader", &uscc(group)]);
        command
    }

    /// What somebody who comes with the certificate of `who` reads, or why it does not.
    fn read_as(&self, who: u32, topic: &str, group: u32) -> Result<String, String> {
        let identity = self.organisation(who);
        let mut command = self.reader(topic, group);
        command.arg("--ca").arg(self.pki().authority());
        command.arg("--certificate").arg(identity.certificate).arg("--key").arg(identity.key);
        outcome(&mut command)
    }

    fn record(&self) -> String {
        fs::read_to_string(self.folder.join("kafka/kafka.log")).unwrap()
    }

    async fn stop(self) {
        self.process.terminate();
        assert!(self.process.ended().await, "the node did not stop well");
    }
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
    // PostgreSQL runs as another user where the test is root
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let up = Up::start(folder.path(), &[PLATFORM]).await;
    assert_eq!(up.read_as(PLATFORM, BLACKLIST, PLATFORM), Ok("{}\n".to_owned()));
    assert_eq!(up.read_as(PLATFORM, LISTINGS, PLATFORM), Ok("{}\n".to_owned()));
    assert!(
        !up.record().contains("is Denied"),
        "the node and its reader lack nothing: {}",
        up.record()
    );

    for (who, topic, group, refusal) in [
        (PLATFORM, EVENTS, PLATFORM, "TOPIC_AUTHORIZATION_FAILED"),
        (PLATFORM, BLACKLIST, OTHER, "GROUP_AUTHORIZATION_FAILED"),
        (OTHER, BLACKLIST, OTHER, "AUTHORIZATION_FAILED"),
    ] {
        let refused = up.read_as(who, topic, group).unwrap_err();
        assert!(refused.contains(refusal), "{topic}: {refused}");
    }
    // a client that is in no group asks for the topic alone
    let Identity { certificate, key } = up.organisation(OTHER);
    let tls = Tls { ca: up.pki().authority(), certificate, key };
    let cluster = Cluster { tls: Some(tls), ..up.settings().cluster().unwrap() };
    read_topic(&cluster, BLACKLIST).await.unwrap_err();
    let mut nobody = up.reader(BLACKLIST, OTHER);
    nobody.args(["--wait", GIVES_UP]).arg("--ca").arg(up.pki().authority());
    let refused = outcome(&mut nobody).unwrap_err();
    assert!(refused.contains("SSL") || refused.contains("certificate"), "{refused}");
    let mut plain = up.reader(BLACKLIST, OTHER);
    outcome(plain.args(["--wait", GIVES_UP])).unwrap_err();

    let record = up.record();
    assert_recorded(&record, PLATFORM, "DESCRIBE", &format!("Topic:LITERAL:{EVENTS}"));
    assert_recorded(&record, PLATFORM, "DESCRIBE", &format!("Group:LITERAL:{}.", uscc(OTHER)));
    assert_recorded(&record, OTHER, "DESCRIBE", &format!("Topic:LITERAL:{BLACKLIST}"));
    assert!(record.contains("Failed authentication with"), "whoever has no certificate: {record}");
    up.stop().await;

    let up = Up::start(folder.path(), &[OTHER]).await;
    let refused = up.read_as(PLATFORM, BLACKLIST, PLATFORM).unwrap_err();
    assert!(refused.contains("AUTHORIZATION_FAILED"), "it is no reader any more: {refused}");
    assert_eq!(up.read_as(OTHER, BLACKLIST, OTHER), Ok("{}\n".to_owned()), "it is one now");
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
