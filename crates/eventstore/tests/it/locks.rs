//! Appends that are held open, cut off, or abandoned by their callers.

use std::time::Duration;

use futures::future::join_all;
use onenet_eventstore::{Db, PgLog, testing::new_id};
use onenet_kernel::{EventStore as _, Version};

use crate::support::{SCHEMA, append, assert_gapless, cause, event, scratch, stream};

pub(crate) const HOLD: &str =
    "begin; select pg_advisory_xact_lock(1, 'events'::regclass::oid::integer)";

/// Level-triggered: until a backend of this database waits for the log's lock.
pub(crate) async fn until_somebody_waits(owner: &mut sqlx::PgConnection) {
    for _ in 0..500 {
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from pg_locks where locktype = 'advisory' and not granted
                and database = (select oid from pg_database where datname = current_database())",
        )
        .fetch_one(&mut *owner)
        .await
        .unwrap();
        if waiting > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    unreachable!("no append reached the lock");
}

#[tokio::test]
async fn appends_wait_for_one_that_is_held_open_and_then_follow_in_order() {
    let (scratch, log) = scratch().await;
    let mut holder = scratch.owner(SCHEMA).await.unwrap();
    let mut watcher = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql(HOLD).execute(&mut holder).await.unwrap();
    let appends: Vec<_> = (0..20)
        .map(|n| {
            let log = log.clone();
            tokio::spawn(async move { append(&log, &n.to_string(), 0, &["x"]).await })
        })
        .collect();
    until_somebody_waits(&mut watcher).await;
    assert_eq!(log.head().await.unwrap().number, 0, "nothing is visible before its turn");
    sqlx::raw_sql("commit").execute(&mut holder).await.unwrap();
    for outcome in join_all(appends).await {
        outcome.unwrap().unwrap();
    }
    assert_eq!(assert_gapless(&log).await, 20);
}

#[tokio::test]
async fn a_command_whose_caller_has_gone_while_it_queued_is_not_written() {
    let (scratch, log) = scratch().await;
    let mut holder = scratch.owner(SCHEMA).await.unwrap();
    let mut watcher = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql(HOLD).execute(&mut holder).await.unwrap();
    let under_way = tokio::spawn({
        let log = log.clone();
        async move { append(&log, "first", 0, &["x"]).await }
    });
    until_somebody_waits(&mut watcher).await;
    // the first batch is in the database; this one can only queue
    let abandoned = append(&log, "abandoned", 0, &["x"]);
    assert!(tokio::time::timeout(Duration::from_millis(50), abandoned).await.is_err());
    sqlx::raw_sql("commit").execute(&mut holder).await.unwrap();
    under_way.await.unwrap().unwrap();
    append(&log, "next", 0, &["x"]).await.unwrap();
    let streams: Vec<_> =
        log.read(0, 10).await.unwrap().iter().map(|e| e.stream.key().to_owned()).collect();
    assert_eq!(streams, ["first", "next"]);
}

#[tokio::test]
async fn a_connection_cut_under_an_append_loses_and_doubles_nothing() {
    let (scratch, log) = scratch().await;
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
        where datname = current_database() and usename = 'onenet_test'";
    let appending = tokio::spawn({
        let log = log.clone();
        async move {
            for round in 0..30 {
                let commands = (0..10).map(|n| append_somehow(&log, format!("{round}-{n}")));
                join_all(commands).await;
            }
        }
    });
    let mut cuts = 0;
    while !appending.is_finished() {
        sqlx::raw_sql(cut).execute(&mut owner).await.unwrap();
        cuts += 1;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    appending.await.unwrap();
    assert!(cuts > 1);
    // the last cut may have met a connection that waits in the pool
    let log = PgLog::open(Db::connect(&scratch.settings(SCHEMA)).await.unwrap()).await.unwrap();
    assert_eq!(assert_gapless(&log).await, 300);
}

/// As a client does: the same command until it has an answer.
async fn append_somehow(log: &PgLog, key: String) {
    let cause = cause(new_id());
    loop {
        let outcome = log.append(&stream(&key), Version::NONE, &cause, vec![event("x")]).await;
        match outcome {
            Ok(_) => return,
            Err(onenet_kernel::StoreError::Fault(_)) => {}
            Err(error) => unreachable!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_full_queue_answers_overloaded_and_writes_nothing_of_it() {
    let (scratch, log) = scratch().await;
    let mut holder = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql(HOLD).execute(&mut holder).await.unwrap();
    let appends: Vec<_> = (0..6_000)
        .map(|n| {
            let log = log.clone();
            tokio::spawn(async move { append(&log, &n.to_string(), 0, &["x"]).await })
        })
        .collect();
    for _ in 0..500 {
        if appends.iter().any(tokio::task::JoinHandle::is_finished) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    sqlx::raw_sql("commit").execute(&mut holder).await.unwrap();
    let outcomes = join_all(appends).await;
    let overloaded = outcomes
        .iter()
        .filter(|o| matches!(o, Ok(Err(onenet_kernel::StoreError::Overloaded))))
        .count();
    let written = outcomes.iter().filter(|o| matches!(o, Ok(Ok(_)))).count();
    assert!(overloaded > 0);
    assert_eq!(overloaded + written, 6_000);
    assert_eq!(assert_gapless(&log).await, written as u64);
}
