//! Positions, versions, receipts and refusals of single appends and of racing ones.

use futures::future::join_all;
use onenet_eventstore::{Db, MAX_EVENT_BYTES, PgLog, testing::new_id};
use onenet_kernel::{Appended, EventStore as _, NewEvent, StoreError, Version};

use crate::support::{SCHEMA, append, assert_gapless, cause, event, scratch, stream};

#[tokio::test]
async fn concurrent_appends_of_two_writers_leave_no_gap() {
    let (scratch, one) = scratch().await;
    let two = PgLog::open(Db::connect(&scratch.settings(SCHEMA)).await.unwrap()).await.unwrap();
    let appends = (0..400).map(|n| {
        let log = if n % 2 == 0 { one.clone() } else { two.clone() };
        async move { append(&log, &format!("s{}", n % 200), 0, &["x", "y"]).await }
    });
    let outcomes = join_all(appends).await;
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let lost = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(StoreError::Conflict { actual: Version(2) })))
        .count();
    assert_eq!((won, lost), (200, 200), "each stream has one first writer");
    assert_eq!(assert_gapless(&one).await, 400);
}

/// What is queued at once goes in one batch: the test's only thread queues all before any is sent.
#[tokio::test]
async fn commands_of_one_batch_are_judged_and_placed_each_by_itself() {
    let (_scratch, log) = scratch().await;
    let known = cause(new_id());
    let send = async |key: &str, expected, cause, payloads: &[&str]| {
        let events = payloads.iter().map(|payload| event(payload)).collect();
        log.append(&stream(key), Version(expected), &cause, events).await
    };
    let place = |outcome: Result<Appended, StoreError>| match outcome {
        Ok(appended) => Ok(appended.receipt.position.number),
        Err(StoreError::Conflict { actual: Version(actual) }) => Err(actual),
        Err(error) => panic!("{error}"),
    };
    assert_eq!(place(send("a", 0, known.clone(), &["1"]).await), Ok(1));

    let mixed = tokio::join!(
        send("b", 0, cause(new_id()), &["1", "2"]),
        send("a", 0, known, &["1"]),
        send("a", 1, cause(new_id()), &[]),
        send("a", 5, cause(new_id()), &["6"]),
        send("c", 0, cause(new_id()), &["1"]),
        send("c", 0, cause(new_id()), &["1"]),
    );
    let places = [mixed.0, mixed.1, mixed.2, mixed.3, mixed.4, mixed.5].map(place);
    assert_eq!(places, [Ok(3), Ok(1), Ok(1), Err(1), Ok(4), Err(1)]);

    let clean = tokio::join!(
        send("a", 1, cause(new_id()), &["2", "3"]),
        send("d", 0, cause(new_id()), &["1"]),
        send("c", 1, cause(new_id()), &["2", "3", "4"]),
    );
    assert_eq!([clean.0, clean.1, clean.2].map(place), [Ok(6), Ok(7), Ok(10)]);
    assert_eq!(assert_gapless(&log).await, 10);
}

#[tokio::test]
async fn recorded_at_follows_the_order_of_positions() {
    let (_scratch, log) = scratch().await;
    join_all((0..50).map(|n| {
        let log = log.clone();
        async move { append(&log, &n.to_string(), 0, &["x"]).await.unwrap() }
    }))
    .await;
    let times: Vec<_> =
        log.read(0, 100).await.unwrap().into_iter().map(|recorded| recorded.recorded_at).collect();
    assert!(times.is_sorted());
}

