//! A log that was changed behind its back says where; a parked event is handled after all.

use std::time::Duration;

use onenet_eventstore::{
    Follower, HandleError, Handler, LogSource, ParkedState, list_parked, replay_parked, verify,
};
use onenet_kernel::Recorded;
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;

use crate::support::{SCHEMA, append, scratch};

#[tokio::test]
async fn an_edited_row_and_a_missing_row_are_found_where_they_are() {
    let (scratch, log) = scratch().await;
    for n in 0..4 {
        append(&log, "a", n * 2, &["one", "two"]).await.unwrap();
    }
    let mut reached = 0;
    assert_eq!(verify(&log, |position| reached = position).await.unwrap(), []);
    assert_eq!(reached, 8);

    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql(
        "alter table events disable trigger all;
         update events set payload = 'edited' where position = 3;
         delete from events where position = 6;
         alter table events enable trigger all",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let flaws = verify(&log, |_| {}).await.unwrap();
    let places: Vec<u64> = flaws.iter().map(|flaw| flaw.position).collect();
    // the row behind the missing one breaks both orders
    assert_eq!(places, [3, 7, 7], "{flaws:?}");
}

/// Cannot handle anything while the table `mended` is empty.
struct Fragile;

impl Handler for Fragile {
    fn name(&self) -> &'static str {
        "fragile"
    }

    async fn handle(&self, tx: &mut PgConnection, _: &Recorded) -> Result<(), HandleError> {
        let is_mended: bool =
            sqlx::query_scalar("select exists (select from mended)").fetch_one(tx).await?;
        if is_mended { Ok(()) } else { Err(HandleError::Poison("broken".to_owned())) }
    }
}

#[tokio::test]
async fn a_poisoned_event_is_replayed_with_what_queues_behind_it() {
    let (scratch, log) = scratch().await;
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql("create table mended (yes boolean); grant all on mended to onenet_test")
        .execute(&mut owner)
        .await
        .unwrap();
    append(&log, "a", 0, &["one", "two", "three"]).await.unwrap();
    let stop = CancellationToken::new();
    let follower = Follower::new(log.db().clone(), LogSource::new(log.clone()), Fragile);
    let running = tokio::spawn(follower.run(stop.clone()));
    let parked = async |count: usize| {
        for _ in 0..1_500 {
            let parked = list_parked(log.db(), 0, 10).await.unwrap();
            if parked.len() == count {
                return parked;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        unreachable!("{count} were to be parked");
    };
    let held = parked(3).await;
    assert_eq!(held[0].state, ParkedState::Poisoned);
    assert!(!replay_parked(log.db(), held[1].arrival).await.unwrap(), "what queues has its turn");

    sqlx::raw_sql("insert into mended values (true)").execute(&mut owner).await.unwrap();
    assert!(replay_parked(log.db(), held[0].arrival).await.unwrap());
    parked(0).await;
    stop.cancel();
    running.await.unwrap().unwrap();
}
