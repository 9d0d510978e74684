//! What is measured says what is so: each test in a schema of its own, which is the label.

use std::{sync::OnceLock, time::Duration};

use futures::future::join_all;
use onenet_eventstore::{
    Db, Follower, HandleError, Handler, LogSource, PgLog, TimerChange, TimerTable, measure_overdue,
    measure_parked, new_owner,
    testing::{Scratch, new_id},
    while_leader,
};
use onenet_kernel::{Recorded, Timestamp};
use prometheus::{Registry, TextEncoder};
use sqlx::PgConnection;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    locks::{HOLD, until_somebody_waits},
    support::append,
};

/// What Prometheus would read.
fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone());
        let provider = opentelemetry_sdk::metrics::SdkMeterProvider::builder()
            .with_reader(exporter.build().unwrap())
            .build();
        opentelemetry::global::set_meter_provider(provider);
        registry
    })
}

/// The value of a metric whose labels contain all these words.
fn value(name: &str, labels: &[&str]) -> Option<f64> {
    let text = TextEncoder::new().encode_to_string(&registry().gather()).unwrap();
    let of_metric = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{'))
            && labels.iter().all(|label| line.contains(label))
    };
    text.lines().find(of_metric)?.rsplit(' ').next()?.parse().ok()
}

/// Level-triggered: until it is measured so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    unreachable!("{what} was not measured");
}

async fn log_of(schema: &str) -> (Scratch, PgLog) {
    registry();
    let scratch = Scratch::create(onenet_devservers::shared_postgres().unwrap()).await.unwrap();
    let log = scratch.log(schema, &[]).await.unwrap();
    (scratch, log)
}

#[tokio::test]
async fn the_queue_and_the_batches_are_those_of_the_appender() {
    let (scratch, log) = log_of("queue").await;
    let measured = |name| value(name, &["log=\"queue\""]);
    let mut holder = scratch.owner("queue").await.unwrap();
    let mut watcher = scratch.owner("queue").await.unwrap();
    sqlx::raw_sql(HOLD).execute(&mut holder).await.unwrap();
    let start = |key: String| {
        let log = log.clone();
        tokio::spawn(async move { append(&log, &key, 0, &["x"]).await })
    };
    let mut appends = vec![start("first".to_owned())];
    until_somebody_waits(&mut watcher).await;
    appends.extend((0..4).map(|n| start(n.to_string())));
    until("a queue of four", || measured("onenet_log_queue") == Some(4.0)).await;
    sqlx::raw_sql("commit").execute(&mut holder).await.unwrap();
    for outcome in join_all(appends).await {
        outcome.unwrap().unwrap();
    }
    assert_eq!(measured("onenet_log_queue"), Some(0.0));
    assert_eq!(measured("onenet_log_batch_count"), Some(2.0), "one alone, then four together");
    assert_eq!(measured("onenet_log_batch_sum"), Some(5.0));
    assert_eq!(measured("onenet_log_append_duration_seconds_count"), Some(5.0));
    assert_eq!(measured("onenet_log_resends_total"), Some(0.0));
}

#[tokio::test]
async fn a_batch_that_is_sent_again_is_counted() {
    let (scratch, log) = log_of("resends").await;
    let mut holder = scratch.owner("resends").await.unwrap();
    let mut watcher = scratch.owner("resends").await.unwrap();
    sqlx::raw_sql(HOLD).execute(&mut holder).await.unwrap();
    let appending = tokio::spawn(async move { append(&log, "a", 0, &["x"]).await });
    until_somebody_waits(&mut watcher).await;
    let cut = "select pg_terminate_backend(pid) from pg_locks
        where locktype = 'advisory' and not granted
            and database = (select oid from pg_database where datname = current_database())";
    sqlx::raw_sql(cut).execute(&mut watcher).await.unwrap();
    let resends = || value("onenet_log_resends_total", &["log=\"resends\""]);
    until("a batch sent again", || resends() == Some(1.0)).await;
    sqlx::raw_sql("commit").execute(&mut holder).await.unwrap();
    appending.await.unwrap().unwrap();
}

/// Waits for a gate to open; cannot handle poison.
struct Gated(watch::Receiver<bool>);

impl Handler for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    async fn handle(&self, _: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        self.0.clone().wait_for(|open| *open).await.unwrap();
        match &event.payload[..] {
            b"poison" => Err(HandleError::Poison("it says so".to_owned())),
            b"fault" => Err(HandleError::Fault("always".into())),
            _ => Ok(()),
        }
    }
}

fn lag(schema: &str) -> (f64, f64) {
    let labels = [&*format!("context=\"{schema}\""), "follower=\"gated\""];
    let of = |unit| value(&format!("onenet_follower_lag_{unit}"), &labels).unwrap_or(-1.0);
    (of("seconds"), of("positions"))
}

