use std::collections::HashMap;

use jiff::{
    ToSpan as _,
    civil::{Date, Weekday},
};
use serde::Deserialize;

use crate::table::{TableError, rows};

/// Days off by statute that hardly move, used beyond the last published arrangement: 1 January,
/// 1 and 2 May, 1 to 3 October.
const FIXED_DAYS_OFF: [(i8, i8); 6] = [(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)];

/// The working days of mainland China, from the State Council's yearly arrangements.
pub struct Calendar {
    exceptions: HashMap<Date, Kind>,
    covered: (Date, Date),
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Holiday,
    Workday,
}

#[derive(Deserialize)]
struct Row {
    date: Date,
    kind: Kind,
}

/// The last day of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// It ends with this day, at 24:00 Beijing time.
    pub on: Date,
    /// Counted beyond the last published arrangement: loading the next one may move it.
    pub provisional: bool,
}

/// Why days cannot be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The arrangements of that year were never loaded.
    #[error("no arrangement of working days is loaded for {day}; the first day covered is {first}")]
    BeforeCoverage {
        /// The day asked about.
        day: Date,
        /// The first day covered.
        first: Date,
    },
    /// Beyond the calendar's last year.
    #[error("the period ends beyond the calendar")]
    TooLong,
}

impl Calendar {
    /// The arrangements that come with the program.
    pub fn embedded() -> Result<Self, TableError> {
        Self::from_csv(include_str!("../data/holidays.csv"))
    }

    /// Arrangements of whole years; `kind` is `holiday`, or `workday` for a weekend day worked.
    pub fn from_csv(text: &str) -> Result<Self, TableError> {
        let rows: Vec<Row> = rows("holidays.csv", text)?;
        let none = || TableError::new("holidays.csv", "no rows");
        let first = rows.iter().map(|row| row.date.year()).min().ok_or_else(none)?;
        let last = rows.iter().map(|row| row.date.year()).max().ok_or_else(none)?;
        let day = |year, month, day| {
            Date::new(year, month, day).map_err(|error| TableError::new("holidays.csv", error))
        };
        Ok(Self {
            covered: (day(first, 1, 1)?, day(last, 12, 31)?),
            exceptions: rows.into_iter().map(|row| (row.date, row.kind)).collect(),
        })
    }

    /// Names the arrangements: the last year they cover.
    #[must_use]
    pub fn version(&self) -> String {
        format!("CN-{}", self.covered.1.year())
    }

    /// Whether people work on `day`, as far as is known.
    #[must_use]
    pub fn is_working_day(&self, day: Date) -> bool {
        let is_weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        if day > self.covered.1 {
            return !is_weekend && !FIXED_DAYS_OFF.contains(&(day.month(), day.day()));
        }
        match self.exceptions.get(&day) {
            Some(kind) => *kind == Kind::Workday,
            None => !is_weekend,
        }
    }

    /// The end of a period of `days` working days that an act on `day` starts. The day of the act
    /// does not count (行政处罚法 art. 85: periods in working days leave out holidays).
    pub fn working_days_after(&self, day: Date, days: u32) -> Result<Deadline, CalendarError> {
        let (first, last) = self.covered;
        if day < first {
            return Err(CalendarError::BeforeCoverage { day, first });
        }
        let mut on = day;
        let mut left = days;
        while left > 0 {
            on = on.checked_add(1.day()).map_err(|_beyond_9999| CalendarError::TooLong)?;
            left -= u32::from(self.is_working_day(on));
        }
        Ok(Deadline { on, provisional: on > last })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn after(day: Date, days: u32) -> Deadline {
        Calendar::embedded().unwrap().working_days_after(day, days).unwrap()
    }

    #[test]
    fn the_day_of_the_act_does_not_count_and_weekends_do_not_either() {
        // a Friday
        assert_eq!(
            after(date(2026, 11, 20), 5),
            Deadline { on: date(2026, 11, 27), provisional: false }
        );
        assert_eq!(after(date(2026, 11, 20), 0).on, date(2026, 11, 20));
    }

    #[test]
    fn the_national_holiday_and_its_working_weekends_count_as_arranged() {
        let calendar = Calendar::embedded().unwrap();
        // 2024: 29 September (Sunday) and 12 October (Saturday) were worked for 1 to 7 October
        assert!(calendar.is_working_day(date(2024, 9, 29)));
        assert!(!calendar.is_working_day(date(2024, 10, 7)));
        assert_eq!(after(date(2024, 9, 28), 3).on, date(2024, 10, 8));
    }

    #[test]
    fn beyond_the_last_arrangement_the_end_is_provisional() {
        let deadline = after(date(2026, 12, 30), 3);
        assert_eq!(deadline, Deadline { on: date(2027, 1, 5), provisional: true });
    }

    #[test]
    fn before_the_first_arrangement_nothing_is_guessed() {
        let refused = Calendar::embedded().unwrap().working_days_after(date(2023, 12, 29), 5);
        assert!(matches!(refused, Err(CalendarError::BeforeCoverage { .. })));
    }
}
