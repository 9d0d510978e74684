//! A rule set as `credit_rules.json` writes it.

use jiff::civil::Date;
use num_rational::BigRational;
use serde::Deserialize;

use super::{PenaltyFacts, SubjectKind};
use crate::{decimal::exact, industry::IndustryCode, table::TableError};

const TABLE: &str = "credit_rules.json";

#[derive(Deserialize)]
struct File {
    rule_sets: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RuleSet {
    pub(super) id: String,
    pub(super) title: String,
    effective_from: Date,
    effective_to: Option<Date>,
    #[serde(default)]
    scope_industries: Vec<Scope>,
    pub(super) triggers: Vec<Trigger>,
    /// Present where another authority than the penalty's decides.
    decision_chain: Option<serde_json::Value>,
    period: Period,
    early_exit: Option<EarlyExit>,
}

#[derive(Debug, Deserialize)]
struct Scope {
    gbt4754_prefixes: Vec<String>,
    /// `derived` from the names of the classes, or `K`: a reading.
    prefix_status: String,
}

#[derive(Debug, Deserialize)]
struct Period {
    #[serde(flatten)]
    length: Months,
    period_starts: Start,
}

#[derive(Debug, Deserialize)]
struct EarlyExit {
    after: Wait,
}

#[derive(Debug, Deserialize)]
struct Wait {
    #[serde(flatten)]
    length: Months,
    counted_from: Start,
}

/// The only unit of time a listing is counted in; another one fails to load.
#[derive(Debug, Deserialize)]
#[serde(tag = "unit", rename_all = "lowercase")]
enum Months {
    Month { number: u16 },
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Start {
    Published,
    Listed,
}

#[derive(Debug, Deserialize)]
pub(super) struct Trigger {
    pub(super) code: String,
    subjects: Vec<String>,
    /// Absent: a person decides.
    when: Option<Condition>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Condition {
    AnyOf { any_of: Vec<Condition> },
    Event(Event),
}

#[derive(Debug, Deserialize)]
struct Event {
    #[serde(rename = "event")]
    name: String,
    violations: Option<Vec<String>>,
    fine_multiple_min: Option<serde_json::Number>,
    fine_multiple_max: Option<serde_json::Number>,
}

/// How far the industries of a rule set reach.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cover {
    Outside,
    Reading,
    Inside,
}

pub(super) fn embedded() -> Result<Vec<RuleSet>, TableError> {
    let wrong = |error| TableError::new(TABLE, error);
    let file: File =
        serde_json::from_str(include_str!("../../data/credit_rules.json")).map_err(wrong)?;
    file.rule_sets
        .into_iter()
        .filter(|set| set["kind"] == "listing")
        .map(|set| serde_json::from_value(set).map_err(wrong))
        .collect()
}

impl RuleSet {
    pub(super) fn is_in_force(&self, day: Date) -> bool {
        self.effective_from <= day && self.effective_to.is_none_or(|end| day < end)
    }

    /// Whether the authority of the penalty decides the listing.
    pub(super) fn is_executable(&self) -> bool {
        self.decision_chain.is_none()
    }

    pub(super) fn trigger(&self, code: &str) -> Option<&Trigger> {
        self.triggers.iter().find(|trigger| trigger.code == code)
    }

    pub(super) fn triggers_naming(&self, violations: &[String]) -> Vec<String> {
        let naming = self.triggers.iter().filter(|trigger| trigger.names(violations));
        naming.map(|trigger| trigger.code.clone()).collect()
    }

    /// Months of the term and of the wait for an early exit, where both are counted from the listing.
    pub(super) fn months_from_listing(&self) -> Option<(u16, Option<u16>)> {
        let number = |Months::Month { number }: &Months| *number;
        let wait = self.early_exit.as_ref().map(|exit| &exit.after);
        let is_counted = self.period.period_starts == Start::Listed
            && wait.is_none_or(|wait| wait.counted_from == Start::Listed);
        (self.is_executable() && is_counted)
            .then(|| (number(&self.period.length), wait.map(|wait| number(&wait.length))))
    }

    pub(super) fn covers(&self, industry: &IndustryCode) -> Cover {
        let matching = self
            .scope_industries
            .iter()
            .filter(|scope| scope.gbt4754_prefixes.iter().any(|prefix| industry.is_under(prefix)));
        let cover = |scope: &Scope| {
            if scope.prefix_status == "derived" { Cover::Inside } else { Cover::Reading }
        };
        matching.map(cover).max().unwrap_or(Cover::Outside)
    }
}

impl Trigger {
    pub(super) fn holds(&self, penalty: &PenaltyFacts<'_>) -> bool {
        self.when.as_ref().is_some_and(|condition| condition.holds(penalty))
    }

    pub(super) fn lists(&self, subject: SubjectKind) -> bool {
        self.subjects.iter().any(|listed| listed == subject.as_written())
    }

    pub(super) fn is_for_persons_only(&self) -> bool {
        self.subjects.iter().all(|subject| subject.ends_with("person") || subject == "persons")
    }

    fn names(&self, violations: &[String]) -> bool {
        self.when.as_ref().is_some_and(|condition| condition.names(violations))
    }
}

impl Condition {
    fn holds(&self, penalty: &PenaltyFacts<'_>) -> bool {
        match self {
            Self::AnyOf { any_of } => any_of.iter().any(|condition| condition.holds(penalty)),
            Self::Event(event) => event.names(penalty.violations) && event.fine_fits(penalty),
        }
    }

    fn names(&self, violations: &[String]) -> bool {
        match self {
            Self::AnyOf { any_of } => any_of.iter().any(|condition| condition.names(violations)),
            Self::Event(event) => event.names(violations),
        }
    }
}

impl Event {
    fn names(&self, violations: &[String]) -> bool {
        let own = self.violations.as_ref().filter(|_| self.name == "penalty_effective");
        own.is_some_and(|own| own.iter().any(|code| violations.contains(code)))
    }

    /// A bound that cannot be compared, for want of a multiple, does not hold.
    fn fine_fits(&self, penalty: &PenaltyFacts<'_>) -> bool {
        let bound = |number: &serde_json::Number| exact(&number.to_string()).ok();
        let fits = |limit: &Option<serde_json::Number>,
                    fits: fn(&BigRational, &BigRational) -> bool| {
            limit.as_ref().is_none_or(|limit| match (penalty.fine_multiple, bound(limit)) {
                (Some(multiple), Some(limit)) => fits(multiple, &limit),
                _ => false,
            })
        };
        fits(&self.fine_multiple_min, |multiple, least| multiple >= least)
            && fits(&self.fine_multiple_max, |multiple, most| multiple <= most)
    }
}
