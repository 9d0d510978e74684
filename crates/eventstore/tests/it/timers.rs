//! Timers: armed by events, fired once, fired again when firing failed.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use onenet_eventstore::{
    Fire, Follower, HandleError, LogSource, PgLog, Timer, TimerChange, TimerTable, run_clock,
};
use onenet_kernel::{Corrupt, EventStore as _, Issuer, Recorded, Timestamp, Version};
use tokio_util::sync::CancellationToken;

use crate::support::{append, cause, event, scratch, stream};

/// `arm` is due at once, `arm later` in a hundred years, `disarm` ends both. `arm x` and `disarm x`
/// are about another clock of the same stream.
fn changes(event: &Recorded) -> Result<Vec<TimerChange>, Corrupt> {
    let mut name = "look".to_owned();
    let due_at = match &event.payload[..] {
        b"arm" => event.recorded_at,
        b"arm x" => {
            "look-x".clone_into(&mut name);
            event.recorded_at
        }
        b"disarm x" => return Ok(vec![TimerChange::Disarm { name: "look-x".to_owned() }]),
        b"arm later" => {
            Timestamp::from_micros(event.recorded_at.as_micros() + 3_155_760_000_000_000)
        }
        b"disarm" => return Ok(vec![TimerChange::Disarm { name }]),
        b"looked" => return Ok(vec![]),
        _ => return Err(Corrupt::unknown_type(&event.event_type)),
    };
    Ok(vec![TimerChange::Arm { name, due_at }])
}

/// Appends "looked" as the timer's command; fails the first `failures` times.
#[derive(Clone)]
struct Look {
    log: PgLog,
    failures: Arc<Mutex<u32>>,
}

impl Fire for Look {
    async fn fire(&self, timer: &Timer) -> Result<(), HandleError> {
        {
            let mut left = self.failures.lock().unwrap();
            if *left > 0 {
                *left -= 1;
                return Err(HandleError::NotYet("told to fail".to_owned()));
            }
        }
        let mut cause = cause(timer.command_id());
        cause.issuer = Issuer::timer();
        let version = self.log.load(&timer.stream, Version::NONE).await.unwrap().len() as u64;
        let looked =
            self.log.append(&timer.stream, Version(version), &cause, vec![event("looked")]);
        looked.await.map(drop).map_err(|error| HandleError::Fault(Box::new(error)))
    }
}

fn start(log: &PgLog, clocks: usize, failures: u32) -> CancellationToken {
    let stop = CancellationToken::new();
    let table =
        Follower::new(log.db().clone(), LogSource::new(log.clone()), TimerTable::new(changes));
    tokio::spawn(table.run(stop.clone()));
    let fire = Look { log: log.clone(), failures: Arc::new(Mutex::new(failures)) };
    for _ in 0..clocks {
        tokio::spawn(run_clock(log.db().clone(), fire.clone(), stop.clone()));
    }
    stop
}

async fn until_looked(log: &PgLog, key: &str, times: usize) {
    for _ in 0..1_000 {
        if looked(log, key).await >= times {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    unreachable!("the timer of {key} did not fire {times} times");
}

async fn looked(log: &PgLog, key: &str) -> usize {
    let events = log.load(&stream(key), Version::NONE).await.unwrap();
    events.iter().filter(|event| &event.payload[..] == b"looked").count()
}

async fn armed(log: &PgLog) -> i64 {
    sqlx::query_scalar("select count(*) from timers")
        .fetch_one(&mut *log.db().reader().await.unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_due_timer_fires_once_though_two_clocks_run() {
    let (_scratch, log) = scratch().await;
    let stop = start(&log, 2, 0);
    append(&log, "a", 0, &["arm"]).await.unwrap();
    append(&log, "b", 0, &["arm later"]).await.unwrap();
    append(&log, "c", 0, &["arm later", "disarm"]).await.unwrap();
    append(&log, "d", 0, &["arm"]).await.unwrap();
    until_looked(&log, "a", 1).await;
    until_looked(&log, "d", 1).await;
    for _ in 0..500 {
        if armed(&log).await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    assert_eq!(armed(&log).await, 1, "only the one that is due in a hundred years is left");
    assert_eq!(looked(&log, "a").await + looked(&log, "d").await, 2);
    assert_eq!(looked(&log, "b").await + looked(&log, "c").await, 0);
}

#[tokio::test]
async fn each_clock_of_a_stream_goes_by_its_own_name() {
    let (_scratch, log) = scratch().await;
    let stop = start(&log, 1, 0);
    append(&log, "a", 0, &["arm later", "arm x", "disarm x"]).await.unwrap();
    append(&log, "b", 0, &["arm", "arm x"]).await.unwrap();
    until_looked(&log, "b", 2).await;
    for _ in 0..500 {
        if armed(&log).await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    assert_eq!(armed(&log).await, 1, "the one that is due in a hundred years");
    assert_eq!(looked(&log, "a").await, 0);
}

#[tokio::test]
async fn a_timer_that_failed_is_fired_again() {
    let (_scratch, log) = scratch().await;
    let stop = start(&log, 1, 1);
    append(&log, "a", 0, &["arm"]).await.unwrap();
    until_looked(&log, "a", 1).await;
    stop.cancel();
    assert_eq!(looked(&log, "a").await, 1);
}
