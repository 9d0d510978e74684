//! The primary is lost in the middle of the load, machine and disk, and its standby takes over.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    process::Command,
    sync::{Arc, Mutex},
};

use onenet_devservers::Postgres;
use onenet_eventstore::{
    PgLog,
    sqlx::{self, Connection as _, PgConnection},
    testing::{Scratch, cause},
};
use onenet_kernel::EventStore as _;
use onenet_tests::{open_log, process::until, writer::append};
use tempfile::TempDir;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::log::check;

const SCHEMA: &str = "ledger";
const STANDBY: &str = "second";
/// So many commands are under way at once.
const WRITERS: usize = 24;
/// So many are answered before the fault.
const ANSWERS: usize = 1_000;

struct Pair {
    primary: Postgres,
    standby: Postgres,
    scratch: Scratch,
    log: PgLog,
    folders: [TempDir; 2],
}

impl Pair {
    async fn start() -> Self {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        for folder in &folders {
            // for root, PostgreSQL runs as somebody else
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let primary = Postgres::start(folders[0].path()).unwrap();
        let standby = primary.standby(folders[1].path(), STANDBY).unwrap();
        let scratch = Scratch::create(&primary.url("postgres")).await.unwrap();
        let log = scratch.log(SCHEMA, &[]).await.unwrap();
        Self { primary, standby, scratch, log, folders }
    }

    async fn synchronous() -> Self {
        let pair = Self::start().await;
        pair.primary.commits_wait_for(STANDBY).unwrap();
        pair
    }

    /// Loses the primary under these writers: the log on what was the standby, and what each writer was
    /// answered before.
    async fn lose_primary(
        self,
        writers: Writers,
        receiver: Option<Receiver>,
    ) -> (Promoted, Vec<Vec<String>>) {
        let [old, new] =
            [&self.primary, &self.standby].map(|server| format!(":{}/", server.port()));
        self.primary.kill();
        let answers = writers.stop();
        drop(receiver);
        self.standby.promote().unwrap();
        let url = self.scratch.settings(SCHEMA).url.replace(&old, &new);
        let log = open_log(&url, SCHEMA).await.unwrap();
        (Promoted { log, _server: self.standby, _folders: self.folders }, answers)
    }
}

struct Promoted {
    log: PgLog,
    _server: Postgres,
    _folders: [TempDir; 2],
}

impl Promoted {
    /// Everything acknowledged is there, once, and whoever sends its commands again (the last of them
    /// was not answered) gets the same receipts.
    async fn has_all(&self, answers: &[Vec<String>]) {
        check(&self.log, &answers.concat()).await;
        let writers = Writers::start(&self.log);
        until("answers of the standby", async || {
            writers.said().iter().zip(answers).all(|(now, before)| now.len() > before.len() + 5)
        })
        .await;
        let repeated = writers.stop();
        for (now, before) in repeated.iter().zip(answers) {
            assert_eq!(now[..before.len()], before[..], "a retry gets the first receipt");
        }
        check(&self.log, &repeated.concat()).await;
    }
}

/// Writers in this process, and the answers each has got.
struct Writers {
    answers: Vec<Arc<Mutex<Vec<String>>>>,
    running: JoinSet<()>,
}

impl Writers {
    fn start(log: &PgLog) -> Self {
        let (mut answers, mut running) = (Vec::new(), JoinSet::new());
        for n in 0..WRITERS {
            let (log, said) = (log.clone(), Arc::new(Mutex::new(Vec::new())));
            answers.push(Arc::clone(&said));
            running.spawn(async move {
                append(&log, &format!("w{n}"), |line| said.lock().unwrap().push(line)).await;
            });
        }
        Self { answers, running }
    }

    fn said(&self) -> Vec<Vec<String>> {
        self.answers.iter().map(|said| said.lock().unwrap().clone()).collect()
    }

    async fn have_answers(&self, count: usize) {
        until("answers", async || self.said().concat().len() >= count).await;
    }