#[tokio::test]
async fn recorded_at_never_goes_back_with_the_servers_clock() {
    let (scratch, log) = scratch().await;
    append(&log, "a", 0, &["x"]).await.unwrap();
    // as after a server whose clock was an hour ahead, and was then put right
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql(
        "alter table events disable trigger all;
         update events set recorded_at = recorded_at + interval '1 hour';
         alter table events enable trigger all",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    append(&log, "b", 0, &["y"]).await.unwrap();
    let recorded = log.read(0, 10).await.unwrap();
    assert_eq!(recorded[0].recorded_at, recorded[1].recorded_at);
}

#[tokio::test]
async fn what_cannot_be_published_is_refused_and_harms_no_neighbour() {
    let (_scratch, log) = scratch().await;
    let with = |change: fn(&mut NewEvent)| {
        let mut bad = event("x");
        change(&mut bad);
        bad
    };
    let bad = [
        ("payload", with(|e| e.payload = vec![0; MAX_EVENT_BYTES + 1].into())),
        ("division", with(|e| e.key.division = "4101\u{0}02".to_owned())),
        ("industry", with(|e| e.key.industry = "x".repeat(600))),
    ];
    for (expected, event) in bad {
        let outcome =
            log.append(&stream("bad"), Version::NONE, &cause(new_id()), vec![event]).await;
        assert!(
            matches!(outcome, Err(StoreError::Unstorable { field, .. }) if field == expected),
            "{outcome:?}"
        );
    }
    append(&log, "good", 0, &["x"]).await.unwrap();
    assert_eq!(assert_gapless(&log).await, 1);
}

/// A date that PostgreSQL cannot hold gets past the checks in the process: the batch fails as a
/// whole, and is halved until the command at fault is alone.
#[tokio::test]
async fn a_data_error_fails_its_own_command_only() {
    let (_scratch, log) = scratch().await;
    let appends = (0..40).map(|n| {
        let log = log.clone();
        async move {
            let mut cause = cause(new_id());
            if n == 17 {
                // a version whose successor is beyond bigint
                return log
                    .append(&stream("17"), Version(u64::MAX / 2), &cause, vec![event("x")])
                    .await;
            }
            cause.rules_version = n.to_string();
            log.append(&stream(&n.to_string()), Version::NONE, &cause, vec![event("x")]).await
        }
    });
    let outcomes = join_all(appends).await;
    let failed: Vec<_> = outcomes
        .iter()
        .enumerate()
        .filter(|(_, outcome)| outcome.is_err())
        .map(|(n, _)| n)
        .collect();
    assert_eq!(failed, [17]);
    assert_eq!(assert_gapless(&log).await, 39);
}

#[tokio::test]
async fn judging_probes_indexes_however_large_the_log_is() {
    let (scratch, log) = scratch().await;
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql(
        "insert into events
         select n, 1, 'old-' || n, 1, gen_random_uuid(), 't', '', 's', '', '', now(), now(),
            'org:x', gen_random_uuid(), 0, '', gen_random_uuid(), null, 'x', null, '', '',
            null, null, null, null, '' from generate_series(1, 50000) n;
         analyze events;",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let scans = "select pg_stat_force_next_flush(), seq_scan from pg_stat_user_tables
        where relid = 'events'::regclass";
    let before: i64 = seq_scans(&mut owner, scans).await;
    // of 200 streams each in a batch with nothing to judge, and in one with conflicts
    for _ in 0..2 {
        join_all((0..200).map(|n| {
            let log = log.clone();
            async move { append(&log, &format!("new{n}"), 0, &["x"]).await.ok() }
        }))
        .await;
    }
    drop(log);
    // the writer's connection reports its statistics when it closes
    let mut connections = 1_i64;
    for _ in 0..500 {
        connections = sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where datname = current_database() and usename = 'onenet_test'",
        )
        .fetch_one(&mut owner)
        .await
        .unwrap();
        if connections == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(connections, 0, "the log's connections are closed");
    assert_eq!(seq_scans(&mut owner, scans).await - before, 0, "an append read the whole table");
}

async fn seq_scans(owner: &mut sqlx::PgConnection, statement: &'static str) -> i64 {
    use sqlx::Row as _;
    sqlx::query(statement).fetch_one(owner).await.unwrap().get("seq_scan")
}
