//! A database that is gone without a word: a machine without power, a firewall that forgot.

use std::{sync::Arc, time::Duration};

use futures::future::try_join_all;
use onenet_eventstore::{
    Db, Fire, Follower, HandleError, Handler, LogSource, PgLog, Timer, TimerChange, TimerTable,
    run_clock,
    testing::{Scratch, half_open::strandable},
    wait_until_fresh,
};
use onenet_kernel::{EventStore as _, Recorded, Version};
use sqlx::{Executor as _, PgConnection};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::support::{SCHEMA, append, scratch, stream};

/// What an append, a load or a reader may take: the database was given up once, and asked again.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);
/// What a transaction under way may take: a handler has a minute for an event.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(90);

/// A log over a network of its own, and what strands its connections.
async fn log() -> (Scratch, PgLog, watch::Sender<()>) {
    let (scratch, _) = scratch().await;
    let (settings, strand) = strandable(scratch.settings(SCHEMA)).await.unwrap();
    let log = PgLog::open(Db::connect(&settings).await.unwrap()).await.unwrap();
    (scratch, log, strand)
}

#[tokio::test]
async fn an_append_outlives_a_connection_that_says_nothing_more() {
    let (_scratch, log, strand) = log().await;
    append(&log, "a", 0, &["before"]).await.unwrap();
    strand.send(()).unwrap();
    let answered = tokio::time::timeout(ANSWERED_WITHIN, append(&log, "a", 1, &["after"])).await;
    let appended = answered.expect("an answer").unwrap();
    assert_eq!(appended.receipt.position.number, 2);
}

#[tokio::test]
async fn a_load_outlives_a_connection_that_says_nothing_more() {
    let (_scratch, log, strand) = log().await;
    append(&log, "a", 0, &["1", "2"]).await.unwrap();
    let load = async || log.load(&stream("a"), Version::NONE).await.unwrap().len();
    assert_eq!(load().await, 2);
    strand.send(()).unwrap();
    let answered = tokio::time::timeout(ANSWERED_WITHIN, load()).await;
    assert_eq!(answered.expect("an answer"), 2);
}

/// Tells which event it handles, and asks the database something before and after it is let on.
struct Tell {
    told: mpsc::UnboundedSender<u64>,
    on: Arc<Semaphore>,
}

impl Handler for Tell {
    fn name(&self) -> &'static str {
        "tell"
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        tx.execute("select 1").await?;
        self.told.send(event.position.number).unwrap();
        drop(self.on.acquire().await.unwrap());
        tx.execute("select 1").await?;
        Ok(())
    }
}

fn follow(log: &PgLog, on: &Arc<Semaphore>) -> mpsc::UnboundedReceiver<u64> {
    let (told, handled) = mpsc::unbounded_channel();
    let tell = Tell { told, on: Arc::clone(on) };
    let follower = Follower::new(log.db().clone(), LogSource::new(log.clone()), tell);
    tokio::spawn(follower.run(CancellationToken::new()));
    handled
}

#[tokio::test]
async fn a_follower_goes_on_after_its_connections_say_nothing_more() {
    let (scratch, log, strand) = log().await;
    let direct = PgLog::open(Db::connect(&scratch.settings(SCHEMA)).await.unwrap()).await.unwrap();
    let mut handled = follow(&log, &Arc::new(Semaphore::new(1)));
    let before = append(&direct, "a", 0, &["before"]).await.unwrap().receipt;
    assert_eq!(handled.recv().await, Some(1));
    assert!(wait_until_fresh(direct.db(), "tell", &before, ANSWERED_WITHIN).await.unwrap());
    strand.send(()).unwrap();
    append(&direct, "a", 1, &["after"]).await.unwrap();
    let after = tokio::time::timeout(ANSWERED_WITHIN, handled.recv()).await;
    assert_eq!(after.expect("it is handled"), Some(2));
}