    fn stop(mut self) -> Vec<Vec<String>> {
        self.running.abort_all();
        self.said()
    }
}

fn position(answer: &str) -> u64 {
    answer.split_once(' ').unwrap().1.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synchronous_standby_has_everything_that_was_acknowledged() {
    let pair = Pair::synchronous().await;
    let writers = Writers::start(&pair.log);
    writers.have_answers(ANSWERS).await;
    let (promoted, answers) = pair.lose_primary(writers, None).await;
    promoted.has_all(&answers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_while_the_standby_lacks_it_not_even_to_a_retry() {
    let pair = Pair::synchronous().await;
    let mut owner = pair.scratch.owner(SCHEMA).await.unwrap();
    let writers = Writers::start(&pair.log);
    writers.have_answers(ANSWERS).await;
    let receiver = Receiver::hangs(&pair.standby).await;
    let first = a_commit_waits(&mut owner, &[]).await;
    let replicated = pair.log.head().await.unwrap().number;

    // cut off there, the batch stands in the primary's log, and the appender sends it again
    sqlx::query("select pg_terminate_backend($1)").bind(first).execute(&mut owner).await.unwrap();
    let second = a_commit_waits(&mut owner, &[first]).await;
    let newest: Uuid = sqlx::query_scalar("select command_id from events order by position desc")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert!(pair.log.head().await.unwrap().number > replicated, "the primary alone has it");
    let log = pair.log.clone();
    let asked = tokio::spawn(async move { log.receipt(&cause(newest)).await });
    until("the fate of a receipt", async || {
        asked.is_finished() || waits(&mut owner, &[first, second]).await.is_some()
    })
    .await;
    assert!(!asked.is_finished(), "a receipt that the standby lacks");
    let answered = writers.said().concat().iter().map(|answer| position(answer)).max();
    assert!(answered.unwrap() <= replicated, "an answer that the standby lacks");

    let (promoted, answers) = pair.lose_primary(writers, Some(receiver)).await;
    promoted.has_all(&answers).await;
}

/// The process of the standby that receives what the primary writes.
struct Receiver(i32);

impl Receiver {
    async fn hangs(standby: &Postgres) -> Self {
        let mut superuser = PgConnection::connect(&standby.url("postgres")).await.unwrap();
        let pid = sqlx::query_scalar("select pid from pg_stat_wal_receiver");
        let receiver = Self(pid.fetch_one(&mut superuser).await.unwrap());
        receiver.signal("STOP");
        receiver
    }

    fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.0);
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.signal("CONT");
    }
}

/// Waits until a server process other than these waits for the standby; answers which.
async fn a_commit_waits(owner: &mut PgConnection, others: &[i32]) -> i32 {
    let mut waiting = None;
    until("a commit that waits for the standby", async || {
        waiting = waits(owner, others).await;
        waiting.is_some()
    })
    .await;
    waiting.unwrap()
}

async fn waits(owner: &mut PgConnection, others: &[i32]) -> Option<i32> {
    sqlx::query_scalar(
        "select pid from pg_stat_activity where wait_event = 'SyncRep' and pid <> all($1)",
    )
    .bind(others)
    .fetch_optional(owner)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_asynchronous_standby_has_a_prefix_of_it() {
    a_prefix_is_kept("keeps up", None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_asynchronous_standby_that_hangs_has_a_prefix_of_it() {
    // more than the buffers of a connection hold, which the standby still reads afterwards
    a_prefix_is_kept("hangs for 4,000 commands", Some(4_000)).await;
}

/// How many acknowledged commands are lost is a figure for docs/runbooks/backup.md, and no promise.
async fn a_prefix_is_kept(standby: &str, hangs_for: Option<usize>) {
    let pair = Pair::start().await;
    let writers = Writers::start(&pair.log);
    writers.have_answers(ANSWERS).await;
    let mut receiver = None;
    if let Some(commands) = hangs_for {
        receiver = Some(Receiver::hangs(&pair.standby).await);
        writers.have_answers(writers.said().concat().len() + commands).await;
    }
    let (promoted, answers) = pair.lose_primary(writers, receiver).await;
    let head = promoted.log.head().await.unwrap().number;
    let answers = answers.concat();
    let (kept, lost): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| position(answer) <= head);
    check(&promoted.log, &kept).await;
    let (lost, all) = (lost.len(), lost.len() + kept.len());
    let figure = format!("asynchronous, {standby}: {lost} of {all} acknowledged commands are lost");
    writeln!(std::io::stderr(), "{figure}").ok();
}
