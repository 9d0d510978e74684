use std::time::Duration;

use anyhow::{Result, bail};
use futures::{
    future::try_join_all,
    stream::{self, StreamExt as _, TryStreamExt as _},
};
use onenet_eventstore::{PgLog, sqlx::Executor as _, testing::Scratch};

use super::{append_one, appender::Appender, filled};
use crate::{
    Bar, Bench, Figure,
    contest::{Turn, contest},
};

const SCHEMA: &str = "bench";
/// Callers, however many appenders they are divided among.
const CALLERS: usize = 256;
const APPENDERS: [usize; 2] = [2, 4];
/// Events of the longest log, and of the shortest where that is long enough.
const LONGEST: u64 = 1_000_000;
const SHORTEST: u64 = 10_000;
/// Appended in one turn: few, since the shortest log grows by them.
const APPENDS: u64 = 4_000;
/// A log is appended to by a so many-th of its length before it is measured: by then most pages of its index of
/// streams were touched since the checkpoint, of a short log as of a long one. A first touch costs more.
const TOUCHED_BY: u64 = 40;
/// Read in one go from the end of a log.
const END: u64 = 10_000;
const PAGE: u32 = 1_000;

/// Against one appender, and against the shortest log.
pub(super) async fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let scratch = Scratch::create(&bench.postgres).await?;
    scratch.log(SCHEMA, &[]).await?;
    for count in APPENDERS {
        figures.push(appenders(bench, &scratch, count).await?);
    }
    let mut logs = Vec::new();
    for events in lengths(bench.events(LONGEST)) {
        logs.push(Log::create(bench, events).await?);
    }
    let [shortest, longer @ ..] = &logs[..] else { bail!("there is nothing to compare") };
    for longer in longer {
        figures.extend(longer.beside(bench, shortest).await?);
    }
    Ok(figures)
}

/// Ten times as long each, at least three.
fn lengths(longest: u64) -> Vec<u64> {
    let shorter = std::iter::successors(Some(longest), |length| Some((length / 10).max(1)));
    let count = 1 + shorter.clone().take_while(|length| *length > SHORTEST).count();
    let mut lengths: Vec<u64> = shorter.take(count.max(3)).collect();
    lengths.reverse();
    lengths
}

async fn appenders(bench: &Bench, scratch: &Scratch, count: usize) -> Result<Figure> {
    let turn = bench.turn / 4;
    let ours = async || append_by(bench, scratch, count, turn).await;
    let theirs = async || append_by(bench, scratch, 1, turn).await;
    let case = format!("append by {count} appenders, {CALLERS} callers");
    let figure = contest(bench, case, ("onenet", ours), ("one appender", theirs)).await?;
    Ok(figure.on("append by appenders", count as u64))
}

/// Each appender is a process.
async fn append_by(bench: &Bench, scratch: &Scratch, count: usize, turn: Duration) -> Result<Turn> {
    let start = |_| {
        let settings = scratch.settings(SCHEMA);
        Appender::start(&bench.program, settings, CALLERS / count, turn)
    };
    let appenders = try_join_all((0..count).map(start)).await?;
    let appending = try_join_all(appenders.into_iter().map(Appender::append));
    Turn::of(async { Ok(appending.await?.into_iter().sum()) }).await
}

/// A log of some length.
struct Log {
    events: u64,
    log: PgLog,
}

impl Log {
    async fn create(bench: &Bench, events: u64) -> Result<Self> {
        let scratch = Scratch::create(&bench.postgres).await?;
        let log = scratch.log(SCHEMA, &[]).await?;
        let mut owner = scratch.owner(SCHEMA).await?;
        filled::fill(&mut owner, events).await?;
        append_one(&log).await?;
        // what PostgreSQL would do by itself, in the middle of a turn
        owner.execute("vacuum analyze events").await?;
        owner.execute("checkpoint").await?;
        Ok(Self { events, log })
    }

    async fn beside(&self, bench: &Bench, shortest: &Self) -> Result<[Figure; 2]> {
        let (events, than) = (self.events, format!("{} events", shortest.events));
        let case = format!("append to {events} events, {CALLERS} callers");
        for log in [self, shortest] {
            log.append(log.events / TOUCHED_BY).await?;
        }
        let appends = bench.at_most(APPENDS);
        let (ours, theirs) =
            (async || self.append(appends).await, async || shortest.append(appends).await);
        let append = contest(bench, case, ("onenet", ours), (&than, theirs)).await?;
        let time = bench.turn / 10;
        let (ours, theirs) = (
            async || Turn::repeated(time, async || self.tail().await).await,
            async || Turn::repeated(time, async || shortest.tail().await).await,
        );
        let case = format!("tail of {events} events");
        let tail = contest(bench, case, ("onenet", ours), (&than, theirs)).await?;
        let flat = Bar::AtLeast(0.8, 0.95);
        let curves = [(append, "append to a log"), (tail, "tail of a log")];
        Ok(curves.map(|(figure, curve)| figure.with(flat).on(curve, events)))
    }

    async fn append(&self, appends: u64) -> Result<Turn> {
        let appends = stream::iter(0..appends).map(|_| append_one(&self.log));
        let appended =
            appends.buffer_unordered(CALLERS).try_fold(0, |all, ()| async move { Ok(all + 1) });
        Turn::of(appended).await
    }

    async fn tail(&self) -> Result<Turn> {
        let end = self.log.head().await?.number.saturating_sub(END);
        Turn::of(super::read(&self.log, end, PAGE)).await
    }
}
