//! A log that was restored to an earlier moment: what its topic gives back, and what it cannot.

use std::time::Duration;

use onenet_eventstore::{
    CarryError, Follower, HandleError, Handler, LogOwner, ReappendError, carry_checkpoints,
    sqlx::{self, AssertSqlSafe, PgConnection},
    testing::cause,
};
use onenet_kafka::{Examined, Finding, KafkaSource, RelayPlace, Topics, examine};
use onenet_kernel::{EventStore as _, Issuer, Recorded, StreamId, Version};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{PARTITIONS, World};

/// Events of the log before the restore: two each of three subjects.
const ALL: u64 = 6;

/// A log that is published, and then restored to `left` events.
async fn restored(left: u64) -> (World, Vec<Recorded>) {
    let world = World::new().await;
    for subject in ["a", "b", "c"] {
        world.append(subject, 0).await;
    }
    publish(&world, usize::try_from(ALL).unwrap()).await;
    let before = world.log.read(0, 100).await.unwrap();
    restore(&world, left).await;
    (world, before)
}

/// Lets the relay run until so many events are on the topic.
pub(crate) async fn publish(world: &World, count: usize) {
    let stop = CancellationToken::new();
    let running = world.start(&stop);
    world.published(count).await;
    stop.cancel();
    running.await.unwrap().unwrap();
}

async fn restore(world: &World, left: u64) {
    let statement = format!(
        "alter table events disable trigger user; delete from events where position > {left};
         alter table events enable trigger user"
    );
    let mut owner = world.scratch.owner("ledger").await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut owner).await.unwrap();
}

async fn examined(world: &World) -> Examined {
    examine(&world.log, &world.cluster, &world.topics, |_| {}).await.unwrap()
}

async fn owner(world: &World) -> LogOwner {
    LogOwner::connect(&world.scratch.owner_url(), "ledger").await.unwrap()
}

fn tail(examined: Examined) -> Vec<Recorded> {
    let Finding::Tail(tail) = examined.finding else { unreachable!("{examined:?}") };
    tail
}

#[tokio::test]
async fn the_tail_is_put_back_as_it_was_and_the_relay_goes_on() {
    let (world, before) = restored(3).await;
    let found = examined(&world).await;
    assert_eq!((found.head.number, found.published.map(|at| at.number)), (3, Some(ALL)));
    let found = tail(found);
    assert_eq!(found, before[3..]);
    assert_eq!(world.log.head().await.unwrap().number, 3, "looking changes nothing");

    let place = RelayPlace::take(&world.log, &world.cluster, &world.topics).await.unwrap();
    // interrupted after the first: what is there is gone on with
    owner(&world).await.reappend(&found[..1]).await.unwrap();
    let again = owner(&world).await.reappend(&found[..1]).await;
    assert!(matches!(again, Err(ReappendError::Moved { first: 4, head: 4 })), "{again:?}");
    let rest = examined(&world).await;
    let Finding::Tail(events) = &rest.finding else { unreachable!("{rest:?}") };
    owner(&world).await.reappend(events).await.unwrap();
    place.settle(&rest).await.unwrap();
    assert_eq!(world.log.read(0, 100).await.unwrap(), before, "every column as it was");

    // an acknowledged command that is sent again gets its first receipt
    let mut repeated = cause(before[5].command_id);
    repeated.issuer = Issuer::from_stored(before[5].issuer.to_string());
    let receipt = world.log.receipt(&repeated).await.unwrap().unwrap();
    assert_eq!((receipt.position, receipt.version), (before[5].position, before[5].version));
    assert!(matches!(examined(&world).await.finding, Finding::Agree));
    world.append("a", 2).await;
    let stop = CancellationToken::new();
    let running = world.start(&stop);
    world.assert_published().await;
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_was_appended_after_the_restore_is_another_history() {
    let (world, _) = restored(3).await;
    // the log grew to less, and to more, than what was published
    for subject in ["later", "latest"] {
        world.append(subject, 0).await;
        let found = examined(&world).await;
        assert!(matches!(found.finding, Finding::Fork(_)), "{found:?}");
    }
}

#[tokio::test]
async fn a_log_of_another_identity_is_another_history() {
    let (world, _) = restored(3).await;
    let elsewhere = World::new().await;
    let found = examine(&elsewhere.log, &world.cluster, &world.topics, |_| {}).await.unwrap();
    assert!(matches!(found.finding, Finding::Fork(_)), "{found:?}");
}

#[tokio::test]
async fn a_lost_note_is_written_again() {
    let (world, _) = restored(ALL).await;
    delete_topic(&world, world.topics.checkpoint()).await;
    let found = examined(&world).await;
    assert!(matches!(found.finding, Finding::NoteLost), "{found:?}");
    let place = RelayPlace::take(&world.log, &world.cluster, &world.topics).await.unwrap();
    place.settle(&found).await.unwrap();
    assert!(matches!(examined(&world).await.finding, Finding::Agree));
}

pub(crate) async fn delete_topic(world: &World, topic: String) {
    use rdkafka::{
        ClientConfig,
        admin::{AdminClient, AdminOptions},
        client::DefaultClientContext,
    };
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &world.cluster.bootstrap).create().unwrap();
    admin.delete_topics(&[&topic], &AdminOptions::new()).await.unwrap();
    // the name is free again a moment after the answer
    let mut made = world.topics.ensure(&world.cluster, PARTITIONS, &[]).await;
    for _ in 0..100 {
        if made.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        made = world.topics.ensure(&world.cluster, PARTITIONS, &[]).await;
    }
    made.unwrap();
}

