//! A subscription goes on where it was: through resumes, takeovers and changes of filter.

use onenet_chassis::testing::{refusal, uscc};
use onenet_eventstore::{Db, sqlx};
use onenet_proto::exchange::v1::{Filter, SubscribeRequest, UpdateFilterRequest};
use tonic::Code;

use crate::support::{FILED, IDENTIFIED, Subscriber, World, beginning, resume, terms};

const AGENCY: u32 = 10;
const PLANT: u32 = 20;

async fn world() -> World {
    let world = World::new().await;
    world.register_agency(AGENCY).await;
    world.grant(AGENCY, terms("41", &[])).await;
    world
}

async fn hazards(world: &World, ids: std::ops::Range<u32>) {
    for id in ids {
        world.hazard(id, IDENTIFIED, &uscc(PLANT), ("410102", "2614")).await;
    }
}

fn ids(seen: Vec<(String, String)>) -> Vec<String> {
    seen.into_iter().map(|(_, payload)| payload).collect()
}

fn expected(ids: std::ops::Range<u32>) -> Vec<String> {
    ids.map(|id| format!("hazard {id}")).collect()
}

#[tokio::test]
async fn what_was_not_kept_comes_again_and_nothing_is_lost_over_a_resume() {
    let world = world().await;
    let mut first = world.subscribe(AGENCY).await;
    hazards(&world, 0..3).await;
    let begun = first.token.clone();
    assert_eq!(ids(first.deliveries(3).await), expected(0..3));
    let kept = first.token.clone();
    hazards(&world, 3..5).await;
    drop(first);

    let mut resumed = Subscriber::open(world.client(AGENCY), resume(&kept)).await.unwrap();
    resumed.sequence = 3;
    assert_eq!(ids(resumed.deliveries(2).await), expected(3..5));
    let mut from_the_first = Subscriber::open(world.client(AGENCY), resume(&begun)).await.unwrap();
    assert_eq!(from_the_first.id, resumed.id, "it is one subscription");
    assert_eq!(ids(from_the_first.deliveries(5).await), expected(0..5));

    let (code, reason, _) = refusal(&resumed.end().await);
    assert_eq!(code, Code::Aborted);
    assert_eq!(reason, "EXCHANGE_ERROR_REASON_SUBSCRIPTION_TAKEN_OVER");
}

#[tokio::test]
async fn a_filter_is_changed_on_the_running_stream() {
    let world = world().await;
    let mut subscriber = world.subscribe(AGENCY).await;
    hazards(&world, 0..2).await;
    subscriber.deliveries(2).await;
    let only_filed = UpdateFilterRequest {
        subscription_id: subscriber.id.clone(),
        filter: Some(Filter { event_types: vec![FILED.to_owned()], ..Default::default() }),
    };
    let changed = world.client(AGENCY).update_filter(only_filed.clone()).await.unwrap();
    assert_eq!(changed.into_inner().after_sequence, 2);
    hazards(&world, 2..4).await;
    world.hazard(1, FILED, &uscc(PLANT), ("410102", "2614")).await;
    let seen = subscriber.deliveries(1).await;
    assert_eq!(seen, [(FILED.to_owned(), "hazard 1".to_owned())]);

    let by_another = world.client(PLANT).update_filter(only_filed).await.unwrap_err();
    assert_eq!(refusal(&by_another).0, Code::NotFound, "it does not learn that the stream exists");
}

#[tokio::test]
async fn what_was_delivered_is_kept_as_intervals_that_never_understate() {
    let world = world().await;
    let mut subscriber = world.subscribe(AGENCY).await;
    hazards(&world, 0..3).await;
    subscriber.deliveries(3).await;
    let settings = world.node.settings().database("exchange").unwrap();
    let db = Db::connect(&settings).await.unwrap();
    let intervals = async || -> Vec<(i64, i64, bool)> {
        sqlx::query_as(
            "select from_position, upto_position, closed_at is null from deliveries order by opened_at",
        )
        .fetch_all(&mut *db.reader().await.unwrap())
        .await
        .unwrap()
    };
    let feed =
        Db::connect(&world.node.settings().database("exchange_feed").unwrap()).await.unwrap();
    let last: i64 = sqlx::query_scalar(
        "select max(position) from events where event_type like 'onenet.hazard.%'",
    )
    .fetch_one(&mut *feed.reader().await.unwrap())
    .await
    .unwrap();
    let open = intervals().await;
    assert_eq!(open.len(), 1);
    assert!(open[0].2 && open[0].0 <= last && last < open[0].1, "{open:?} covers {last}");
    drop(subscriber);
    for _ in 0..500 {
        let closed = intervals().await;
        if !closed[0].2 {
            assert!(last <= closed[0].1 && closed[0].1 < open[0].1, "{closed:?} ends at {last}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    unreachable!("the interval of a subscriber that has gone stays open");
}

#[tokio::test]
async fn a_node_that_stops_tells_its_subscribers_to_resume() {
    let world = world().await;
    let mut subscriber = world.subscribe(AGENCY).await;
    let World { running, .. } = world;
    let (ended, stopped) = tokio::join!(subscriber.end(), running.stop());
    stopped.unwrap();
    assert_eq!(refusal(&ended).0, Code::Unavailable);
}

#[tokio::test]
async fn who_catches_up_over_what_it_does_not_want_is_told_how_far() {
    let world = world().await;
    hazards(&world, 0..3).await;
    // the feed has them
    world.subscribe(AGENCY).await.deliveries(3).await;
    let filter = Some(Filter { subject: Some(uscc(PLANT + 1)), ..Filter::default() });
    let request = SubscribeRequest { filter, ..beginning() };
    let mut narrow = Subscriber::open(world.client(AGENCY), request).await.unwrap();
    narrow.progress().await;
}
