//! One command, one effect, one answer, for ever: the contract of a log, kept by PostgreSQL and by the
//! one in memory alike.

use futures::future::join_all;
use onenet_eventstore::{
    PgLog,
    testing::{memory::MemoryLog, new_id},
};
use onenet_kernel::{
    EventStore, ExecuteError, Issuer, Recorded, StoreError, Version, execute, leaf,
};

use crate::support::{AtLimit, Counter, assert_in_order, cause, event, scratch, stream};

/// A log as far as its contract goes.
trait Log: EventStore + Clone + 'static {
    async fn events(&self) -> Vec<Recorded>;
}

impl Log for PgLog {
    async fn events(&self) -> Vec<Recorded> {
        self.read(0, 10_000).await.unwrap()
    }
}

impl Log for MemoryLog {
    async fn events(&self) -> Vec<Recorded> {
        self.read(0, 10_000)
    }
}

async fn append(
    log: &impl Log,
    key: &str,
    expected: u64,
    payloads: &[&str],
) -> Result<onenet_kernel::Appended, StoreError> {
    let events = payloads.iter().map(|payload| event(payload)).collect();
    log.append(&stream(key), Version(expected), &cause(new_id()), events).await
}

async fn assert_gapless(log: &impl Log) -> u64 {
    assert_in_order(&log.events().await)
}

macro_rules! kept_by_both {
    ($($name:ident)+) => {
        mod postgresql {
            $(#[tokio::test]
            async fn $name() {
                let (_scratch, log) = crate::support::scratch().await;
                super::$name(log).await;
            })+
        }
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::MemoryLog::default()).await;
            })+
        }
    };
}

kept_by_both! {
    a_retry_gets_the_first_receipt_whatever_happened_since
    an_id_used_for_another_content_is_refused_and_another_issuer_may_use_it
    a_command_that_changes_nothing_is_remembered_too
    the_same_command_sent_many_times_at_once_has_one_effect
    concurrent_commands_on_one_stream_are_all_decided_on_its_latest_state
    a_refused_retry_of_an_accepted_command_gets_its_receipt
    an_event_comes_back_as_it_was_appended
    a_version_too_low_and_a_version_too_high_are_conflicts
    a_stream_keeps_the_subject_of_its_first_event
}

async fn a_retry_gets_the_first_receipt_whatever_happened_since(log: impl Log) {
    let first = cause(new_id());
    let sent = log.append(&stream("a"), Version::NONE, &first, vec![event("1")]).await.unwrap();
    append(&log, "a", 1, &["2"]).await.unwrap();

    let again = log.append(&stream("a"), Version::NONE, &first, vec![event("1")]).await.unwrap();
    assert_eq!(again.receipt, sent.receipt);
    assert!(sent.is_new && !again.is_new);
    assert_eq!(log.receipt(&first).await.unwrap(), Some(sent.receipt));
    assert_eq!(assert_gapless(&log).await, 2);
}

async fn an_id_used_for_another_content_is_refused_and_another_issuer_may_use_it(log: impl Log) {
    let mut cause = cause(new_id());
    log.append(&stream("a"), Version::NONE, &cause, vec![event("1")]).await.unwrap();
    cause.digest = [8; 32];
    let reused = log.append(&stream("a"), Version(1), &cause, vec![event("2")]).await;
    assert!(matches!(reused, Err(StoreError::CommandReused)), "{reused:?}");
    assert!(matches!(log.receipt(&cause).await, Err(StoreError::CommandReused)));

    cause.issuer = Issuer::organisation("11420000MB15291767");
    log.append(&stream("a"), Version(1), &cause, vec![event("2")]).await.unwrap();
    assert_eq!(assert_gapless(&log).await, 2);
}

async fn a_command_that_changes_nothing_is_remembered_too(log: impl Log) {
    append(&log, "a", 0, &["1"]).await.unwrap();
    let quiet = cause(new_id());
    let sent = log.append(&stream("a"), Version(1), &quiet, vec![]).await.unwrap();
    assert_eq!((sent.receipt.version.0, sent.receipt.position.number), (1, 1));
    append(&log, "a", 1, &["2"]).await.unwrap();

    assert_eq!(log.receipt(&quiet).await.unwrap(), Some(sent.receipt.clone()));
    let again = log.append(&stream("a"), Version(1), &quiet, vec![]).await.unwrap();
    assert_eq!(again.receipt, sent.receipt);
    let mut reused = quiet;
    reused.digest = [9; 32];
    let outcome = log.append(&stream("a"), Version(2), &reused, vec![event("3")]).await;
    assert!(matches!(outcome, Err(StoreError::CommandReused)), "{outcome:?}");
}