#[tokio::test]
async fn the_lag_of_a_follower_that_hangs_grows_and_then_falls() {
    let (_scratch, log) = log_of("hanging").await;
    let (gate, gated) = watch::channel(false);
    let stop = CancellationToken::new();
    let source = LogSource::new(log.clone());
    let follower = Follower::new(log.db().clone(), source, Gated(gated));
    let running = tokio::spawn(follower.run(stop.clone()));
    until("no lag", || lag("hanging") == (0.0, 0.0)).await;
    append(&log, "a", 0, &["x"]).await.unwrap();
    until("an event that waits", || lag("hanging").0 > 0.0).await;
    append(&log, "a", 1, &["poison", "x"]).await.unwrap();
    until("three that wait for seconds", || {
        let (seconds, positions) = lag("hanging");
        seconds > 1.0 && positions >= 3.0
    })
    .await;
    gate.send_replace(true);
    until("no lag", || lag("hanging") == (0.0, 0.0)).await;
    // the poisoned one, and the one behind it
    measure_parked(log.db(), &["gated", "other"]).await.unwrap();
    let parked = |follower| value("onenet_follower_parked", &["context=\"hanging\"", follower]);
    assert_eq!(parked("follower=\"gated\""), Some(2.0));
    assert_eq!(parked("follower=\"other\""), Some(0.0));
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(lag("hanging"), (-1.0, -1.0), "a follower that has ended is measured no longer");
}

#[tokio::test]
async fn the_lag_of_a_follower_whose_handler_or_database_fails_grows() {
    let (scratch, log) = log_of("failing").await;
    let (_gate, gated) = watch::channel(true);
    let stop = CancellationToken::new();
    let source = LogSource::new(log.clone());
    let follower = Follower::new(log.db().clone(), source, Gated(gated));
    let running = tokio::spawn(follower.run(stop.clone()));
    until("no lag", || lag("failing") == (0.0, 0.0)).await;
    // nothing waits, and the log cannot be read
    let mut owner = scratch.owner("failing").await.unwrap();
    let rename = |from, to| format!("alter table {from} rename to {to}");
    let hide = sqlx::AssertSqlSafe(rename("checkpoints", "hidden"));
    sqlx::raw_sql(hide).execute(&mut owner).await.unwrap();
    until("a source that fails", || lag("failing").0 > 1.0).await;
    let show = sqlx::AssertSqlSafe(rename("hidden", "checkpoints"));
    sqlx::raw_sql(show).execute(&mut owner).await.unwrap();
    until("no lag", || lag("failing") == (0.0, 0.0)).await;
    append(&log, "a", 0, &["fault"]).await.unwrap();
    until("a handler that fails", || lag("failing").0 > 1.0).await;
    let (before, _) = lag("failing");
    until("its growth", || lag("failing").0 > before + 1.0).await;
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_timer_that_nobody_fires_is_overdue() {
    let (_scratch, log) = log_of("overdue").await;
    let overdue = async |db: &Db| {
        measure_overdue(db).await.unwrap();
        value("onenet_clock_overdue_seconds", &["context=\"overdue\""]).unwrap()
    };
    assert!(overdue(log.db()).await <= 0.0);
    let table = TimerTable::new(|event| {
        let due_at = Timestamp::from_micros(event.recorded_at.as_micros() - 60_000_000);
        Ok(vec![TimerChange::Arm { name: new_id().to_string(), due_at }])
    });
    let stop = CancellationToken::new();
    let follower = Follower::new(log.db().clone(), LogSource::new(log.clone()), table);
    let running = tokio::spawn(follower.run(stop.clone()));
    append(&log, "a", 0, &["arm"]).await.unwrap();
    let mut seconds = 0.0;
    for _ in 0..500 {
        seconds = overdue(log.db()).await;
        if seconds > 0.0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!((60.0..120.0).contains(&seconds), "{seconds}");
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_lease_is_measured_by_who_holds_it() {
    let (scratch, log) = log_of("leases").await;
    let held = || value("onenet_lease_held", &["context=\"leases\"", "lease=\"one\""]);
    let changes = |change: &str| {
        let change = format!("change=\"{change}\"");
        value("onenet_lease_changes_total", &["context=\"leases\"", "lease=\"one\"", &change])
    };
    let (db, stop) = (log.db().clone(), CancellationToken::new());
    let stopping = stop.clone();
    let leading = tokio::spawn(async move {
        while_leader(&db, "one", new_owner(), &stopping, |_, lost| lost.cancelled_owned()).await;
    });
    until("a lease won", || held() == Some(1.0)).await;
    assert_eq!(changes("won"), Some(1.0));
    // another takes it while this one cannot renew
    let mut owner = scratch.owner("leases").await.unwrap();
    sqlx::query("update leases set owner = $1, epoch = epoch + 1")
        .bind(new_id())
        .execute(&mut owner)
        .await
        .unwrap();
    until("a lease lost", || held() == Some(0.0)).await;
    assert_eq!(changes("lost"), Some(1.0));
    sqlx::raw_sql("update leases set until = '-infinity'").execute(&mut owner).await.unwrap();
    until("the lease won back", || held() == Some(1.0)).await;
    stop.cancel();
    leading.await.unwrap();
    assert_eq!(held(), Some(0.0));
    assert_eq!((changes("won"), changes("returned")), (Some(2.0), Some(1.0)));
}