#[tokio::test]
async fn a_follower_goes_on_after_its_transaction_says_nothing_more() {
    let (_scratch, log, strand) = log().await;
    let on = Arc::new(Semaphore::new(0));
    let mut handled = follow(&log, &on);
    append(&log, "a", 0, &["x"]).await.unwrap();
    assert_eq!(handled.recv().await, Some(1));
    strand.send(()).unwrap();
    on.add_permits(1);
    let again = tokio::time::timeout(GIVEN_UP_WITHIN, handled.recv()).await;
    assert_eq!(again.expect("it is handled again"), Some(1));
}

#[tokio::test]
async fn a_clock_goes_on_after_its_connections_say_nothing_more() {
    struct Told(mpsc::UnboundedSender<()>);
    impl Fire for Told {
        async fn fire(&self, _: &Timer) -> Result<(), HandleError> {
            self.0.send(()).unwrap();
            Ok(())
        }
    }
    let (scratch, log, strand) = log().await;
    let direct = PgLog::open(Db::connect(&scratch.settings(SCHEMA)).await.unwrap()).await.unwrap();
    let table = TimerTable::new(|event| {
        let (name, due_at) = (event.position.number.to_string(), event.recorded_at);
        Ok(vec![TimerChange::Arm { name, due_at }])
    });
    let source = LogSource::new(direct.clone());
    let arming = Follower::new(direct.db().clone(), source, table);
    tokio::spawn(arming.run(CancellationToken::new()));
    let (told, mut fired) = mpsc::unbounded_channel();
    tokio::spawn(run_clock(log.db().clone(), Told(told), CancellationToken::new()));
    append(&direct, "a", 0, &["before"]).await.unwrap();
    assert_eq!(fired.recv().await, Some(()));
    strand.send(()).unwrap();
    append(&direct, "a", 1, &["after"]).await.unwrap();
    // its lease has to be won anew
    let after = tokio::time::timeout(2 * ANSWERED_WITHIN, fired.recv()).await;
    assert_eq!(after.expect("it is fired"), Some(()));
}

#[tokio::test]
async fn wake_ups_are_heard_again_after_a_connection_that_says_nothing_more() {
    let (scratch, log, strand) = log().await;
    let direct = PgLog::open(Db::connect(&scratch.settings(SCHEMA)).await.unwrap()).await.unwrap();
    let mut hints = log.hints();
    let mut heard = async |key: &str| {
        let from = *hints.borrow_and_update();
        let mut said = 0;
        // one that was sent before anybody listened is heard by nobody
        while *hints.borrow() == from {
            append(&direct, key, said, &["x"]).await.unwrap();
            said += 1;
            tokio::time::timeout(Duration::from_secs(1), hints.changed()).await.ok();
        }
    };
    heard("a").await;
    strand.send(()).unwrap();
    tokio::time::timeout(3 * ANSWERED_WITHIN, heard("b")).await.expect("it is heard");
}

/// Whoever asked has gone meanwhile, and nobody is left who could give the connection up.
#[tokio::test]
async fn a_pool_keeps_its_places_where_connections_say_nothing_more() {
    let (scratch, log, strand) = log().await;
    let places = scratch.settings(SCHEMA).max_connections;
    let all = async || try_join_all((0..places).map(|_| log.db().reader())).await;
    drop(all().await.unwrap());
    let mut cut_off = all().await.unwrap();
    strand.send(()).unwrap();
    for connection in &mut cut_off {
        let asking = connection.execute("select 1");
        tokio::time::timeout(Duration::from_millis(10), asking).await.ok();
    }
    drop(cut_off);
    let all_again = tokio::time::timeout(ANSWERED_WITHIN, all()).await.expect("a place");
    for mut connection in all_again.expect("every place") {
        connection.execute("select 1").await.unwrap();
    }
}

#[tokio::test]
async fn a_silence_is_waited_for_once() {
    let (scratch, log, strand) = log().await;
    let places = scratch.settings(SCHEMA).max_connections;
    drop(try_join_all((0..places).map(|_| log.db().reader())).await.unwrap());
    // they come back meanwhile
    for _ in 0..places {
        log.head().await.unwrap();
    }
    strand.send(()).unwrap();
    let mut silent = 0;
    while log.head().await.is_err() {
        silent += 1;
        assert_eq!(silent, 1, "another connection of before was asked");
    }
}
