use std::sync::Arc;

use jiff::civil::Date;
use onenet_kernel::Timestamp;
use onenet_standards::{
    Uscc,
    listing::{Judgement, ListingRules},
};
use uuid::Uuid;

use crate::domain::{
    DecidedRemoval, ListingDecision, ListingNotice, PenaltyFacts, Proposal, Statement,
    StatementPeriod, Subject,
};

/// What is asked of a subject's credit cases. `organ` is the acting organ.
#[derive(Clone, Debug)]
pub enum DishonestSubjectCommand {
    /// A penalty of the subject took effect; from the reaction to it.
    JudgePenalty {
        /// The subject.
        subject: Subject,
        /// The penalty.
        penalty: PenaltyFacts,
        /// What the rule set in force on the day of effect says of it.
        judgement: Judgement,
    },
    /// An officer finds a trigger to hold where the rules alone opened no case.
    ProposeListing {
        /// The enforcement case of the penalty.
        penalty_case_id: Uuid,
        /// The trigger.
        trigger: String,
        /// Who proposes, and why.
        proposal: Proposal,
        /// The rules to propose under.
        rules: Arc<ListingRules>,
    },
    /// The notice (告知) was served.
    ServeListingNotice {
        /// The case.
        credit_case_id: Uuid,
        /// The acting organ.
        organ: Uscc,
        /// The notice.
        notice: ListingNotice,
        /// The time for a statement that begins with it.
        period: StatementPeriod,
    },
    /// A statement or defence was received.
    RecordStatement {
        /// The case.
        credit_case_id: Uuid,
        /// The acting organ.
        organ: Uscc,
        /// The statement.
        statement: Statement,
    },
    /// The organ decides to list or not to list. The day of the decision is no later than today.
    DecideListing {
        /// The case.
        credit_case_id: Uuid,
        /// The acting organ.
        organ: Uscc,
        /// The decision.
        decision: ListingDecision,
    },
    /// The decision to list was served (送达).
    ServeListingDecision {
        /// The case.
        credit_case_id: Uuid,
        /// The acting organ.
        organ: Uscc,
        /// The day of service.
        served_on: Date,
        /// The rules that hold the term.
        rules: Arc<ListingRules>,
    },
    /// The organ ends a listing before its term.
    RemoveListing {
        /// The listing.
        listing_id: Uuid,
        /// The acting organ.
        organ: Uscc,
        /// The decision.
        removal: DecidedRemoval,
        /// The rules that hold the earliest exit.
        rules: Arc<ListingRules>,
    },
    /// The time for a statement is counted anew with another calendar; nothing where its end stays as it
    /// is, or it was given by another rule.
    RescheduleStatementPeriod {
        /// The case.
        credit_case_id: Uuid,
        /// When it was due.
        due_at: Timestamp,
        /// The period, as it is counted now.
        period: StatementPeriod,
    },
    /// The end of a statement period may have come; from the clock.
    EndStatementPeriod {
        /// The case.
        credit_case_id: Uuid,
        /// The deadline the timer was set for.
        due_at: Timestamp,
    },
    /// The end of a term may have come; from the clock.
    ExpireListing {
        /// The listing.
        listing_id: Uuid,
        /// The deadline the timer was set for.
        due_at: Timestamp,
    },
}