async fn the_same_command_sent_many_times_at_once_has_one_effect(log: impl Log) {
    let cause = cause(new_id());
    let outcomes = join_all((0..50).map(|_| {
        let (log, cause) = (log.clone(), cause.clone());
        async move { log.append(&stream("a"), Version::NONE, &cause, vec![event("1")]).await }
    }))
    .await;
    let receipts: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap()).collect();
    assert_eq!(receipts.iter().filter(|appended| appended.is_new).count(), 1);
    assert!(receipts.iter().all(|appended| appended.receipt == receipts[0].receipt));
    assert_eq!(assert_gapless(&log).await, 1);
}

async fn concurrent_commands_on_one_stream_are_all_decided_on_its_latest_state(log: impl Log) {
    let outcomes = join_all((0..60).map(|_| {
        let log = log.clone();
        async move { execute::<Counter>(&log, &stream("c"), None, &40, &cause(new_id())).await }
    }))
    .await;
    let refused = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(ExecuteError::Rejected(AtLimit))))
        .count();
    assert_eq!(refused, 20);
    assert_eq!(assert_gapless(&log).await, 40);
}

async fn a_refused_retry_of_an_accepted_command_gets_its_receipt(log: impl Log) {
    let accepted = cause(new_id());
    let receipt = execute::<Counter>(&log, &stream("c"), None, &1, &accepted).await.unwrap();
    let again = execute::<Counter>(&log, &stream("c"), None, &1, &accepted).await.unwrap();
    assert_eq!(again, receipt, "the counter stands at its limit, the answer does not change");
    let stale = execute::<Counter>(&log, &stream("c"), Some(Version(0)), &1, &accepted).await;
    assert_eq!(stale.unwrap(), receipt, "a retry is answered before its version is looked at");
    let other =
        execute::<Counter>(&log, &stream("c"), Some(Version(0)), &9, &cause(new_id())).await;
    assert!(matches!(other, Err(ExecuteError::Conflict { actual: Version(1) })), "{other:?}");
}

async fn an_event_comes_back_as_it_was_appended(log: impl Log) {
    let cause = cause(new_id());
    let events = vec![event("first"), event("second")];
    let receipt = log.append(&stream("a"), Version::NONE, &cause, events).await.unwrap().receipt;
    assert_eq!((receipt.version.0, receipt.position.number), (2, 2));

    let read = log.load(&stream("a"), Version::NONE).await.unwrap();
    assert_eq!(read, log.events().await);
    let second = &read[1];
    assert_eq!(&second.payload[..], b"second");
    assert_eq!((second.version.0, second.ordinal, second.position.epoch), (2, 1, 1));
    assert_eq!(second.issuer, cause.issuer);
    assert_eq!(second.occurred_at, cause.occurred_at);
    assert_eq!(second.recorded_at, receipt.recorded_at);
    let expected = leaf(&stream("a"), second.version, second.event_id, 1, &cause, &event("second"));
    assert_eq!(second.leaf, expected, "the leaf can be recomputed from the row");
}

async fn a_version_too_low_and_a_version_too_high_are_conflicts(log: impl Log) {
    append(&log, "a", 0, &["1", "2"]).await.unwrap();
    for wrong in [0, 1, 3, 99] {
        let outcome = append(&log, "a", wrong, &["x"]).await;
        assert!(
            matches!(outcome, Err(StoreError::Conflict { actual: Version(2) })),
            "{wrong}: {outcome:?}"
        );
    }
    assert_eq!(assert_gapless(&log).await, 2);
}

async fn a_stream_keeps_the_subject_of_its_first_event(log: impl Log) {
    append(&log, "a", 0, &["1"]).await.unwrap();
    let mut foreign = event("2");
    "another".clone_into(&mut foreign.key.subject);
    let outcome = log.append(&stream("a"), Version(1), &cause(new_id()), vec![foreign]).await;
    assert!(matches!(outcome, Err(StoreError::Unstorable { field: "subject", .. })), "{outcome:?}");
    assert_eq!(assert_gapless(&log).await, 1);
}

#[tokio::test]
async fn a_stale_cache_never_refuses_and_never_repeats() {
    let (scratch, one) = scratch().await;
    let settings = scratch.settings(crate::support::SCHEMA);
    let two =
        onenet_eventstore::PgLog::open(onenet_eventstore::Db::connect(&settings).await.unwrap())
            .await
            .unwrap();
    let count = |log: onenet_eventstore::PgLog| async move {
        execute::<Counter>(&log, &stream("c"), None, &4, &cause(new_id())).await
    };
    for log in [&one, &two, &one, &two] {
        count(log.clone()).await.unwrap();
    }
    // both caches are behind by one or more; the refusal comes from a fresh load
    let refused = count(one.clone()).await;
    assert!(matches!(refused, Err(ExecuteError::Rejected(AtLimit))), "{refused:?}");
    assert_eq!(assert_gapless(&two).await, 4);
}
