//! What is measured of a log and of its readers: the only place of the names. An instrument that is made
//! before the process has said where measurements go measures nothing for ever, so each is made when
//! it is first needed.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge, Histogram, Meter},
};
use tokio::sync::mpsc;

use crate::{
    behind::Behind,
    db::{Db, DbError},
    lease::Change,
    parked::count_parked,
    timers,
};

/// Upper bounds of durations, in seconds: from what a healthy disk needs to what nobody waits for.
pub const DURATIONS: [f64; 13] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
/// Upper bounds of commands in one commit, up to the largest batch.
const BATCHES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Where all of onenet's measurements are taken.
#[must_use]
pub fn meter() -> Meter {
    global::meter("onenet")
}

fn label(name: &'static str, value: &str) -> KeyValue {
    KeyValue::new(name, value.to_owned())
}

/// Of one log's appender.
pub(crate) struct LogMeter {
    labels: [KeyValue; 1],
    batch: Histogram<u64>,
    duration: Histogram<f64>,
    resends: Counter<u64>,
}

impl LogMeter {
    /// What waits in `queue` is looked at when somebody asks, for as long as the log is open.
    pub(crate) fn new<T: Send + 'static>(log: &str, queue: mpsc::WeakSender<T>) -> Self {
        let (meter, labels) = (meter(), [label("log", log)]);
        let of_queue = labels.clone();
        meter
            .u64_observable_gauge("onenet.log.queue")
            .with_description("commands that wait for the commit under way")
            .with_callback(move |observer| {
                if let Some(queue) = queue.upgrade() {
                    let waiting = queue.max_capacity() - queue.capacity();
                    observer.observe(u64::try_from(waiting).unwrap_or(u64::MAX), &of_queue);
                }
            })
            .build();
        let resends = meter
            .u64_counter("onenet.log.resends")
            .with_description("batches sent again, since the outcome was unknown")
            .build();
        resends.add(0, &labels);
        Self {
            batch: meter
                .u64_histogram("onenet.log.batch")
                .with_description("commands of one commit")
                .with_boundaries(BATCHES.to_vec())
                .build(),
            duration: meter
                .f64_histogram("onenet.log.append_duration")
                .with_description("from the queue to the answer")
                .with_unit("s")
                .with_boundaries(DURATIONS.to_vec())
                .build(),
            resends,
            labels,
        }
    }

    pub(crate) fn committed(&self, commands: usize) {
        self.batch.record(u64::try_from(commands).unwrap_or(u64::MAX), &self.labels);
    }

    pub(crate) fn answered(&self, after: Duration) {
        self.duration.record(after.as_secs_f64(), &self.labels);
    }

    pub(crate) fn sent_again(&self) {
        self.resends.add(1, &self.labels);
    }
}

/// Of one lease, as this process sees it.
pub(crate) struct LeaseMeter {
    labels: [KeyValue; 2],
    held: Gauge<u64>,
    changes: Counter<u64>,
}

impl LeaseMeter {
    pub(crate) fn new(context: &str, lease: &str) -> Self {
        let labels = [label("context", context), label("lease", lease)];
        let held = meter()
            .u64_gauge("onenet.lease.held")
            .with_description("1 where this process holds the lease")
            .build();
        held.record(0, &labels);
        let changes = meter()
            .u64_counter("onenet.lease.changes")
            .with_description("leases won, lost and returned")
            .build();
        Self { labels, held, changes }
    }

    pub(crate) fn changed(&self, change: Change) {
        self.held.record(u64::from(change == Change::Won), &self.labels);
        let [context, lease] = self.labels.clone();
        self.changes.add(1, &[context, lease, label("change", change.as_str())]);
    }
}

/// Shows how far a reader is behind as `<instrument>.lag` and `<instrument>.lag_positions`, for as long as
/// somebody keeps it. Both are worked out when they are asked for: they grow while the reader hangs.
pub fn observe_lag(behind: &Arc<Behind>, instrument: &str, labels: &[(&'static str, &str)]) {
    let labels: Vec<KeyValue> = labels.iter().map(|(name, value)| label(name, value)).collect();
    let (weak, of_age) = (Arc::downgrade(behind), labels.clone());
    meter()
        .f64_observable_gauge(format!("{instrument}.lag"))
        .with_description("age of the oldest event that waits")
        .with_unit("s")
        .with_callback(move |observer| {
            if let Some(behind) = weak.upgrade() {
                observer.observe(behind.age().as_secs_f64(), &of_age);
            }
        })
        .build();
    let weak = Arc::downgrade(behind);
    meter()
        .u64_observable_gauge(format!("{instrument}.lag_positions"))
        .with_description("events that wait")
        .with_callback(move |observer| {
            if let Some(behind) = weak.upgrade() {
                observer.observe(behind.positions(), &labels);
            }
        })
        .build();
}

/// Measures how much each of these followers has parked.
pub async fn measure_parked(db: &Db, followers: &[&'static str]) -> Result<(), DbError> {
    static PARKED: LazyLock<Gauge<u64>> = LazyLock::new(|| {
        meter()
            .u64_gauge("onenet.follower.parked")
            .with_description("events that are parked")
            .build()
    });
    for (follower, count) in count_parked(db, followers).await? {
        PARKED.record(count, &[label("context", db.schema()), label("follower", &follower)]);
    }
    Ok(())
}

/// Measures how long the oldest timer that is due has not been fired.
pub async fn measure_overdue(db: &Db) -> Result<(), DbError> {
    static OVERDUE: LazyLock<Gauge<f64>> = LazyLock::new(|| {
        meter()
            .f64_gauge("onenet.clock.overdue")
            .with_description("how long the oldest deadline that is due has waited")
            .with_unit("s")
            .build()
    });
    OVERDUE.record(timers::overdue(db).await?.as_secs_f64(), &[label("context", db.schema())]);
    Ok(())
}
