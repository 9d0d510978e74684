//! Followers: exactly once as far as rows go, whatever stops them.

use std::{sync::Arc, time::Duration};

use onenet_eventstore::{
    Db, Follower, HandleError, Handler, LogSource, ParkedState, PgLog, is_incomplete, list_parked,
    testing::Scratch, wait_until_fresh,
};
use onenet_kernel::Recorded;
use sqlx::PgConnection;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::support::{SCHEMA, append, scratch};

/// Copies payloads into a table, in the order they come; its rules are in the payloads.
struct Copy;

impl Handler for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        let payload = String::from_utf8_lossy(&event.payload).into_owned();
        sqlx::query("insert into copied (position, payload) values ($1, $2)")
            .bind(i64::try_from(event.position.number).unwrap())
            .bind(&payload)
            .execute(&mut *tx)
            .await?;
        match payload.as_str() {
            "refuse" => Err(HandleError::Refused("the rules say no".to_owned())),
            "poison" => Err(HandleError::Poison("it says so".to_owned())),
            "wait" => {
                let open: bool = sqlx::query_scalar("select exists (select from gate)")
                    .fetch_one(&mut *tx)
                    .await?;
                if open { Ok(()) } else { Err(HandleError::NotYet("the gate is shut".to_owned())) }
            }
            _ => Ok(()),
        }
    }
}

async fn tables(scratch: &Scratch) {
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql(
        "create table copied (seq bigserial, position bigint, payload text);
         create table gate (open boolean);
         grant all on copied, gate, copied_seq_seq to onenet_test",
    )
    .execute(&mut owner)
    .await
    .unwrap();
}

fn follow(log: &PgLog, stop: &CancellationToken) -> tokio::task::JoinHandle<()> {
    let follower = Follower::new(log.db().clone(), LogSource::new(log.clone()), Copy);
    let stop = stop.clone();
    tokio::spawn(async move { follower.run(stop).await.unwrap() })
}

async fn copied(db: &Db) -> Vec<String> {
    sqlx::query_scalar("select payload from copied order by seq")
        .fetch_all(&mut *db.reader().await.unwrap())
        .await
        .unwrap()
}

async fn until_copied(db: &Db, count: usize) -> Vec<String> {
    for _ in 0..1_000 {
        let rows = copied(db).await;
        if rows.len() >= count {
            return rows;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    unreachable!("only {:?} of {count} came", copied(db).await);
}

#[tokio::test]
async fn every_event_is_handled_once_through_stops_and_restarts() {
    let (scratch, log) = scratch().await;
    tables(&scratch).await;
    for round in 0_u64..5 {
        let stop = CancellationToken::new();
        let running = follow(&log, &stop);
        let mut last = None;
        for n in 0..20 {
            last = Some(append(&log, "a", round * 20 + n, &["x"]).await.unwrap().receipt);
        }
        let fresh =
            wait_until_fresh(log.db(), "copy", &last.unwrap(), Duration::from_secs(20)).await;
        assert!(fresh.unwrap());
        stop.cancel();
        running.await.unwrap();
    }
    let positions: Vec<i64> = sqlx::query_scalar("select position from copied order by seq")
        .fetch_all(&mut *log.db().reader().await.unwrap())
        .await
        .unwrap();
    assert_eq!(positions, (1..=100).collect::<Vec<_>>());
}

#[tokio::test]
async fn two_followers_of_one_name_handle_each_event_once() {
    let (scratch, log) = scratch().await;
    tables(&scratch).await;
    let stop = CancellationToken::new();
    let running = [follow(&log, &stop), follow(&log, &stop)];
    for n in 0..100 {
        append(&log, "a", n, &["x"]).await.unwrap();
    }
    until_copied(log.db(), 100).await;
    stop.cancel();
    for task in running {
        task.await.unwrap();
    }
    assert_eq!(copied(log.db()).await.len(), 100);
}

/// As `Copy`, but tells that it has written, and finishes an event only while the gate is open.
struct Gated {
    written: Arc<Notify>,
    gate: watch::Receiver<bool>,
}

impl Handler for Gated {
    fn name(&self) -> &'static str {
        Copy.name()
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        Copy.handle(tx, event).await?;
        self.written.notify_one();
        self.gate.clone().wait_for(|is_open| *is_open).await.unwrap();
        Ok(())
    }
}

/// The first has written and not committed when its claim runs out, and hears nothing of that.
#[tokio::test]
async fn followers_that_both_believe_in_their_claim_handle_each_event_once() {
    let (scratch, log) = scratch().await;
    tables(&scratch).await;
    let (stop, written, (open, gate)) =
        (CancellationToken::new(), Arc::new(Notify::new()), watch::channel(false));
    let gated = Gated { written: Arc::clone(&written), gate };
    let first = Follower::new(log.db().clone(), LogSource::new(log.clone()), gated);
    let first = tokio::spawn(first.run(stop.clone()));
    append(&log, "a", 0, &["one"]).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), written.notified()).await.expect("it writes");
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    let run_out = "update checkpoints set until = '-infinity'";
    sqlx::query(run_out).execute(&mut owner).await.unwrap();
    let second = follow(&log, &stop);
    assert_eq!(until_copied(log.db(), 1).await, ["one"], "by the second");
    open.send(true).unwrap();
    append(&log, "a", 1, &["two"]).await.unwrap();
    until_copied(log.db(), 2).await;
    stop.cancel();
    first.await.unwrap().unwrap();
    second.await.unwrap();
    assert_eq!(copied(log.db()).await, ["one", "two"]);
}

