//! Who is listed, as the credit log says it and as each reader of the list is told.

use std::collections::BTreeMap;

use onenet_kernel::Timestamp;
use uuid::Uuid;

use crate::{
    reconciled::{Acknowledged, Line},
    seen::{Content, Sighting},
};

/// The event types that say that a listing begins or ends.
pub(crate) const FACTS: [&str; 2] =
    ["onenet.credit.v1.SubjectListed", "onenet.credit.v1.SubjectRemoved"];

/// A listing that is in force, as somebody shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Which.
    pub listing: Uuid,
    /// All of it: rule, penalty, decision, days.
    pub content: Content,
    /// Its measures, each with its legal basis.
    pub measures: Content,
}

/// What a listing fact says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It begins.
    Listed(Uuid),
    /// It ends.
    Removed(Uuid),
}

/// A listing fact of the credit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The event that says so, with its place.
    pub line: Line,
    /// The day on which it was recorded, in Beijing.
    pub recorded_on: String,
    /// Whose listing it is.
    pub subject: String,
    /// What happens to it.
    pub change: Change,
    /// What is in force of the subject from then on, as the fact itself says.
    pub in_force: Vec<InForce>,
}

/// A record of the blacklist topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whom it is about.
    pub subject: String,
    /// The place of the fact that it was made of.
    pub position: u64,
    /// What it shows.
    pub in_force: Vec<InForce>,
}

/// Who is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blacklist {
    /// The measures of each listing as they were decided.
    pub decided: BTreeMap<Uuid, Content>,
    /// When the term of each listing ends.
    pub terms: BTreeMap<Uuid, Timestamp>,
    /// When it was recorded of a listing that its term has ended.
    pub expired: BTreeMap<Uuid, Timestamp>,
    /// What time it was by the database's clock when nothing moved any more.
    pub rested: Timestamp,
    /// Every fact, in the order of the log.
    pub facts: Vec<Fact>,
    /// The listings topic, each key in its order.
    pub listings: Vec<Sighting>,
    /// The blacklist topic, each key in its order.
    pub records: Vec<Record>,
    /// What `GetBlacklistEntry` shows of each subject in the end.
    pub entries: BTreeMap<String, Vec<InForce>>,
    /// What `CheckSubjects` shows of each subject in the end.
    pub checks: BTreeMap<String, Vec<InForce>>,
    /// What readers have acknowledged, in the order of the log.
    pub acknowledged: Vec<Acknowledged>,
    /// The removals that the platform has not acknowledged in the end, each with its place and subject; none: nobody
    /// asked.
    pub open: Option<Vec<(u64, String)>>,
}

impl Blacklist {
    /// How many listings began.
    #[must_use]
    pub fn listed(&self) -> usize {
        self.facts.iter().filter(|fact| matches!(fact.change, Change::Listed(_))).count()
    }

    /// How many listings ended.
    #[must_use]
    pub fn removed(&self) -> usize {
        self.facts.len() - self.listed()
    }
}
