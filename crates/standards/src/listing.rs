//! Which penalties lead to a listing (失信主体名单): the rule set in force on the day a penalty took
//! effect, and what its triggers say of it.

use jiff::civil::Date;
use num_rational::BigRational;
use serde::Deserialize;

use crate::{decimal::exact, industry::IndustryCode, table::TableError};

const TABLE: &str = "credit_rules.json";

/// What a penalty is judged by.
#[derive(Clone, Debug)]
pub struct PenaltyFacts<'a> {
    /// What kind of organisation was penalised.
    pub subject: SubjectKind,
    /// Its industry.
    pub industry: &'a IndustryCode,
    /// The day the penalty took effect: it chooses the rule set.
    pub effective_on: Date,
    /// Codes of `violation_codes.csv`.
    pub violations: &'a [String],
    /// How many times the ordinary fine, where the decision says so.
    pub fine_multiple: Option<&'a BigRational>,
}

/// Organisations that can be listed; persons are not judged here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    /// 生产经营单位.
    Unit,
    /// 安全评价、认证、检测、检验机构.
    Institution,
}

impl SubjectKind {
    fn as_written(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Institution => "institution",
        }
    }
}

/// What follows from a penalty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// A case is opened under this trigger.
    Opens {
        /// The rule set.
        rule_set: String,
        /// The trigger that holds.
        trigger: String,
    },
    /// A trigger holds, but the industry scope is a reading, not the order's text.
    OfficerDecides {
        /// The rule set.
        rule_set: String,
        /// The triggers that hold.
        triggers: Vec<String>,
    },
    /// A trigger holds, but the rule set does not cover the industry.
    OutOfScope {
        /// The rule set.
        rule_set: String,
        /// The triggers that hold but for the scope.
        triggers: Vec<String>,
    },
    /// What holds lists persons alone.
    PersonsOnly {
        /// The rule set.
        rule_set: String,
        /// The triggers that hold for persons.
        triggers: Vec<String>,
    },
    /// No trigger holds for such a subject.
    NoTrigger {
        /// The rule set.
        rule_set: String,
    },
    /// The rule set has another chain of decision (a national authority decides).
    NotExecutable {
        /// The rule set.
        rule_set: String,
    },
    /// No rule set was in force that day.
    NoRuleSet,
}

/// The listing rule sets, each with the days it is in force.
pub struct ListingRules(Vec<RuleSet>);

#[derive(Deserialize)]
struct File {
    rule_sets: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct RuleSet {
    id: String,
    effective_from: Date,
    effective_to: Option<Date>,
    #[serde(default)]
    scope_industries: Vec<Scope>,
    triggers: Vec<Trigger>,
    /// Present where another authority than the penalty's decides.
    decision_chain: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Scope {
    gbt4754_prefixes: Vec<String>,
    /// `derived` from the names of the classes, or `K`: a reading.
    prefix_status: String,
}

#[derive(Deserialize)]
struct Trigger {
    code: String,
    subjects: Vec<String>,
    /// Absent: a person decides.
    when: Option<Condition>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Condition {
    AnyOf { any_of: Vec<Condition> },
    Event(Event),
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "event")]
    name: String,
    violations: Option<Vec<String>>,
    fine_multiple_min: Option<serde_json::Number>,
    fine_multiple_max: Option<serde_json::Number>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Cover {
    Outside,
    Reading,
    Inside,
}

impl ListingRules {
    /// The rule sets that come with the program.
    pub fn embedded() -> Result<Self, TableError> {
        let wrong = |error| TableError::new(TABLE, error);
        let file: File =
            serde_json::from_str(include_str!("../data/credit_rules.json")).map_err(wrong)?;
        file.rule_sets
            .into_iter()
            .filter(|set| set["kind"] == "listing")
            .map(|set| serde_json::from_value(set).map_err(wrong))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Judges a penalty by the rule set in force on the day it took effect.
    #[must_use]
    pub fn judge(&self, penalty: &PenaltyFacts<'_>) -> Judgement {
        let Some(set) = self.0.iter().find(|set| set.is_in_force(penalty.effective_on)) else {
            return Judgement::NoRuleSet;
        };
        let rule_set = set.id.clone();
        if set.decision_chain.is_some() {
            return Judgement::NotExecutable { rule_set };
        }
        let (mut own, mut persons) = (Vec::new(), Vec::new());
        for trigger in set.triggers.iter().filter(|trigger| trigger.holds(penalty)) {
            if trigger.subjects.iter().any(|subject| subject == penalty.subject.as_written()) {
                own.push(trigger.code.clone());
            } else if trigger.is_for_persons_only() {
                persons.push(trigger.code.clone());
            }
        }
        match (own.first(), set.covers(penalty.industry)) {
            (None, _) if persons.is_empty() => Judgement::NoTrigger { rule_set },
            (None, _) => Judgement::PersonsOnly { rule_set, triggers: persons },
            (Some(_), Cover::Outside) => Judgement::OutOfScope { rule_set, triggers: own },
            (Some(_), Cover::Reading) => Judgement::OfficerDecides { rule_set, triggers: own },
            (Some(trigger), Cover::Inside) => {
                Judgement::Opens { rule_set, trigger: trigger.clone() }
            }
        }
    }
}

impl RuleSet {
    fn is_in_force(&self, day: Date) -> bool {
        self.effective_from <= day && self.effective_to.is_none_or(|end| day < end)
    }

    fn covers(&self, industry: &IndustryCode) -> Cover {
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
    fn holds(&self, penalty: &PenaltyFacts<'_>) -> bool {
        self.when.as_ref().is_some_and(|condition| condition.holds(penalty))
    }

    fn is_for_persons_only(&self) -> bool {
        self.subjects.iter().all(|subject| subject.ends_with("person") || subject == "persons")
    }
}

impl Condition {
    fn holds(&self, penalty: &PenaltyFacts<'_>) -> bool {
        match self {
            Self::AnyOf { any_of } => any_of.iter().any(|condition| condition.holds(penalty)),
            Self::Event(event) => event.holds(penalty),
        }
    }
}

impl Event {
    fn holds(&self, penalty: &PenaltyFacts<'_>) -> bool {
        let Some(violations) =
            self.violations.as_ref().filter(|_| self.name == "penalty_effective")
        else {
            return false;
        };
        violations.iter().any(|code| penalty.violations.contains(code)) && self.fine_fits(penalty)
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

#[cfg(test)]
mod tests;
