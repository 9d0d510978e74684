//! Which penalties lead to a listing (失信主体名单) and how long it lasts: the rule set in force on the
//! day a penalty took effect, what its triggers say of it, and its terms.

mod rule_set;

use jiff::{ToSpan as _, civil::Date};
use num_rational::BigRational;

use self::rule_set::{Cover, RuleSet, Trigger};
use crate::{industry::IndustryCode, table::TableError};

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
    /// The rules alone open none.
    NotOpened {
        /// Why.
        outcome: NotOpenedOutcome,
        /// The rule set in force, if any.
        rule_set: Option<String>,
        /// Its triggers that name one of the violations, whether they hold or not: where an officer
        /// starts to look.
        triggers: Vec<String>,
    },
}

/// Why a penalty opens no case by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpenedOutcome {
    /// No trigger's whole condition holds for such a subject.
    NoTrigger,
    /// A trigger holds, but the rule set does not cover the industry.
    OutOfScope,
    /// What holds lists persons alone.
    PersonsOnly,
    /// No rule set was in force that day.
    NoRuleSet,
    /// The rule set has another chain of decision (a national authority decides).
    RuleSetNotExecutable,
    /// A trigger holds, but the industry scope is a reading, not the order's text.
    OfficerDecides,
}

/// Why an officer may not propose a listing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposalError {
    /// No rule set was in force that day, or one that another authority executes.
    #[error("no listing rule set was in force that its own authority could execute")]
    NoExecutableRuleSet {
        /// The one in force, if any.
        rule_set: Option<String>,
    },
    /// The rule set has no such trigger.
    #[error("the rule set has no such trigger")]
    TriggerUnknown,
    /// The trigger lists others.
    #[error("the trigger does not list such a subject")]
    TriggerNotForSubject,
}

/// How long a listing lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The rule, as an officer would cite it.
    pub legal_basis: String,
    months: u16,
    early_exit_months: Option<u16>,
}

impl Terms {
    /// The first day after the term of a listing whose first day is `listed_on`.
    #[must_use]
    pub fn expires_on(&self, listed_on: Date) -> Date {
        months_after(listed_on, self.months)
    }

    /// The first day on which a listing may end early (提前移出); where the rule knows no early exit,
    /// the first day after its term.
    #[must_use]
    pub fn earliest_exit(&self, listed_on: Date) -> Date {
        months_after(listed_on, self.early_exit_months.unwrap_or(self.months))
    }
}

/// The same day of a later month. Where that month has no such day, the first day of the next one: a
/// period of months is never cut short.
fn months_after(day: Date, months: u16) -> Date {
    let same = day.saturating_add(i64::from(months).months());
    if same.day() < day.day() { same.saturating_add(1.day()) } else { same }
}

/// The listing rule sets, each with the days it is in force.
#[derive(Debug)]
pub struct ListingRules(Vec<RuleSet>);

impl ListingRules {
    /// The rule sets that come with the program.
    pub fn embedded() -> Result<Self, TableError> {
        rule_set::embedded().map(Self)
    }

    /// Judges a penalty by the rule set in force on the day it took effect.
    #[must_use]
    pub fn judge(&self, penalty: &PenaltyFacts<'_>) -> Judgement {
        let Some(set) = self.in_force_on(penalty.effective_on) else {
            return Judgement::NotOpened {
                outcome: NotOpenedOutcome::NoRuleSet,
                rule_set: None,
                triggers: Vec::new(),
            };
        };
        match judge_by(set, penalty) {
            Ok(trigger) => {
                Judgement::Opens { rule_set: set.id.clone(), trigger: trigger.to_owned() }
            }
            Err(outcome) => Judgement::NotOpened {
                outcome,
                rule_set: Some(set.id.clone()),
                triggers: set.triggers_naming(penalty.violations),
            },
        }
    }

    /// The rule set by which an officer may propose to list `subject` under `trigger` for a penalty
    /// that took effect on `effective_on`. Scope and condition are the officer's to argue.
    pub fn propose(
        &self,
        effective_on: Date,
        subject: SubjectKind,
        trigger: &str,
    ) -> Result<&str, ProposalError> {
        let in_force = self.in_force_on(effective_on);
        let set = in_force.filter(|set| set.is_executable()).ok_or_else(|| {
            ProposalError::NoExecutableRuleSet { rule_set: in_force.map(|set| set.id.clone()) }
        })?;
        let trigger = set.trigger(trigger).ok_or(ProposalError::TriggerUnknown)?;
        if !trigger.lists(subject) {
            return Err(ProposalError::TriggerNotForSubject);
        }
        Ok(&set.id)
    }

    /// How long listings under a rule set last; `None` where it is unknown or not executable here.
    #[must_use]
    pub fn terms(&self, rule_set: &str) -> Option<Terms> {
        let set = self.0.iter().find(|set| set.id == rule_set)?;
        let (months, early_exit_months) = set.months_from_listing()?;
        Some(Terms { legal_basis: set.title.clone(), months, early_exit_months })
    }

    fn in_force_on(&self, day: Date) -> Option<&RuleSet> {
        self.0.iter().find(|set| set.is_in_force(day))
    }
}

/// The trigger that opens a case, or why none does.
fn judge_by<'a>(set: &'a RuleSet, penalty: &PenaltyFacts<'_>) -> Result<&'a str, NotOpenedOutcome> {
    if !set.is_executable() {
        return Err(NotOpenedOutcome::RuleSetNotExecutable);
    }
    let holding = || set.triggers.iter().filter(|trigger| trigger.holds(penalty));
    let own = holding().find(|trigger| trigger.lists(penalty.subject));
    match (own, set.covers(penalty.industry)) {
        (None, _) if holding().any(Trigger::is_for_persons_only) => {
            Err(NotOpenedOutcome::PersonsOnly)
        }
        (None, _) => Err(NotOpenedOutcome::NoTrigger),
        (Some(_), Cover::Outside) => Err(NotOpenedOutcome::OutOfScope),
        (Some(_), Cover::Reading) => Err(NotOpenedOutcome::OfficerDecides),
        (Some(trigger), Cover::Inside) => Ok(&trigger.code),
    }
}

#[cfg(test)]
mod tests;
