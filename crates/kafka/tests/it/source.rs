//! A follower of a topic handles each event once, in order per key, through restarts.

use std::time::Duration;

use onenet_eventstore::{
    Db, Follower, FollowerError, HandleError, Handler, Source as _, sqlx, sqlx::PgConnection,
};
use onenet_kafka::{Cluster, KafkaSource};
use onenet_kernel::Recorded;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::World;

/// Copies positions and subjects in the order they come.
struct Copy;

impl Handler for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        sqlx::query("insert into copied (position, subject) values ($1, $2)")
            .bind(i64::try_from(event.position.number).unwrap())
            .bind(&event.key.subject)
            .execute(tx)
            .await?;
        Ok(())
    }
}

async fn table(world: &World) {
    let mut owner = world.scratch.owner("ledger").await.unwrap();
    sqlx::raw_sql(
        "create table copied (seq bigserial, position bigint, subject text);
         grant all on copied, copied_seq_seq to onenet_test",
    )
    .execute(&mut owner)
    .await
    .unwrap();
}

fn follow(world: &World, stop: &CancellationToken) -> JoinHandle<Result<(), FollowerError>> {
    let source = KafkaSource::new(&world.cluster, "henan.copy", world.topics.events()).unwrap();
    tokio::spawn(Follower::new(world.log.db().clone(), source, Copy).run(stop.clone()))
}

async fn copied(db: &Db) -> Vec<(i64, String)> {
    sqlx::query_as("select position, subject from copied order by seq")
        .fetch_all(&mut *db.reader().await.unwrap())
        .await
        .unwrap()
}

async fn until_copied(db: &Db, count: usize) {
    for _ in 0..1_500 {
        if copied(db).await.len() >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    unreachable!("only {} of {count} came", copied(db).await.len());
}

#[tokio::test]
async fn each_event_is_handled_once_through_stops_and_restarts() {
    let world = World::new().await;
    table(&world).await;
    let stop_relay = CancellationToken::new();
    let relay = world.start(&stop_relay);
    for round in 0_u64..3 {
        let stop = CancellationToken::new();
        let following = follow(&world, &stop);
        for subject in 0..30 {
            world.append(&format!("s{subject}"), round * 2).await;
        }
        until_copied(world.log.db(), usize::try_from((round + 1) * 60).unwrap()).await;
        stop.cancel();
        following.await.unwrap().unwrap();
    }
    stop_relay.cancel();
    relay.await.unwrap().unwrap();
    let rows = copied(world.log.db()).await;
    let mut positions: Vec<_> = rows.iter().map(|(position, _)| *position).collect();
    for subject in 0..30 {
        let subject = format!("s{subject}");
        let own = rows.iter().filter(|(_, of)| *of == subject);
        assert!(own.is_sorted(), "the events of {subject} came out of order");
    }
    positions.sort_unstable();
    assert_eq!(positions, (1..=180).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_offset_that_the_topic_does_not_hold_stops_the_follower() {
    let world = World::new().await;
    table(&world).await;
    let mut owner = world.scratch.owner("ledger").await.unwrap();
    sqlx::query(
        "insert into checkpoints (follower, source, partition, owner, epoch, until, next_offset)
         values ('copy', $1, 0, gen_random_uuid(), 1, '-infinity', 99)",
    )
    .bind(world.topics.events())
    .execute(&mut owner)
    .await
    .unwrap();
    let stopped = follow(&world, &CancellationToken::new()).await.unwrap();
    assert!(matches!(stopped, Err(FollowerError::Broken { .. })), "{stopped:?}");
}

#[tokio::test]
async fn a_kafka_that_is_away_holds_no_thread_of_the_process() {
    let cluster = Cluster { bootstrap: "127.0.0.1:1".to_owned() };
    let mut source = KafkaSource::new(&cluster, "henan.copy", "away".to_owned()).unwrap();
    // on this runtime's one thread a question that blocks would be answered before the time is up
    let asked = tokio::time::timeout(Duration::from_millis(200), source.partitions()).await;
    assert!(asked.is_err(), "answered: {asked:?}");
}
