use std::fmt;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// An instant, in whole microseconds since 1970-01-01T00:00:00Z: the resolution of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Loses what is finer than a microsecond.
    #[must_use]
    pub fn from_datetime(at: OffsetDateTime) -> Self {
        let micros = at.unix_timestamp() * 1_000_000 + i64::from(at.microsecond());
        Self(micros)
    }

    /// The same instant in UTC; instants beyond year ±9999 are clamped to the epoch's calendar.
    #[must_use]
    pub fn to_datetime(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_datetime().format(&Rfc3339) {
            Ok(text) => f.write_str(&text),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

/// Where the present comes from; an argument wherever "now" matters.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// What the clock that deadlines end by says it is. One that goes by another heeds it.
    fn told(&self, _now: Timestamp) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_survives_the_way_through_a_datetime() {
        for micros in [0, 1, 1_790_000_000_123_456, -1] {
            let at = Timestamp::from_micros(micros);
            assert_eq!(Timestamp::from_datetime(at.to_datetime()), at);
        }
    }
}
