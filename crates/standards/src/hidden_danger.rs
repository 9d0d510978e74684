use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

use crate::table::{TableError, rows};

const CRITERIA: &str = "major_hidden_danger_criteria.csv";
const STANDARDS: &str = "major_hidden_danger_standards.csv";

/// What makes a hidden danger a major one (重大事故隐患判定标准): criteria with their dates, and the
/// index of the standards whose items are not in the table.
pub struct HiddenDangerCriteria {
    criteria: BTreeMap<String, Dated>,
    standards: BTreeMap<u32, String>,
}

/// An item of a standard, as it is cited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenDangerCriterion {
    /// The standard: its title and the paper it came with.
    pub standard: String,
    /// The item as the standard words it.
    pub item: String,
}

struct Dated {
    criterion: HiddenDangerCriterion,
    effective_from: Option<Date>,
    effective_to: Option<Date>,
}

#[derive(Deserialize)]
struct CriterionRow {
    id: String,
    criterion_zh: String,
    standard_no: u32,
    document: String,
    effective_from: Option<Date>,
    effective_to: Option<Date>,
}

#[derive(Deserialize)]
struct StandardRow {
    no: u32,
    title: String,
}

impl HiddenDangerCriteria {
    /// The tables that come with the program.
    pub fn embedded() -> Result<Self, TableError> {
        let standards: Vec<StandardRow> =
            rows(STANDARDS, include_str!("../data/major_hidden_danger_standards.csv"))?;
        let standards: BTreeMap<u32, String> =
            standards.into_iter().map(|row| (row.no, row.title)).collect();
        let criteria: Vec<CriterionRow> =
            rows(CRITERIA, include_str!("../data/major_hidden_danger_criteria.csv"))?;
        let criteria = criteria.into_iter().map(|row| {
            let unknown = || {
                TableError::new(
                    CRITERIA,
                    format_args!("{}: no such standard_no in the index", row.id),
                )
            };
            let title = standards.get(&row.standard_no).ok_or_else(unknown)?;
            let standard = format!("{title}（{}）", row.document);
            let criterion = HiddenDangerCriterion { standard, item: row.criterion_zh };
            let (effective_from, effective_to) = (row.effective_from, row.effective_to);
            Ok((row.id, Dated { criterion, effective_from, effective_to }))
        });
        Ok(Self { criteria: criteria.collect::<Result<_, TableError>>()?, standards })
    }

    /// The criterion with this code, where it is in force on `day` as far as is known.
    #[must_use]
    pub fn find(&self, code: &str, day: Date) -> Option<&HiddenDangerCriterion> {
        let found = self.criteria.get(code)?;
        let is_early = found.effective_from.is_some_and(|from| day < from);
        let is_late = found.effective_to.is_some_and(|to| day >= to);
        (!is_early && !is_late).then_some(&found.criterion)
    }

    /// Title of a standard of the index.
    #[must_use]
    pub fn standard(&self, number: u32) -> Option<&str> {
        self.standards.get(&number).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_criterion_is_found_by_its_code_from_its_first_day_on() {
        let criteria = HiddenDangerCriteria::embedded().unwrap();
        let found = criteria.find("CHEM-06", date(2026, 11, 24)).unwrap();
        assert_eq!(found.item, "全压力式液化烃储罐未按国家标准设置注水措施。");
        assert!(found.standard.ends_with("（安监总管三〔2017〕121号）"), "{}", found.standard);
        assert!(criteria.find("CHEM-06", date(2017, 11, 13)).is_some());
        assert_eq!(criteria.find("CHEM-06", date(2017, 11, 12)), None);
        for unknown in ["", "CHEM-21", "chem-06"] {
            assert_eq!(criteria.find(unknown, date(2026, 11, 24)), None, "{unknown}");
        }
    }

    #[test]
    fn the_index_names_every_standard() {
        let criteria = HiddenDangerCriteria::embedded().unwrap();
        assert_eq!(criteria.standards.len(), 51);
        assert_eq!(criteria.criteria.len(), 57);
        assert_eq!(criteria.standard(28), Some("工贸企业重大事故隐患判定标准"));
        assert_eq!(criteria.standard(52), None);
    }
}
