use onenet_kernel::Timestamp;
use onenet_standards::{Uscc, listing::NotOpenedOutcome};
use uuid::Uuid;

use crate::domain::{
    BlacklistEntry, ListingDecision, ListingNotice, Obligation, PenaltyFacts, Proposal, Removal,
    Statement, Subject,
};

/// What happened to a subject. The last two go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DishonestSubjectEvent {
    /// A penalty meets a trigger: a credit case is open.
    CreditCaseOpened {
        /// The case.
        credit_case_id: Uuid,
        /// The subject.
        subject: Subject,
        /// The penalty, whose organ is the organ of the case.
        penalty: PenaltyFacts,
        /// The rule set judged by.
        rule_set: String,
        /// The trigger that holds.
        trigger: String,
        /// The officer's proposal; `None` where the rules alone opened the case.
        proposal: Option<Proposal>,
    },
    /// A penalty opened no case by itself.
    CreditCaseNotOpened {
        /// The subject.
        subject: Subject,
        /// The penalty.
        penalty: PenaltyFacts,
        /// Why.
        outcome: NotOpenedOutcome,
        /// The rule set in force on the day of effect, if any.
        rule_set: Option<String>,
        /// Its triggers that name one of the violations.
        triggers: Vec<String>,
    },
    /// The subject was told of the intended listing; its time for a statement runs.
    ListingNoticeServed {
        /// The case.
        credit_case_id: Uuid,
        /// The notice.
        notice: ListingNotice,
        /// Armed.
        statement_period: Obligation,
    },
    /// The subject made a statement or defence.
    StatementRecorded {
        /// The case.
        credit_case_id: Uuid,
        /// The statement.
        statement: Statement,
    },
    /// A notice of holidays moved the end of the time for a statement.
    StatementPeriodRescheduled {
        /// The case.
        credit_case_id: Uuid,
        /// Armed, as it is counted now.
        statement_period: Obligation,
        /// When it was due before.
        previous_due_at: Timestamp,
    },
    /// The time for a statement is over; the organ may decide.
    StatementPeriodEnded {
        /// The case.
        credit_case_id: Uuid,
        /// Passed.
        statement_period: Obligation,
    },
    /// The organ decided. To list has effect only when served.
    ListingDecided {
        /// The case.
        credit_case_id: Uuid,
        /// The decision.
        decision: ListingDecision,
    },
    /// The decision was served and the subject is listed.
    SubjectListed {
        /// The subject.
        subject: Uscc,
        /// The new listing, one of those in the entry.
        listing_id: Uuid,
        /// The whole entry after this.
        entry: BlacklistEntry,
        /// Armed: the end of the term.
        expiry: Obligation,
    },
    /// A listing ended: publication, sharing and measures end with it.
    SubjectRemoved {
        /// The subject.
        subject: Uscc,
        /// The listing that ended.
        listing_id: Uuid,
        /// How it ended.
        removal: Removal,
        /// The whole entry after this; `None` where nothing is left in force.
        entry: Option<BlacklistEntry>,
        /// Passed where the term ended, met where the listing ended before.
        expiry: Obligation,
    },
}
