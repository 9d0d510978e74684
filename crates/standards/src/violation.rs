use std::collections::BTreeSet;

use serde::Deserialize;

use crate::table::{TableError, rows};

/// The coded list of violations (违法行为) that penalties name and listing triggers refer to.
pub struct Violations(BTreeSet<String>);

#[derive(Deserialize)]
struct Row {
    code: String,
}

impl Violations {
    /// The list that comes with the program.
    pub fn embedded() -> Result<Self, TableError> {
        let rows: Vec<Row> =
            rows("violation_codes.csv", include_str!("../data/violation_codes.csv"))?;
        Ok(Self(rows.into_iter().map(|row| row.code).collect()))
    }

    /// Whether the list has the code.
    #[must_use]
    pub fn contains(&self, code: &str) -> bool {
        self.0.contains(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_list_are_known_and_others_are_not() {
        let violations = Violations::embedded().unwrap();
        assert!(violations.contains("V-UNLICENSED"));
        for code in ["", "V-", "v-unlicensed", "V-UNKNOWN"] {
            assert!(!violations.contains(code), "{code}");
        }
    }
}
