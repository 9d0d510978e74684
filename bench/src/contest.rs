use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{
    Bench,
    figure::{Figure, Side},
    machine::processor_time,
};

/// What one turn brought.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) events: u64,
    pub(crate) took: Duration,
    /// Of the whole machine; none where it was busy with more than the turn.
    pub(crate) processor: Option<Duration>,
}

impl Turn {
    /// Measures one turn; `run` answers how many events it was.
    pub(crate) async fn of(run: impl Future<Output = Result<u64>>) -> Result<Self> {
        let (before, started) = (processor_time()?, Instant::now());
        let events = run.await?;
        let (took, after) = (started.elapsed(), processor_time()?);
        Ok(Self { events, took, processor: Some(after.saturating_sub(before)) })
    }

    /// Does a fixed amount of work again and again, at least once, until `time` is over; what is done around
    /// the measured parts does not count.
    pub(crate) async fn repeated(
        time: Duration,
        mut work: impl AsyncFnMut() -> Result<Self>,
    ) -> Result<Self> {
        let mut all = work().await?;
        while all.took < time {
            let Self { events, took, processor } = work().await?;
            all.events += events;
            all.took += took;
            all.processor = all.processor.zip(processor).map(|(all, more)| all + more);
        }
        Ok(all)
    }
}

/// Runs both sides in turns; the round after begins with the other one.
pub(crate) async fn contest(
    bench: &Bench,
    case: impl Into<String>,
    (our_name, ours): (&str, impl AsyncFnMut() -> Result<Turn>),
    (their_name, theirs): (&str, impl AsyncFnMut() -> Result<Turn>),
) -> Result<Figure> {
    let (our_turns, their_turns) = in_turns(bench, ours, theirs).await?;
    Ok(Figure::ratio(case, Side::new(our_name, our_turns), Side::new(their_name, their_turns)))
}

/// What each side's turns brought.
pub(crate) async fn in_turns<T>(
    bench: &Bench,
    mut ours: impl AsyncFnMut() -> Result<T>,
    mut theirs: impl AsyncFnMut() -> Result<T>,
) -> Result<(Vec<T>, Vec<T>)> {
    let (mut our_turns, mut their_turns) = (Vec::new(), Vec::new());
    for round in 0..bench.rounds {
        if round % 2 == 0 {
            our_turns.push(ours().await?);
            their_turns.push(theirs().await?);
        } else {
            their_turns.push(theirs().await?);
            our_turns.push(ours().await?);
        }
        tracing::info!(round = round + 1, of = bench.rounds, "measured");
    }
    Ok((our_turns, their_turns))
}

/// Callers in a closed loop: each does the next thing when the last is done, until the time is over.
/// Answers how many things were done.
pub(crate) async fn closed_loop<F>(
    callers: usize,
    turn: Duration,
    call: impl Fn(usize) -> F + Clone + Send + 'static,
) -> Result<u64>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let until = Instant::now() + turn;
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let call = call.clone();
            tokio::spawn(async move {
                let mut done = 0;
                while Instant::now() < until {
                    call(caller).await?;
                    done += 1;
                }
                anyhow::Ok(done)
            })
        })
        .collect();
    let mut all = 0;
    for task in tasks {
        all += task.await??;
    }
    Ok(all)
}
