use std::{fmt, time::Duration};

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::time::Instant;

/// How long things took, from the moment they were meant to begin: a load that waits for a slow answer
/// before it asks again would not see the wait (coordinated omission).
pub(crate) struct Latencies(Histogram<u64>);

/// Quantiles in microseconds.
#[expect(clippy::struct_field_names, reason = "the unit of each, in JSON too")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Quantiles {
    /// Half took at most this.
    pub(crate) p50_us: u64,
    /// 99 of 100.
    pub(crate) p99_us: u64,
    /// 999 of 1,000.
    pub(crate) p999_us: u64,
    /// The longest.
    pub(crate) max_us: u64,
}

impl Latencies {
    pub(crate) fn new() -> Result<Self> {
        // up to ten minutes, to three digits
        Ok(Self(Histogram::new_with_bounds(1, 600_000_000, 3)?))
    }

    pub(crate) fn note(&mut self, took: Duration) {
        self.0.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// Of all turns.
    pub(crate) fn together(turns: &[Self]) -> Result<Self> {
        let mut all = Self::new()?;
        for Self(turn) in turns {
            all.0.add(turn)?;
        }
        Ok(all)
    }

    pub(crate) fn quantiles(&self) -> Quantiles {
        let at = |quantile| self.0.value_at_quantile(quantile);
        Quantiles { p50_us: at(0.5), p99_us: at(0.99), p999_us: at(0.999), max_us: self.0.max() }
    }
}

/// Until the first, so that those who wait are ready for it.
const LEAD: Duration = Duration::from_millis(100);

/// Times at a steady rate, each to begin something at, whatever became of what was begun before.
pub(crate) fn schedule(per_second: u32, count: u32) -> impl Iterator<Item = Instant> {
    let (start, step) = (Instant::now() + LEAD, Duration::from_secs(1) / per_second);
    (0..count).map(move |n| start + step * n)
}

#[expect(clippy::cast_precision_loss, reason = "no run takes 2^52 microseconds")]
pub(crate) fn millis(micros: u64) -> f64 {
    micros as f64 / 1e3
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50_us, p99_us, p999_us, max_us } = *self;
        let [p50, p99, p999, most] = [p50_us, p99_us, p999_us, max_us].map(millis);
        write!(f, "p50 {p50:.1}, p99 {p99:.1}, p99.9 {p999:.1}, most {most:.1} ms")
    }
}
