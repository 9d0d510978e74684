//! What a credit case works with before and beside the public entry.

use jiff::civil::Date;
use num_rational::BigRational;
use onenet_standards::{Uscc, listing::SubjectKind};
use uuid::Uuid;

use super::Measure;

/// The penalised subject, as the penalty named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its code.
    pub uscc: Uscc,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SubjectKind,
    /// Its division (行政区划代码).
    pub division: String,
    /// Its industry (GB/T 4754).
    pub industry: String,
}

/// The facts of a penalty that a trigger is judged by; enough to judge again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PenaltyFacts {
    /// The enforcement case.
    pub case_id: Uuid,
    /// The organ that decided it: the only one that may list.
    pub organ: Uscc,
    /// Number of its decision document, as written.
    pub document_number: String,
    /// The day of its decision.
    pub decided_on: Date,
    /// The day it took effect: the rule set in force on this day judges it.
    pub effective_on: Date,
    /// Codes of the violations punished.
    pub violations: Vec<String>,
    /// How many times the ordinary fine, where it is a multiple.
    pub fine_multiple: Option<BigRational>,
}

/// An officer's proposal to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The proposing organ, that of the penalty.
    pub organ: Uscc,
    /// Why the trigger holds and the subject is in scope.
    pub grounds: String,
}

/// A served notice of the intended listing (列入告知).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingNotice {
    /// Its number, as written.
    pub document_number: String,
    /// The day of service.
    pub served_on: Date,
}

/// A statement or defence of the subject (陈述、申辩).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The day the organ received it.
    pub received_on: Date,
    /// What it says, without personal data.
    pub summary: String,
}

/// The decision of a credit case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingDecision {
    /// To list or not.
    pub outcome: ListingOutcome,
    /// Number of the decision document, as written.
    pub document_number: String,
    /// The day of the decision.
    pub decided_on: Date,
    /// The reasons, answering the statements.
    pub reasons: String,
}

/// What a credit case ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListingOutcome {
    /// 列入, with these measures; it has effect when the decision is served.
    List(Vec<Measure>),
    /// 不予列入; the case is closed.
    DoNotList,
}
