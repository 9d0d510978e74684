use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::Future,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use onenet_kernel::Timestamp;

/// How often a reader that is behind counts what waits.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// Nothing waits.
const NOTHING: i64 = i64::MIN;

/// How far this machine's clock is ahead of the database's, by which events are recorded; in microseconds, as far
/// as was seen last.
static AHEAD: AtomicI64 = AtomicI64::new(0);

/// Counts what a reader has before it, beside its reading.
pub trait Backlog: Send + Sync + 'static {
    /// How many events, or records, there are from these places (partition, next offset) to the end; none
    /// where it cannot be said now.
    fn count(&self, from: &BTreeMap<i32, i64>) -> impl Future<Output = Option<u64>> + Send;
}

/// How far a reader is behind, for others to look at while it works or hangs. What it says is told to
/// people; nothing is decided by it.
#[derive(Debug)]
pub struct Behind {
    /// When the oldest event that waits was recorded, or when reading began to fail; in microseconds.
    since: AtomicI64,
    positions: AtomicU64,
    places: Mutex<BTreeMap<i32, i64>>,
}

impl Default for Behind {
    fn default() -> Self {
        Self {
            since: AtomicI64::new(NOTHING),
            positions: AtomicU64::new(0),
            places: Mutex::default(),
        }
    }
}

impl Behind {
    /// Where the reader stands: the next offset of each partition that it holds.
    pub fn stands_at(&self, places: impl IntoIterator<Item = (i32, i64)>) {
        *self.places.lock().unwrap_or_else(PoisonError::into_inner) = places.into_iter().collect();
    }

    /// It has read so many events and not handled them yet; the oldest was recorded then.
    pub fn waits(&self, oldest: Timestamp, events: usize) {
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        if self.since.swap(oldest.as_micros(), Ordering::Relaxed) == NOTHING {
            self.positions.store(events, Ordering::Relaxed);
        } else {
            self.positions.fetch_max(events, Ordering::Relaxed);
        }
    }

    /// There was nothing to read, or it is somebody else's to read.
    pub fn caught_up(&self) {
        self.since.store(NOTHING, Ordering::Relaxed);
    }

    /// Reading or handling failed. What waits then is not known, so it waits from now on, unless something
    /// waited already.
    pub fn fails(&self) {
        let now = now();
        if self.since.compare_exchange(NOTHING, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.positions.store(0, Ordering::Relaxed);
        }
    }

    /// How long the oldest has waited; zero where nothing does.
    #[must_use]
    pub fn age(&self) -> Duration {
        match self.since.load(Ordering::Relaxed) {
            NOTHING => Duration::ZERO,
            since => Duration::from_micros(u64::try_from(now() - since).unwrap_or(0)),
        }
    }

    /// How many events wait, as far as was counted.
    #[must_use]
    pub fn positions(&self) -> u64 {
        match self.since.load(Ordering::Relaxed) {
            NOTHING => 0,
            _ => self.positions.load(Ordering::Relaxed),
        }
    }

    /// Counts again and again while something waits; runs beside the reader, which may hang.
    pub async fn keep_counting(&self, backlog: &impl Backlog) -> Infallible {
        loop {
            tokio::time::sleep(COUNT_EVERY).await;
            let places = self.places.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if self.since.load(Ordering::Relaxed) == NOTHING || places.is_empty() {
                continue;
            }
            if let Some(positions) = backlog.count(&places).await {
                self.positions.store(positions, Ordering::Relaxed);
            }
        }
    }
}

/// Ages of what waits go by the database's clock, which says so just now; until it is told, by this machine's.
pub fn ages_go_by(now: Timestamp) {
    AHEAD.store(of_this_machine() - now.as_micros(), Ordering::Relaxed);
}

fn now() -> i64 {
    of_this_machine() - AHEAD.load(Ordering::Relaxed)
}

#[expect(clippy::disallowed_methods, reason = "an age is told to people; nothing is decided by it")]
fn of_this_machine() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_that_of_the_oldest_and_failing_makes_nothing_younger() {
        // by a database whose clock is two hours behind this machine's
        ages_go_by(Timestamp::from_micros(of_this_machine() - 7_200_000_000));
        let behind = Behind::default();
        assert_eq!((behind.age(), behind.positions()), (Duration::ZERO, 0));
        // for a minute and a half
        behind.waits(Timestamp::from_micros(of_this_machine() - 7_290_000_000), 3);
        behind.fails();
        let (age, minute) = (behind.age(), Duration::from_mins(1));
        assert!((minute..2 * minute).contains(&age), "{age:?}");
        assert_eq!(behind.positions(), 3);
        behind.caught_up();
        assert_eq!((behind.age(), behind.positions()), (Duration::ZERO, 0));
        behind.fails();
        assert!(behind.age() < Duration::from_mins(1), "{:?}", behind.age());
        assert_eq!(behind.positions(), 0, "what waits is not known");
        // a database whose clock goes ahead
        behind.waits(Timestamp::from_micros(now() + 60_000_000), 1);
        assert_eq!(behind.age(), Duration::ZERO);
    }
}
