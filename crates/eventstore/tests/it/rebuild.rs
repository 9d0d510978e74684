//! A read model can be thrown away and made again, while it serves.

use std::time::Duration;

use onenet_eventstore::{
    Follower, HandleError, Handler, LogSource, PgLog, Rebuild, RebuildError, testing::Scratch,
    wait_until_fresh,
};
use onenet_kernel::Recorded;
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;

use crate::support::{SCHEMA, append, scratch};

/// Counts the events of each stream; `bad` it does not take.
struct Totals;

impl Handler for Totals {
    const WHOLE_BATCHES: bool = true;

    fn name(&self) -> &'static str {
        "totals"
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        if &event.payload[..] == b"bad" {
            return Err(HandleError::Poison("a bad one".to_owned()));
        }
        sqlx::query(
            "insert into totals as t (stream, total) values ($1, 1)
             on conflict (stream) do update set total = t.total + 1",
        )
        .bind(event.stream.as_str())
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// Takes each event by itself, and refuses them together when one is handled already.
struct OneByOne;

impl Handler for OneByOne {
    const WHOLE_BATCHES: bool = true;

    fn name(&self) -> &'static str {
        Totals.name()
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        Totals.handle(tx, event).await
    }

    async fn handle_all(
        &self,
        tx: &mut PgConnection,
        events: &[&Recorded],
    ) -> Result<(), HandleError> {
        self.handle(tx, events[0]).await?;
        Err(HandleError::Poison("not together".to_owned()))
    }
}

async fn table(scratch: &Scratch) {
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql(
        "create table totals (stream text primary key, total bigint not null);
         grant all on totals to onenet_test",
    )
    .execute(&mut owner)
    .await
    .unwrap();
}

async fn totals(log: &PgLog) -> Vec<(String, i64)> {
    sqlx::query_as("select stream, total from totals order by stream")
        .fetch_all(&mut *log.db().reader().await.unwrap())
        .await
        .unwrap()
}

async fn rebuild(
    scratch: &Scratch,
    log: &PgLog,
    handler: &impl Handler,
) -> Result<Vec<(u64, u64)>, RebuildError> {
    let owner_url = scratch.owner_url();
    let plan = Rebuild { owner_url: &owner_url, role: "onenet_test", tables: &["totals"] };
    let mut progress = Vec::new();
    plan.run(log, handler, |position, head| progress.push((position, head))).await?;
    Ok(progress)
}

#[tokio::test]
async fn a_rebuild_under_load_gives_the_rows_of_the_whole_log() {
    let (scratch, log) = scratch().await;
    table(&scratch).await;
    let stop = CancellationToken::new();
    let follower = Follower::new(log.db().clone(), LogSource::new(log.clone()), Totals);
    let following = tokio::spawn(follower.run(stop.clone()));
    for n in 0..300 {
        append(&log, &format!("s{}", n % 3), n / 3 * 4, &["1", "2", "3", "4"]).await.unwrap();
    }
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql("update totals set total = 0").execute(&mut owner).await.unwrap();
    let writing = tokio::spawn({
        let log = log.clone();
        async move {
            for n in 300..600 {
                let key = format!("s{}", n % 3);
                append(&log, &key, n / 3 * 4, &["1", "2", "3", "4"]).await.unwrap();
            }
        }
    });
    let progress = rebuild(&scratch, &log, &Totals).await.unwrap();
    assert!(progress.len() > 1 && progress.is_sorted(), "{progress:?}");
    writing.await.unwrap();
    let last = append(&log, "s0", 800, &["last"]).await.unwrap().receipt;
    assert!(wait_until_fresh(log.db(), "totals", &last, Duration::from_secs(30)).await.unwrap());
    let expected = [("account-s0", 801), ("account-s1", 800), ("account-s2", 800)];
    assert_eq!(totals(&log).await, expected.map(|(stream, total)| (stream.to_owned(), total)));
    stop.cancel();
    following.await.unwrap().unwrap();
    let again = totals(&log).await;
    rebuild(&scratch, &log, &Totals).await.unwrap();
    assert_eq!(totals(&log).await, again, "replaying again gives the same rows");
}

#[tokio::test]
async fn a_rebuild_that_fails_leaves_the_rows_in_use() {
    let (scratch, log) = scratch().await;
    table(&scratch).await;
    append(&log, "a", 0, &["1", "bad"]).await.unwrap();
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    sqlx::raw_sql("insert into totals values ('kept', 7)").execute(&mut owner).await.unwrap();
    let failed = rebuild(&scratch, &log, &Totals).await;
    assert!(matches!(failed, Err(RebuildError::Event { position: 2, .. })), "{failed:?}");
    assert_eq!(totals(&log).await, [("kept".to_owned(), 7)]);
}

#[tokio::test]
async fn a_page_that_is_refused_as_a_whole_is_applied_event_by_event() {
    let (scratch, log) = scratch().await;
    table(&scratch).await;
    append(&log, "a", 0, &["1", "2", "3"]).await.unwrap();
    assert_eq!(rebuild(&scratch, &log, &OneByOne).await.unwrap(), [(3, 3)]);
    assert_eq!(totals(&log).await, [("account-a".to_owned(), 3)]);
}
