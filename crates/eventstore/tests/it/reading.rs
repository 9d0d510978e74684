//! Reading for many at once, reading ahead, and hearing that there is more.

use std::time::Duration;

use futures::future::join_all;
use onenet_eventstore::{
    Db, PgLog, ReadAhead,
    sqlx::{self, postgres::PgListener},
    testing::new_id,
};

use onenet_kernel::{Cause, EventStore as _, Issuer, Version};

use crate::support::{SCHEMA, append, cause, event, scratch, stream};

#[tokio::test]
async fn streams_that_are_loaded_together_are_answered_each_with_its_own_history() {
    let (_scratch, log) = scratch().await;
    for n in 0..20_u64 {
        let payloads: Vec<String> = (0..n % 4).map(|of| format!("{n}/{of}")).collect();
        let payloads: Vec<&str> = payloads.iter().map(String::as_str).collect();
        append(&log, &n.to_string(), 0, &payloads).await.unwrap();
    }
    let loads = (0..400_u64).map(|n| {
        let (log, number, above) = (log.clone(), n % 20, n % 3);
        async move {
            let loaded = log.load(&stream(&number.to_string()), Version(above)).await.unwrap();
            let versions: Vec<u64> = loaded.iter().map(|event| event.version.0).collect();
            assert_eq!(versions, (above + 1..=number % 4).collect::<Vec<_>>());
            assert!(loaded.iter().all(|event| event.stream == stream(&number.to_string())));
        }
    });
    join_all(loads).await;
}

#[tokio::test]
async fn a_stream_that_cannot_be_decoded_fails_who_asked_for_it_and_nobody_else() {
    let (scratch, log) = scratch().await;
    append(&log, "good", 0, &["1", "2"]).await.unwrap();
    append(&log, "bad", 0, &["1"]).await.unwrap();
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql(
        "alter table events disable trigger all;
         update events set digest = 'short' where stream_id = 'account-bad';
         alter table events enable trigger all",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let (good, bad) = (stream("good"), stream("bad"));
    let loads = [&good, &bad, &good].map(|stream| log.load(stream, Version::NONE));
    let outcomes: Vec<_> =
        join_all(loads).await.into_iter().map(|loaded| loaded.ok().map(|it| it.len())).collect();
    assert_eq!(outcomes, [Some(2), None, Some(2)]);
}

#[tokio::test]
async fn what_commands_led_to_is_found_by_their_issuer_and_ids() {
    let (_scratch, log) = scratch().await;
    let ids = [new_id(), new_id(), new_id()];
    let by_another = Cause { issuer: Issuer::feed(), ..cause(ids[0]) };
    log.append(&stream("0"), Version(0), &by_another, vec![event("another's")]).await.unwrap();
    for (n, id) in (1_u64..).zip(ids) {
        let events = vec![event(&format!("{n}/0")), event(&format!("{n}/1"))];
        log.append(&stream(&n.to_string()), Version(0), &cause(id), events).await.unwrap();
    }
    let asked = [ids[2], new_id(), ids[0], ids[0]];
    let found = log.of_commands(&cause(ids[0]).issuer, &asked).await.unwrap();
    let payloads: Vec<&[u8]> = found.iter().map(|event| &*event.payload).collect();
    assert_eq!(payloads, [b"1/0", b"1/1", b"3/0", b"3/1"]);
}

#[tokio::test]
async fn reading_ahead_shows_each_event_once_while_others_are_appended() {
    let (_scratch, log) = scratch().await;
    let writing = async {
        for n in 0..60 {
            append(&log, &n.to_string(), 0, &["1", "2", "3"]).await.unwrap();
        }
    };
    let reading = async {
        let (mut seen, mut pages) = (Vec::new(), ReadAhead::new(log.clone(), 7));
        while seen.len() < 180 {
            let above = seen.last().copied().unwrap_or_default();
            let page = pages.read(above).await.unwrap();
            seen.extend(page.iter().map(|event| event.position.number));
        }
        seen
    };
    let ((), seen) = tokio::join!(writing, reading);
    assert_eq!(seen, (1..=180).collect::<Vec<_>>());
}

#[tokio::test]
async fn reading_ahead_goes_on_wherever_it_is_asked_to() {
    let (_scratch, log) = scratch().await;
    for n in 0..10 {
        append(&log, &n.to_string(), 0, &["1", "2"]).await.unwrap();
    }
    let mut pages = ReadAhead::new(log, 4);
    let mut first =
        async |above| pages.read(above).await.unwrap().first().map(|e| e.position.number);
    let asked = [0, 4, 3, 7, 18, 20, 0];
    let mut came = Vec::new();
    for above in asked {
        came.push(first(above).await);
    }
    assert_eq!(came, [Some(1), Some(5), Some(4), Some(8), Some(19), None, Some(1)]);
}

/// A relay that is to stop ends at the first empty page after it was told.
#[tokio::test]
async fn the_end_that_was_read_ahead_is_not_taken_for_the_end() {
    let (_scratch, log) = scratch().await;
    append(&log, "a", 0, &["1", "2", "3", "4"]).await.unwrap();
    for round in 0..20_u64 {
        let mut pages = ReadAhead::new(log.clone(), 4);
        assert_eq!(pages.read(round).await.unwrap().len(), 4);
        append(&log, "b", round, &["x"]).await.unwrap();
        let next = pages.read(round + 4).await.unwrap();
        assert_eq!(next.first().map(|event| event.position.number), Some(round + 5));
    }
}

#[tokio::test]
async fn what_a_process_heard_of_it_does_not_say_again() {
    let (scratch, first) = scratch().await;
    let second = PgLog::open(Db::connect(&scratch.settings(SCHEMA)).await.unwrap()).await.unwrap();
    let mut all = PgListener::connect(&scratch.owner_url()).await.unwrap();
    all.listen(&format!("onenet_{SCHEMA}")).await.unwrap();
    let hears = async |log: &PgLog, above| {
        tokio::time::timeout(Duration::from_mins(1), log.grown(above, Duration::MAX))
            .await
            .unwrap();
    };
    // until the second listens as well, nobody hears for it
    let mut said = 0;
    while *second.hints().borrow() == 0 {
        append(&first, "a", said, &["x"]).await.unwrap();
        said += 1;
        second.grown(0, Duration::from_millis(100)).await;
    }
    append(&first, "a", said, &["x"]).await.unwrap();
    hears(&second, said).await;
    append(&second, "a", said + 1, &["x"]).await.unwrap();
    let mut told = Vec::new();
    while told.last() != Some(&(said + 2)) {
        told.push(all.recv().await.unwrap().payload().parse::<u64>().unwrap());
    }
    assert!(told.is_sorted_by(|a, b| a < b), "said again: {told:?}");
}
