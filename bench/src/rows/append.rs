use anyhow::Result;
use onenet_eventstore::testing::Scratch;

use super::{append_for, limit::Limit};
use crate::{
    Bar, Bench, Figure,
    contest::{Turn, contest},
};

const CALLERS: usize = 256;
const SCHEMA: &str = "bench";

/// In process: many callers, one event each, in one group commit or another.
pub(super) async fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let scratch = Scratch::create(&bench.postgres).await?;
    let log = scratch.log(SCHEMA, &[]).await?;
    let limit = Limit::create(&scratch, SCHEMA).await?;
    let ours = async || append_for(&log, CALLERS, bench.turn).await;
    let theirs = async || Turn::of(limit.insert_for(bench.turn)).await;
    let case = format!("{CALLERS} callers");
    let figure = contest(bench, case, ("onenet", ours), ("batched insert", theirs)).await?;
    Ok(vec![figure.with(Bar::AtLeast(0.6, 0.85))])
}
