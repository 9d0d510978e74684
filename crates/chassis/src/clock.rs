//! One clock for a node: its database's. Deadlines end by it, so what day it is must not be another's affair.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use onenet_eventstore::{Db, DbError, ages_go_by};
use onenet_kernel::{Clock, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::{context::StartError, day::SystemClock};

/// How often the database is asked: a machine's clock loses little meanwhile.
const ASK_EVERY: Duration = Duration::from_secs(15);
/// How far a machine's clock may be off before that is said, in microseconds.
const APART: i64 = 1_000_000;

/// Goes by what the database's clock said last, whatever this machine's shows or is set to. Until it is told,
/// it is the machine's.
pub struct NodeClock {
    made: Instant,
    /// What it was when this was made, in microseconds.
    began: AtomicI64,
    /// Whether the machine's was off when this was told last: it is said once.
    is_apart: AtomicBool,
}

impl NodeClock {
    /// As this machine's clock, until it is told.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Self::beginning(SystemClock.now())
    }

    /// At this instant, until it is told.
    #[must_use]
    pub fn beginning(at: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            made: Instant::now(),
            began: AtomicI64::new(at.as_micros()),
            is_apart: AtomicBool::new(false),
        })
    }

    fn passed(&self) -> i64 {
        i64::try_from(self.made.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.began.load(Ordering::Relaxed).saturating_add(self.passed()))
    }

    fn told(&self, now: Timestamp) {
        let apart = SystemClock.now().as_micros() - now.as_micros();
        let is_apart = apart.abs() > APART;
        let was_apart = self.is_apart.swap(is_apart, Ordering::Relaxed);
        if is_apart && !was_apart {
            let seconds = apart / 1_000_000;
            tracing::warn!(seconds, "this machine's clock is not the database's: set both");
        }
        self.began.store(now.as_micros().saturating_sub(self.passed()), Ordering::Relaxed);
    }
}

/// Tells the clock what the database says, and whoever counts how old something is.
pub(crate) async fn tell(clock: &dyn Clock, db: &Db) -> Result<(), DbError> {
    let asked = Instant::now();
    let now = db.now().await?.as_micros();
    // it was read somewhere between question and answer
    let since = i64::try_from(asked.elapsed().as_micros() / 2).unwrap_or(i64::MAX);
    let now = Timestamp::from_micros(now.saturating_add(since));
    clock.told(now);
    ages_go_by(now);
    Ok(())
}

/// Goes on telling it. While the database is away the clock goes on by itself.
pub(crate) async fn keep(
    clock: Arc<dyn Clock>,
    db: Db,
    stop: CancellationToken,
) -> Result<(), StartError> {
    while stop.run_until_cancelled(tokio::time::sleep(ASK_EVERY)).await.is_some() {
        if let Err(error) = tell(&*clock, &db).await {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, "the clock goes on by itself");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_by_what_it_was_told_last() {
        let hour = |hours: i64| Timestamp::from_micros(hours * 3_600_000_000);
        let clock = NodeClock::beginning(hour(5));
        for told in [None, Some(hour(7)), Some(hour(6))] {
            if let Some(told) = told {
                clock.told(told);
            }
            let (from, minute) = (told.unwrap_or(hour(5)), 60_000_000);
            let passed = clock.now().as_micros() - from.as_micros();
            assert!((0..minute).contains(&passed), "{passed} µs after it was told {told:?}");
        }
    }
}
