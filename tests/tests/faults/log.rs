//! Writers, a follower and clocks.

use std::collections::HashMap;

use onenet_eventstore::{
    PgLog,
    sqlx::{self, PgConnection},
    testing::{Scratch, cause, event, new_id},
};
use onenet_kernel::{EventStore as _, StreamId, Version};

use onenet_tests::process::{Process, until};

const SCHEMA: &str = "ledger";
const HOLD: &str = "begin; select pg_advisory_xact_lock(1, 'events'::regclass::oid::integer)";

async fn scratch() -> (Scratch, PgLog) {
    let server = onenet_devservers::shared_postgres().unwrap();
    let scratch = Scratch::create(server).await.unwrap();
    let log = scratch.log(SCHEMA, &[]).await.unwrap();
    (scratch, log)
}

fn start(scratch: &Scratch, role: &str, words: &[&str]) -> Process {
    let url = scratch.settings(SCHEMA).url;
    let words = [&[role, &url, SCHEMA], words].concat();
    Process::start(env!("CARGO_BIN_EXE_onenet-test-log"), &words)
}

async fn waits_for_the_lock(owner: &mut PgConnection) -> bool {
    let waiting: i64 = sqlx::query_scalar(
        "select count(*) from pg_locks where locktype = 'advisory' and not granted
            and database = (select oid from pg_database where datname = current_database())",
    )
    .fetch_one(owner)
    .await
    .unwrap();
    waiting >= 3
}

#[tokio::test]
async fn writers_are_killed_and_held_up_and_the_log_stays_whole() {
    let (scratch, log) = scratch().await;
    let mut holder = scratch.owner(SCHEMA).await.unwrap();
    let mut watcher = scratch.owner(SCHEMA).await.unwrap();
    let writers: Vec<_> =
        ["a", "b", "c"].iter().map(|name| start(&scratch, "append", &[name])).collect();
    for writer in &writers {
        writer.until_said(50, "fifty answers").await;
    }
    // an append is held open: everybody queues behind it, and one of them is killed there
    sqlx::raw_sql(HOLD).execute(&mut holder).await.unwrap();
    until("three waiting writers", async || waits_for_the_lock(&mut watcher).await).await;
    let mut writers = writers.into_iter();
    let mut answers = writers.next().unwrap().kill();
    sqlx::raw_sql("commit").execute(&mut holder).await.unwrap();
    // under the same name it sends the same commands again
    let again = start(&scratch, "append", &["a"]);
    again.until_said(answers.len() + 50, "answers of the one started again").await;
    let repeated = again.kill();
    assert_eq!(repeated[..answers.len()], answers, "a retry gets the first receipt");
    answers = repeated;
    for writer in writers {
        answers.extend(writer.kill());
    }
    check(&log, &answers).await;
}

/// Gapless positions and versions; each command's two events once; each answer where it says.
pub(crate) async fn check(log: &PgLog, answers: &[String]) {
    let head = log.head().await.unwrap().number;
    let (mut above, mut versions, mut places) = (0, HashMap::new(), HashMap::new());
    while above < head {
        for recorded in log.read(above, 1_000).await.unwrap() {
            above += 1;
            assert_eq!(recorded.position.number, above, "positions have a gap");
            let version = versions.entry(recorded.stream.clone()).or_insert(0_u64);
            *version += 1;
            assert_eq!(recorded.version.0, *version, "versions have a gap");
            let payload = String::from_utf8(recorded.payload.to_vec()).unwrap();
            places.entry(payload).or_insert_with(Vec::new).push(recorded.position.number);
        }
    }
    for (command, positions) in &places {
        assert_eq!(positions.len(), 2, "{command} had its effect once, as a whole");
        assert_eq!(positions[0] + 1, positions[1], "the events of {command} stand together");
    }
    for answer in answers {
        let (command, position) = answer.split_once(' ').unwrap();
        assert_eq!(places[command][1].to_string(), position, "what was acknowledged is there");
    }
}

#[tokio::test]
async fn a_follower_is_killed_again_and_again_and_handles_each_event_once() {
    let (scratch, log) = scratch().await;
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql(
        "create table copied (seq bigserial, position bigint);
         grant all on copied, copied_seq_seq to onenet_test",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let writer = start(&scratch, "append", &["w"]);
    for _ in 0..6 {
        let before = copied(&log).await.len();
        let follower = start(&scratch, "follow", &["f"]);
        until("progress of the follower", async || copied(&log).await.len() > before).await;
        follower.kill();
        // its lease would keep a successor waiting for ten seconds
        sqlx::raw_sql("update checkpoints set until = '-infinity'")
            .execute(&mut owner)
            .await
            .unwrap();
    }
    writer.kill();
    let head = log.head().await.unwrap().number;
    let _last = start(&scratch, "follow", &["f"]);
    until("the end of the log", async || copied(&log).await.len() as u64 >= head).await;
    // a command that was under way when its sender died may still have been committed after that
    let rows = copied(&log).await;
    let expected: Vec<_> = (1..=i64::try_from(rows.len()).unwrap()).collect();
    assert_eq!(rows, expected);
}

async fn copied(log: &PgLog) -> Vec<i64> {
    sqlx::query_scalar("select position from copied order by seq")
        .fetch_all(&mut *log.db().reader().await.unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn the_clock_is_killed_between_due_and_fired_and_one_command_comes_of_it() {
    one_command_comes_of_it("hang-before", 1).await;
}

#[tokio::test]
async fn the_clock_is_killed_after_firing_and_before_it_is_noted() {
    one_command_comes_of_it("hang-after", 2).await;
}

/// The leader hangs where it is told to after so many lines, and is killed there; two others take
/// over.
async fn one_command_comes_of_it(hang: &str, lines: usize) {
    let (scratch, log) = scratch().await;
    let stream = StreamId::new("account", "t");
    let leader = start(&scratch, "clock", &["leader", hang]);
    log.append(&stream, Version::NONE, &cause(new_id()), vec![event("s", "arm")]).await.unwrap();
    leader.until_said(1 + lines, "the leader's firing").await;
    let others = ["one", "two"].map(|name| start(&scratch, "clock", &[name]));
    leader.kill();
    let armed = async || {
        let timers: i64 = sqlx::query_scalar("select count(*) from timers")
            .fetch_one(&mut *log.db().reader().await.unwrap())
            .await
            .unwrap();
        timers
    };
    until("the successor's firing", async || armed().await == 0).await;
    let fired: usize = others
        .iter()
        .map(|clock| clock.said().iter().filter(|line| *line == "fired").count())
        .sum();
    assert_eq!(fired, 1, "one of the two fired");
    let payloads: Vec<_> = log.load(&stream, Version::NONE).await.unwrap();
    let payloads: Vec<_> = payloads.iter().map(|event| &event.payload[..]).collect();
    assert_eq!(payloads, [b"arm".as_slice(), b"fired"]);
}
