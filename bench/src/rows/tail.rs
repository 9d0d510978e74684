use anyhow::{Context as _, Result};
use futures::TryStreamExt as _;
use onenet_eventstore::{
    sqlx::{Executor as _, PgConnection, Row as _, query},
    testing::Scratch,
};
use tokio::sync::Mutex;

use super::filled::fill;
use crate::{
    Bar, Bench, Figure,
    contest::{Turn, contest},
};

const SCHEMA: &str = "bench";
const EVENTS: u64 = 100_000;
const PAGE: u32 = 1_000;

/// The whole log from its beginning, page by page, against what a change-capture tool would read.
pub(super) async fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let scratch = Scratch::create(&bench.postgres).await?;
    let log = scratch.log(SCHEMA, &[]).await?;
    let mut slot = scratch.owner(SCHEMA).await?;
    slot.execute("create publication tail for table events").await?;
    let (events, name) = (bench.events(EVENTS), super::new_name("tail"));
    query("select pg_create_logical_replication_slot($1, 'pgoutput')")
        .bind(&name)
        .execute(&mut slot)
        .await
        .context("a logical slot: PostgreSQL has to run with wal_level = logical")?;
    fill(&mut slot, events).await?;
    let slot = Mutex::new(slot);
    let ours = async || Turn::of(super::read(&log, 0, PAGE)).await;
    let theirs = async || Turn::of(decode(&slot, &name)).await;
    let case = format!("{events} events");
    let figure = contest(bench, case, ("onenet", ours), ("pgoutput", theirs)).await;
    query("select pg_drop_replication_slot($1)")
        .bind(&name)
        .execute(&mut *slot.lock().await)
        .await?;
    Ok(vec![figure?.with(Bar::AtLeast(2.0, 3.0))])
}

/// Peeks, so that the next turn reads the same; answers the rows, not the messages around them.
async fn decode(slot: &Mutex<PgConnection>, name: &str) -> Result<u64> {
    let mut slot = slot.lock().await;
    let mut messages = query(
        "select data from pg_logical_slot_peek_binary_changes($1, null, null,
            'proto_version', '1', 'publication_names', 'tail')",
    )
    .bind(name)
    .fetch(&mut *slot);
    let mut rows = 0;
    while let Some(message) = messages.try_next().await? {
        let data: &[u8] = message.try_get(0)?;
        rows += u64::from(data.first() == Some(&b'I'));
    }
    Ok(rows)
}
