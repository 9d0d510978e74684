//! The vocabulary of credit: subjects and their penalties, the steps of a case, the public entry.
#![deny(clippy::wildcard_enum_match_arm)]

mod days;
mod dishonest_subject;
mod entry;
mod listing_facts;
mod listing_reader;
mod obligation;
mod procedure;

pub use dishonest_subject::{
    DishonestSubject, DishonestSubjectCommand, DishonestSubjectEvent, DishonestSubjectRejection,
    credit_case_id,
};
pub use entry::{
    BlacklistEntry, DecidedRemoval, Listing, ListingLevel, Measure, MeasureEffect, MeasureField,
    Removal, RemovalGround,
};
pub use listing_facts::{FactsDigest, ListingFact};
pub use listing_reader::{
    AcknowledgeListings, Acknowledgement, ListingReader, ListingReaderEvent, ListingReaderRejection,
};
pub use obligation::{Obligation, ObligationKind, ObligationState, StatementPeriod};
pub use onenet_standards::listing::{Judgement, ListingRules, NotOpenedOutcome, SubjectKind};
pub use procedure::{
    ListingDecision, ListingNotice, ListingOutcome, PenaltyFacts, Proposal, Statement, Subject,
};
