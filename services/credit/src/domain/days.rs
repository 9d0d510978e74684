//! Days of Beijing as instants. China has had no summer time since 1991, so the offset is fixed.

use jiff::{SignedDuration, civil::Date};
use onenet_kernel::Timestamp;

const MICROS_A_DAY: i64 = 86_400_000_000;
const BEIJING_AHEAD: i64 = 8 * 3_600_000_000;
const EPOCH: Date = Date::constant(1970, 1, 1);

/// The first instant of a day.
pub(super) fn start_of(day: Date) -> Timestamp {
    let days = i64::from((day - EPOCH).get_days());
    Timestamp::from_micros(days * MICROS_A_DAY - BEIJING_AHEAD)
}

/// The first instant after a day: 24:00.
pub(super) fn end_of(day: Date) -> Timestamp {
    Timestamp::from_micros(start_of(day).as_micros() + MICROS_A_DAY)
}

/// The last day that has ended by an instant.
pub(super) fn last_day_before(instant: Timestamp) -> Date {
    let beijing = instant.as_micros().saturating_add(BEIJING_AHEAD);
    let days = beijing.div_euclid(MICROS_A_DAY) - 1;
    EPOCH.saturating_add(SignedDuration::from_secs(days * 86_400))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_ends_at_midnight_in_beijing() {
        let day = date(2026, 3, 13);
        assert_eq!(start_of(day).to_string(), "2026-03-12T16:00:00Z");
        assert_eq!(end_of(day).to_string(), "2026-03-13T16:00:00Z");
    }

    #[test]
    fn the_last_day_is_the_one_that_has_ended() {
        for day in [date(2026, 3, 13), date(1969, 12, 31), date(2024, 2, 29)] {
            assert_eq!(last_day_before(end_of(day)), day);
            let just_before = Timestamp::from_micros(end_of(day).as_micros() - 1);
            assert_eq!(last_day_before(just_before), day.yesterday().unwrap());
        }
    }

    #[test]
    fn an_absurd_instant_is_no_reason_to_fail() {
        assert_eq!(last_day_before(Timestamp::from_micros(i64::MAX)), Date::MAX);
        assert_eq!(last_day_before(Timestamp::from_micros(i64::MIN)), Date::MIN);
    }
}
