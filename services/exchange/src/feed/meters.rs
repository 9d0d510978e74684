//! What is measured of the streams: the only place of these names.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicU64, Ordering},
};

use onenet_eventstore::meter;
use opentelemetry::{KeyValue, metrics::Counter};

use super::live::Inner;

/// What the streams of this process count together.
pub(super) struct Meters {
    behind: AtomicU64,
    deliveries: Counter<u64>,
}

impl Meters {
    /// Nothing was delivered yet, in either kind.
    pub(super) fn new() -> Self {
        let deliveries = meter()
            .u64_counter("onenet.exchange.deliveries")
            .with_description("events sent, whole or reduced to reference and reason")
            .build();
        let meters = Self { behind: AtomicU64::new(0), deliveries };
        meters.sent(0, 0);
        meters
    }

    /// Events have left for a subscriber.
    pub(super) fn sent(&self, whole: u64, reduced: u64) {
        for (kind, count) in [("whole", whole), ("reduced", reduced)] {
            self.deliveries.add(count, &[KeyValue::new("kind", kind)]);
        }
    }

    /// A stream pages by itself for as long as it keeps what this gives back.
    pub(super) fn paging(self: &Arc<Self>) -> Paging {
        self.behind.fetch_add(1, Ordering::Relaxed);
        Paging(Arc::clone(self))
    }
}

/// A stream that pages by itself.
pub(super) struct Paging(Arc<Meters>);

impl Drop for Paging {
    fn drop(&mut self) {
        self.0.behind.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Shows how many streams there are and what they are judged by, for as long as they are kept.
pub(super) fn observe(streams: &Arc<Inner>) {
    gauge(streams, "onenet.exchange.subscribers", "live streams", Inner::live_streams);
    gauge(
        streams,
        "onenet.exchange.subscribers_behind",
        "streams that page by themselves to catch up",
        |streams| streams.meters.behind.load(Ordering::Relaxed),
    );
    gauge(streams, "onenet.exchange.grants", "grants in force", |streams| {
        let grants = streams.tail.directory().snapshot().all_in_force(streams.door.today());
        u64::try_from(grants).unwrap_or(u64::MAX)
    });
}

fn gauge(
    streams: &Arc<Inner>,
    name: &'static str,
    description: &'static str,
    of: fn(&Inner) -> u64,
) {
    let streams: Weak<Inner> = Arc::downgrade(streams);
    meter()
        .u64_observable_gauge(name)
        .with_description(description)
        .with_callback(move |observer| {
            if let Some(streams) = streams.upgrade() {
                observer.observe(of(&streams), &[]);
            }
        })
        .build();
}
