//! Days of the law: they begin and end at 24:00 Beijing time (UTC+8, no summer time since 1991).

use jiff::{
    ToSpan as _,
    civil::{Date, date},
};
use onenet_kernel::{Clock, Timestamp};

const MICROS_PER_DAY: i64 = 86_400_000_000;
const BEIJING: i64 = 8 * 3_600_000_000;
const UNIX_EPOCH: Date = date(1970, 1, 1);

/// The wall clock of this machine. Nothing is decided by it: see [`NodeClock`](crate::clock::NodeClock).
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the clock that everything else is given")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The day in Beijing on which `at` falls.
#[must_use]
pub fn of(at: Timestamp) -> Date {
    let days = (at.as_micros() + BEIJING).div_euclid(MICROS_PER_DAY);
    // instants of the log lie within the calendar's ten thousand years
    UNIX_EPOCH.checked_add(days.days()).unwrap_or(Date::MAX)
}

/// The first instant of a day in Beijing.
#[must_use]
pub fn start(day: Date) -> Timestamp {
    Timestamp::from_micros(number(day) * MICROS_PER_DAY - BEIJING)
}

/// The first instant after a day in Beijing: when a deadline on that day has come.
#[must_use]
pub fn end(day: Date) -> Timestamp {
    Timestamp::from_micros(start(day).as_micros() + MICROS_PER_DAY)
}

/// Days since 1970-01-01: how policies compare days.
#[must_use]
pub fn number(day: Date) -> i64 {
    let span = UNIX_EPOCH.until(day).map(|span| span.get_days()).unwrap_or_default();
    i64::from(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_in_beijing() {
        let day = date(2026, 11, 24);
        assert_eq!(start(day).to_string(), "2026-11-23T16:00:00Z");
        assert_eq!(end(day).to_string(), "2026-11-24T16:00:00Z");
        assert_eq!(of(start(day)), day);
        assert_eq!(of(Timestamp::from_micros(start(day).as_micros() - 1)), date(2026, 11, 23));
        assert_eq!(of(end(day)), date(2026, 11, 25));
        assert_eq!(number(date(1970, 1, 2)), 1);
        assert_eq!(number(date(1969, 12, 31)), -1);
    }
}
