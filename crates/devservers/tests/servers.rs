//! Private servers start, answer, recover, and end with their owner.

#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use std::{
    fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use onenet_devservers::{Kafka, Postgres};

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Level-triggered: looks until it is so, for a minute at most.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(1), "{what} did not come");
        std::thread::yield_now();
    }
}

fn is_alive(pid: u32) -> bool {
    // a zombie has ended; its parent has not looked yet
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").trim_start().starts_with('Z'))
}

fn port_in(dir: &Path) -> String {
    fs::read_to_string(dir.join("port")).unwrap()
}

#[test]
fn postgres_recovers_from_a_crash_on_its_port_and_ends_when_dropped() {
    let folder = folder();
    let first = Postgres::start(folder.path()).unwrap();
    let (url, port) = (first.url("postgres"), first.port());
    first.kill();
    let second = Postgres::start(folder.path()).unwrap();
    assert_eq!((second.url("postgres"), second.port()), (url, port));
    let pid = second.pid();
    drop(second);
    assert!(!is_alive(pid));
    assert!(!folder.path().join("data/postmaster.pid").exists(), "a clean shutdown");
}

#[test]
fn an_initialisation_that_was_cut_off_is_begun_again() {
    let folder = folder();
    fs::create_dir(folder.path().join("data.new")).unwrap();
    fs::write(folder.path().join("data.new/PG_VERSION"), "15").unwrap();
    Postgres::start(folder.path()).unwrap();
}

#[test]
fn a_port_that_was_taken_meanwhile_is_replaced() {
    let folder = folder();
    let first = Postgres::start(folder.path()).unwrap().port();
    let _squatter = std::net::TcpListener::bind(("127.0.0.1", first)).unwrap();
    let second = Postgres::start(folder.path()).unwrap();
    assert_ne!(second.port(), first);
}

#[test]
fn kafka_starts_again_on_its_data() {
    let folder = folder();
    let first = Kafka::start(folder.path(), &[("log.retention.ms", "60000")]).unwrap();
    let (pid, port) = (first.pid(), port_in(folder.path()));
    first.kill();
    assert!(!is_alive(pid));
    let second = Kafka::start(folder.path(), &[]).unwrap();
    assert_eq!(port_in(folder.path()), port);
    assert!(second.bootstrap().ends_with(&port));
}

#[test]
fn servers_end_with_an_owner_that_is_killed() {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_onenet-devservers"))
        .args(["run", "--", "sh", "-c", "echo $PPID; exec cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first_line = [0; 1];
    owner.stdout.as_mut().unwrap().read_exact(&mut first_line).unwrap();
    let children = children_of(owner.id());
    assert!(children.len() >= 3, "PostgreSQL, Kafka and the command: {children:?}");
    owner.kill().unwrap();
    owner.wait().unwrap();
    // the command itself ends because its input does
    until("the end of every child", || !children.iter().any(|pid| is_alive(*pid)));
}

fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_string_lossy().parse().ok())
        .filter(|pid| {
            fs::read_to_string(format!("/proc/{pid}/stat"))
                .ok()
                .and_then(|stat| {
                    let after = stat.rsplit(')').next()?.split_whitespace().nth(1)?.to_owned();
                    after.parse().ok()
                })
                .is_some_and(|ppid: u32| ppid == parent)
        })
        .collect()
}

#[test]
fn the_command_decides_the_exit_status_and_finds_both_servers() {
    let script = r#"test -n "$ONENET_TEST_POSTGRES" && test -n "$ONENET_TEST_KAFKA" && exit 7"#;
    let status = Command::new(env!("CARGO_BIN_EXE_onenet-devservers"))
        .args(["run", "--", "sh", "-c", script])
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(7));
}

#[test]
fn a_standby_holds_what_was_committed_when_its_primary_is_lost() {
    let (one, two) = (folder(), folder());
    let primary = Postgres::start(one.path()).unwrap();
    let standby = primary.standby(two.path(), "second").unwrap();
    primary.commits_wait_for("second").unwrap();
    let told = |url: &str, statement: &str| {
        let words = ["-X", "-A", "-t", "-d", url, "-c", statement];
        let output = Command::new("psql").args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (first, second) = (primary.url("postgres"), standby.url("postgres"));
    assert_eq!(told(&first, "create table kept as select 7 as n"), "SELECT 1");
    assert_eq!(told(&second, "insert into kept values (8)"), "", "a standby takes no writes");
    primary.kill();
    standby.promote().unwrap();
    assert_eq!(told(&second, "insert into kept values (8) returning n").lines().next(), Some("8"));
    assert_eq!(told(&second, "select sum(n) from kept"), "15");
    // started again it goes on as what it became
    drop(standby);
    let again = Postgres::start(two.path()).unwrap();
    assert_eq!(told(&again.url("postgres"), "select sum(n) from kept"), "15");
}
