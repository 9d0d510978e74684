use std::{collections::BTreeSet, fmt};

use serde::Deserialize;

use crate::table::{TableError, rows};

/// A code of the table: a letter for a section, or two to four digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndustryCode(String);

impl IndustryCode {
    /// The code as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the code lies under a prefix such as `26`.
    #[must_use]
    pub fn is_under(&self, prefix: &str) -> bool {
        self.0.starts_with(prefix)
    }
}

impl fmt::Display for IndustryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The classification of industries (国民经济行业分类, GB/T 4754-2017).
pub struct Industries(BTreeSet<String>);

#[derive(Deserialize)]
struct Row {
    code: String,
}

impl Industries {
    /// The table that comes with the program.
    pub fn embedded() -> Result<Self, TableError> {
        let rows: Vec<Row> = rows("gbt4754_2017.csv", include_str!("../data/gbt4754_2017.csv"))?;
        Ok(Self(rows.into_iter().map(|row| row.code).collect()))
    }

    /// The code, if the table has it.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<IndustryCode> {
        self.0.get(code).map(|code| IndustryCode(code.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_every_level_are_known_and_others_are_not() {
        let industries = Industries::embedded().unwrap();
        for code in ["C", "26", "261", "2614"] {
            assert!(industries.find(code).is_some(), "{code}");
        }
        for code in ["", "99", "2600", "c", "26 "] {
            assert!(industries.find(code).is_none(), "{code}");
        }
        assert!(industries.find("2614").unwrap().is_under("26"));
    }
}
