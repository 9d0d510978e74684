//! What is measured of the readers of the listings: the only place of these names.

use std::sync::LazyLock;

use onenet_eventstore::{Db, DbError, meter};
use onenet_standards::Uscc;
use opentelemetry::{KeyValue, metrics::Gauge};

use crate::listings;

static OPEN: LazyLock<Gauge<u64>> = LazyLock::new(|| {
    meter()
        .u64_gauge("onenet.blacklist.open_removals")
        .with_description("removals that a reader has not acknowledged")
        .build()
});

static AGE: LazyLock<Gauge<u64>> = LazyLock::new(|| {
    meter()
        .u64_gauge("onenet.blacklist.open_removal_age")
        .with_description("age of the oldest removal that a reader has not acknowledged")
        .with_unit("s")
        .build()
});

/// Measures what these readers have not acknowledged.
pub(super) async fn measure_readers(db: &Db, readers: &[Uscc]) -> Result<(), DbError> {
    let readers: Vec<&str> = readers.iter().map(Uscc::as_str).collect();
    for state in listings::reader_states(db, &readers).await? {
        let labels = [KeyValue::new("reader", state.reader)];
        OPEN.record(state.open_removals, &labels);
        AGE.record(state.oldest_open_seconds.unwrap_or(0), &labels);
    }
    Ok(())
}
