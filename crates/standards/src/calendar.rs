use std::{collections::BTreeMap, fmt::Write as _};

use jiff::{
    ToSpan as _,
    civil::{Date, Weekday},
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::table::{TableError, rows};

/// Days off by statute that hardly move, used beyond the last published arrangement: 1 January,
/// 1 and 2 May, 1 to 3 October.
const FIXED_DAYS_OFF: [(i8, i8); 6] = [(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)];

/// The working days of mainland China, from the State Council's yearly arrangements.
pub struct Calendar {
    exceptions: BTreeMap<Date, Kind>,
    covered: (Date, Date),
    version: String,
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
        let exceptions = rows.into_iter().map(|row| (row.date, row.kind)).collect();
        let version = version(last, &exceptions);
        Ok(Self { covered: (day(first, 1, 1)?, day(last, 12, 31)?), exceptions, version })
    }

    /// Names the arrangements by the last year they cover and by what they say, for example
    /// `CN-2026-5f0c2a19`: with any day changed they have another name.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
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

fn version(last_year: i16, exceptions: &BTreeMap<Date, Kind>) -> String {
    let mut digest = Sha256::new();
    for (date, kind) in exceptions {
        let kind = match kind {
            Kind::Holiday => "holiday",
            Kind::Workday => "workday",
        };
        digest.update(format!("{date},{kind}\n"));
    }
    let mut version = format!("CN-{last_year}-");
    for byte in digest.finalize().iter().take(4) {
        // writing to a string does not fail
        let _ = write!(version, "{byte:02x}");
    }
    version
}

/// Whether what was counted with the arrangements `before` is to be counted anew with `version`: others,
/// which reach as far or farther. Two that reach equally far supersede each other, so one process at a
/// time may go by this.
#[must_use]
pub fn supersedes(version: &str, before: &str) -> bool {
    version != before && last_year(version) >= last_year(before)
}

/// `CN-2026`: what a version begins with, and all that one of the first releases holds.
fn last_year(version: &str) -> &str {
    version.get(.."CN-2026".len()).unwrap_or(version)
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
    fn a_version_follows_from_the_days_alone() {
        let version = |text: &str| Calendar::from_csv(text).unwrap().version().to_owned();
        let arranged = version("date,kind\n2026-01-01,holiday\n2026-01-04,workday\n");
        // kept for ever: deadlines are counted anew where it changes
        assert_eq!(arranged, "CN-2026-d1927974");
        let reordered =
            "# a source\ndate,kind,name_zh\n2026-01-04,workday,a\n2026-01-01,holiday,b\n";
        assert_eq!(version(reordered), arranged);
        let moved = version("date,kind\n2026-01-02,holiday\n2026-01-04,workday\n");
        let turned = version("date,kind\n2026-01-01,holiday\n2026-01-04,holiday\n");
        assert!(moved != arranged && turned != arranged && moved != turned);
    }

    #[test]
    fn what_reaches_as_far_or_farther_and_says_otherwise_supersedes() {
        assert!(supersedes("CN-2026-00000001", "CN-2026-00000002"));
        assert!(supersedes("CN-2026-00000002", "CN-2026-00000001"));
        assert!(supersedes("CN-2027-00000001", "CN-2026-00000002"));
        assert!(!supersedes("CN-2026-00000001", "CN-2026-00000001"));
        assert!(!supersedes("CN-2026-00000001", "CN-2027-00000002"));
        // versions that were written before they followed from the content
        assert!(supersedes("CN-2026-00000001", "CN-2026"));
        assert!(!supersedes("CN-2025-00000001", "CN-2026"));
    }

    #[test]
    fn before_the_first_arrangement_nothing_is_guessed() {
        let refused = Calendar::embedded().unwrap().working_days_after(date(2023, 12, 29), 5);
        assert!(matches!(refused, Err(CalendarError::BeforeCoverage { .. })));
    }
}