#[tokio::test]
async fn a_poisoned_event_is_parked_and_its_key_queues_behind_it() {
    let (scratch, log) = scratch().await;
    tables(&scratch).await;
    append(&log, "a", 0, &["one", "poison", "three"]).await.unwrap();
    let stop = CancellationToken::new();
    let running = follow(&log, &stop);
    until_copied(log.db(), 1).await;
    for _ in 0..500 {
        if list_parked(log.db(), 0, 10).await.unwrap().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    running.await.unwrap();

    let parked = list_parked(log.db(), 0, 10).await.unwrap();
    let seen: Vec<_> = parked
        .iter()
        .map(|entry| (entry.state, String::from_utf8_lossy(&entry.event.payload).into_owned()))
        .collect();
    assert_eq!(
        seen,
        [(ParkedState::Poisoned, "poison".to_owned()), (ParkedState::Queued, "three".to_owned())]
    );
    assert_eq!(parked[0].event, log.read(1, 1).await.unwrap()[0], "parked whole");
    assert!(is_incomplete(log.db(), &["copy"], Some("s")).await.unwrap());
    assert_eq!(copied(log.db()).await, ["one"], "what the failed event wrote is undone");
}

#[tokio::test]
async fn a_final_no_is_recorded_and_the_rest_of_its_key_goes_on() {
    let (scratch, log) = scratch().await;
    tables(&scratch).await;
    append(&log, "a", 0, &["one", "refuse", "three"]).await.unwrap();
    let stop = CancellationToken::new();
    let running = follow(&log, &stop);
    assert_eq!(until_copied(log.db(), 2).await, ["one", "three"]);
    stop.cancel();
    running.await.unwrap();
    let recorded: Vec<(uuid::Uuid, String)> =
        sqlx::query_as("select event_id, reason from refusals where follower = 'copy'")
            .fetch_all(&mut *log.db().reader().await.unwrap())
            .await
            .unwrap();
    let refused = log.read(1, 1).await.unwrap()[0].event_id;
    assert_eq!(recorded, [(refused, "the rules say no".to_owned())]);
    assert!(list_parked(log.db(), 0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_event_whose_time_has_not_come_is_tried_again_and_keeps_its_order() {
    let (scratch, log) = scratch().await;
    tables(&scratch).await;
    append(&log, "a", 0, &["one", "wait", "three"]).await.unwrap();
    let stop = CancellationToken::new();
    let running = follow(&log, &stop);
    until_copied(log.db(), 1).await;
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql("insert into gate values (true)").execute(&mut owner).await.unwrap();
    assert_eq!(until_copied(log.db(), 3).await, ["one", "wait", "three"]);
    stop.cancel();
    running.await.unwrap();
    assert!(list_parked(log.db(), 0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_checkpoint_beyond_the_log_stops_the_follower() {
    let (scratch, log) = scratch().await;
    tables(&scratch).await;
    append(&log, "a", 0, &["x"]).await.unwrap();
    let stop = CancellationToken::new();
    let running = follow(&log, &stop);
    until_copied(log.db(), 1).await;
    stop.cancel();
    running.await.unwrap();
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql("update checkpoints set position = 7, next_offset = 7")
        .execute(&mut owner)
        .await
        .unwrap();
    let follower = Follower::new(log.db().clone(), LogSource::new(log.clone()), Copy);
    let stopped = follower.run(CancellationToken::new()).await;
    assert!(stopped.is_err(), "the log was restored to before what had been handled");
}
