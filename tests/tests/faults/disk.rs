//! Disks that are full, under PostgreSQL and under Kafka: small file systems of their own, which only root may
//! mount.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use onenet_devservers::{Kafka, Postgres};
use onenet_eventstore::{sqlx, testing::Scratch};
use onenet_kafka::Cluster;
use onenet_tests::{
    process::{Process, until},
    topics,
};

use crate::relay;

const SCHEMA: &str = "ledger";
const FULL: &str = "No space left on device";

/// A file system of some megabytes, gone when this is dropped.
struct Small(PathBuf);

impl Small {
    /// None, and a word to whoever runs the tests, where nobody may mount one.
    fn mount(at: &Path, megabytes: u32) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let size = format!("size={megabytes}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).status();
        if !mounted.is_ok_and(|status| status.success()) {
            // past what the test harness keeps to itself
            let skipped = b"SKIPPED: full disks are not tested, which needs root\n";
            io::stderr().write_all(skipped).unwrap();
            return None;
        }
        Some(Self(at.to_owned()))
    }

    /// Leaves no room.
    fn fill(&self) {
        let mut file = File::create(self.0.join("filler")).unwrap();
        let zeros = vec![0; 64 * 1024];
        while file.write_all(&zeros).is_ok() {}
        // what is less than a piece
        while file.write_all(&[0]).is_ok() {}
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

fn says(log: &Path, what: &str) -> bool {
    fs::read(log).is_ok_and(|text| String::from_utf8_lossy(&text).contains(what))
}

fn writer(scratch: &Scratch, name: &str) -> Process {
    let url = scratch.settings(SCHEMA).url;
    Process::start(env!("CARGO_BIN_EXE_onenet-test-log"), &["append", &url, SCHEMA, name])
}

fn folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    // PostgreSQL runs as another user where the test is root
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[tokio::test]
async fn a_full_disk_under_postgresql_refuses_and_loses_nothing() {
    let folder = folder();
    drop(Postgres::start(folder.path()).unwrap());
    let (data, moved) = (folder.path().join("data"), folder.path().join("moved"));
    fs::rename(&data, &moved).unwrap();
    let Some(small) = Small::mount(&data, 160) else { return };
    let copied = Command::new("cp").arg("-a").arg(moved.join(".")).arg(&data).status().unwrap();
    assert!(copied.success());
    let server = Postgres::start(folder.path()).unwrap();
    let scratch = Scratch::create(&server.url("postgres")).await.unwrap();
    let log = scratch.log(SCHEMA, &[]).await.unwrap();
    let writers = ["a", "b"].map(|name| writer(&scratch, name));
    for writer in &writers {
        writer.until_said(20, "twenty answers").await;
    }

    small.fill();
    let said = folder.path().join("postgres.log");
    until("a write without room", async || says(&said, FULL)).await;
    let answered = writers.each_ref().map(|writer| writer.said().len());
    small.make_room();

    // without room for its own log, the server gives up; without room for a table it goes on
    let _server = if says(&said, "PANIC") {
        drop(server);
        Postgres::start(folder.path()).unwrap()
    } else {
        server
    };
    for (writer, answered) in writers.iter().zip(answered) {
        writer.until_said(answered + 20, "answers after there was room again").await;
    }
    let answers: Vec<_> = writers.into_iter().flat_map(Process::kill).collect();
    super::log::check(&log, &answers).await;
}

#[tokio::test]
async fn a_full_disk_under_kafka_holds_up_and_loses_nothing() {
    let folder = folder();
    let Some(small) = Small::mount(&folder.path().join("logs"), 64) else { return };
    let kafka = Kafka::start(folder.path(), &[]).unwrap();
    let scratch = Scratch::create(onenet_devservers::shared_postgres().unwrap()).await.unwrap();
    let log = scratch.log(SCHEMA, &[]).await.unwrap();
    let (bootstrap, prefix) = (kafka.bootstrap(), "full.");
    let (cluster, topics) = (Cluster::plain(&bootstrap), topics(prefix));
    topics.ensure(&cluster, 3, &[]).await.unwrap();
    let url = scratch.settings(SCHEMA).url;
    let relay = || {
        Process::start(env!("CARGO_BIN_EXE_onenet-test-relay"), &[&url, SCHEMA, &bootstrap, prefix])
    };
    let (first, writer) = (relay(), writer(&scratch, "a"));
    writer.until_said(20, "twenty answers").await;
    until("a transaction", async || relay::count(&first.said(), "committed") > 0).await;

    small.fill();
    let said = folder.path().join("kafka.log");
    until("a record without room", async || says(&said, FULL)).await;
    // commands are answered all the same
    writer.until_said(writer.said().len() + 20, "answers without Kafka").await;
    first.kill();
    // its lease would keep the successor waiting for ten seconds
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql("update leases set until = '-infinity'").execute(&mut owner).await.unwrap();
    small.make_room();

    // a broker whose only disk failed has ended, or is to be ended
    drop(kafka);
    let kafka = Kafka::start(folder.path(), &[]).unwrap();
    assert_eq!(kafka.bootstrap(), bootstrap);
    let _second = relay();
    writer.kill();
    let head = log.head().await.unwrap().number;
    relay::every_event_is_published_once(&log, &cluster, &topics.events(), head).await;
}