/// Notes what it handles.
struct Notes;

impl Handler for Notes {
    fn name(&self) -> &'static str {
        "notes"
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        let noted = sqlx::query("insert into noted (event_id) values ($1)").bind(event.event_id);
        Ok(noted.execute(tx).await.map(drop)?)
    }
}

/// Lets the follower read a topic until it has noted so many events.
async fn follow(world: &World, topics: &Topics, count: usize) -> Vec<Uuid> {
    let db = world.log.db().clone();
    let source = KafkaSource::new(&world.cluster, "notes", topics.events()).unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(Follower::new(db.clone(), source, Notes).run(stop.clone()));
    let mut noted: Vec<Uuid> = Vec::new();
    for _ in 0..3_000 {
        noted = sqlx::query_scalar("select event_id from noted order by place")
            .fetch_all(&mut *db.reader().await.unwrap())
            .await
            .unwrap();
        if noted.len() >= count || running.is_finished() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
    noted
}

#[tokio::test]
async fn a_topic_that_cannot_give_the_tail_is_left_behind_with_a_raised_epoch() {
    let world = World::new().await;
    let mut admin = world.scratch.owner("ledger").await.unwrap();
    sqlx::raw_sql(
        "create table noted (place bigserial, event_id uuid);
         grant all on noted, noted_place_seq to onenet_test",
    )
    .execute(&mut admin)
    .await
    .unwrap();
    for subject in ["a", "b", "c"] {
        world.append(subject, 0).await;
    }
    publish(&world, 6).await;
    let handled = follow(&world, &world.topics, 6).await;
    // the backup is from here; then one command more, published, and the topic is lost
    world.append("d", 0).await;
    publish(&world, 8).await;
    restore(&world, 6).await;
    delete_topic(&world, world.topics.events()).await;
    let found = examined(&world).await;
    assert!(matches!(found.finding, Finding::Gap(_)), "{found:?}");

    let lost = onenet_kernel::Position { number: 8, ..found.head };
    let raised = owner(&world).await.raise_epoch().await.unwrap().unwrap();
    assert!(raised.epoch > 1 && raised.above == 6, "{raised:?}");
    assert_eq!(owner(&world).await.raise_epoch().await.unwrap(), None, "once is enough");
    let now = Topics { prefix: format!("{}new.", world.topics.prefix), ..world.topics.clone() };
    now.ensure(&world.cluster, PARTITIONS, &[]).await.unwrap();
    let db = world.log.db();
    let carry = async |partitions, head| {
        let (before, now) = (world.topics.events(), now.events());
        carry_checkpoints(db, &before, &now, partitions, head).await
    };
    assert!(matches!(carry(PARTITIONS + 1, 6).await, Err(CarryError::Partitions { .. })));
    assert!(matches!(carry(PARTITIONS, 5).await, Err(CarryError::Beyond { .. })));
    carry(PARTITIONS, 6).await.unwrap();

    // the positions are given again, and cannot be taken for what stood there
    world.append("e", 0).await;
    world.append("f", 0).await;
    assert!(!world.log.holds(lost).await.unwrap());
    let head = world.log.head().await.unwrap();
    assert!(world.log.holds(head).await.unwrap() && head.number == 10);
    let kept = onenet_kernel::Position { number: 6, ..found.head };
    assert!(world.log.holds(kept).await.unwrap(), "what both histories share still holds");

    let world = World { topics: now.clone(), ..world };
    publish(&world, 10).await;
    // started again, the relay and the follower go on over the change of epoch
    world.append("g", 0).await;
    publish(&world, 12).await;
    world.assert_published().await;
    let noted = follow(&world, &now, 12).await;
    let log = world.log.read(0, 100).await.unwrap();
    assert_eq!(noted[..6], handled, "not handled again");
    let mut expected: Vec<Uuid> = log.iter().map(|event| event.event_id).collect();
    let mut all = noted;
    expected.sort_unstable();
    all.sort_unstable();
    assert_eq!(all, expected, "each event once");
    let stream = StreamId::new("account", "g");
    let newest = world.log.load(&stream, Version::NONE).await.unwrap();
    assert_eq!(newest[0].position.epoch, raised.epoch);
}
