//! The public side: what stands on the blacklist topic.

use jiff::civil::Date;
use onenet_standards::{Uscc, listing::SubjectKind};
use uuid::Uuid;

use super::Subject;

/// A subject with every listing in force. A listing that is not in force is not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlacklistEntry {
    /// The subject.
    pub subject: Uscc,
    /// Its name as of its latest listing.
    pub name: String,
    /// What it is.
    pub kind: SubjectKind,
    /// Oldest first, at least one.
    pub in_force: Vec<Listing>,
}

/// One listing (列入).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The id of the credit case that led to it.
    pub listing_id: Uuid,
    /// What kind of list the rule set knows.
    pub level: ListingLevel,
    /// The rule set judged by.
    pub rule_set: String,
    /// The trigger that holds.
    pub trigger: String,
    /// The enforcement case whose penalty is the ground.
    pub penalty_case_id: Uuid,
    /// The organ that decided the penalty.
    pub penalty_organ: Uscc,
    /// Number of the penalty's decision document.
    pub penalty_document_number: String,
    /// The organ that decided the listing.
    pub decision_organ: Uscc,
    /// Number of the listing's decision document.
    pub decision_document_number: String,
    /// The day of the listing's decision.
    pub decided_on: Date,
    /// The first day of the listing.
    pub listed_on: Date,
    /// The first day after its term.
    pub expires_on: Date,
    /// What is restricted or forbidden.
    pub measures: Vec<Measure>,
}

/// Kinds of list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListingLevel {
    /// 严重失信主体 (应急管理部令第11号).
    SeriouslyDishonest,
}

/// One measure of joint punishment (联合惩戒措施). Without legal basis there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The field of life it works in.
    pub field: MeasureField,
    /// What it does there.
    pub effect: MeasureEffect,
    /// The law that allows it.
    pub legal_basis: String,
    /// The organ that executes it.
    pub executing_organ: Uscc,
}

/// Fields of joint punishment, exactly those of 豫发〔2017〕31号 clause 33.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasureField {
    /// 企业投融资.
    Financing,
    /// 政府采购.
    GovernmentProcurement,
    /// 工程招投标.
    Tendering,
    /// 国有土地出让.
    StateLand,
    /// 荣誉授予.
    Honours,
    /// 资质审核.
    Qualification,
}

/// What a measure does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasureEffect {
    /// 限制.
    Restrict,
    /// 禁止.
    Forbid,
}

/// The end of a listing (移出).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Its term ended (期满); only the expiry timer says so.
    Expired {
        /// First day without the listing.
        removed_on: Date,
    },
    /// Its organ decided so before.
    Decided(DecidedRemoval),
}

/// A decision to end a listing before its term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedRemoval {
    /// Why it ends.
    pub ground: RemovalGround,
    /// First day without the listing.
    pub removed_on: Date,
    /// Number of the decision document, as written.
    pub document_number: String,
}

/// Why a listing is ended before its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalGround {
    /// 提前移出.
    EarlyExit,
    /// The penalty it rested on was revoked or void (处罚决定被撤销).
    PenaltyRevoked,
    /// The decision to list was itself wrong (列入决定被撤销).
    DecisionRevoked,
}

impl BlacklistEntry {
    /// A subject's entry once another listing is in force.
    pub(super) fn with(entry: Option<&Self>, subject: &Subject, listing: Listing) -> Self {
        let mut in_force = entry.map_or_else(Vec::new, |entry| entry.in_force.clone());
        let older = in_force.partition_point(|other| other.listed_on <= listing.listed_on);
        in_force.insert(older, listing);
        Self {
            subject: subject.uscc.clone(),
            name: subject.name.clone(),
            kind: subject.kind,
            in_force,
        }
    }

    /// The entry without a listing; `None` where no other is left.
    pub(super) fn without(&self, listing_id: Uuid) -> Option<Self> {
        let others = self.in_force.iter().filter(|other| other.listing_id != listing_id);
        let in_force: Vec<Listing> = others.cloned().collect();
        (!in_force.is_empty()).then(|| Self {
            subject: self.subject.clone(),
            name: self.name.clone(),
            kind: self.kind,
            in_force,
        })
    }
}
