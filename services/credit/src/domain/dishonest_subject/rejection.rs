use jiff::civil::Date;
use onenet_kernel::Timestamp;
use onenet_standards::listing::ProposalError;
use uuid::Uuid;

/// Why a step is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DishonestSubjectRejection {
    /// The penalty was not judged for this subject yet.
    #[error("no penalty of this case has been judged for this subject")]
    PenaltyUnknown,
    /// Neither a case nor a listing has the id.
    #[error("the subject has no credit case with this id")]
    CreditCaseUnknown,
    /// The organ of the penalty could not execute the rules in force on the day it took effect.
    #[error("no listing rule set was in force that the organ may execute")]
    NoExecutableRuleSet {
        /// The one in force, if any.
        rule_set: Option<String>,
    },
    /// The rule set has no such trigger.
    #[error("the rule set in force has no such trigger")]
    TriggerUnknown,
    /// The trigger lists others.
    #[error("the trigger does not list such a subject")]
    TriggerNotForSubject,
    /// The penalty opened a case before, otherwise than asked.
    #[error("the penalty has opened a case already")]
    CaseAlreadyOpen {
        /// That case.
        credit_case_id: Uuid,
    },
    /// The subject was not told yet.
    #[error("the notice of this case is not served")]
    NoticeNotServed,
    /// The subject was told by another notice.
    #[error("another notice of this case is served")]
    NoticeAlreadyServed,
    /// The statement came after the period.
    #[error("the last day for a statement was {latest}")]
    StatementTooLate {
        /// The last day of the period.
        latest: Date,
    },
    /// The subject may still speak.
    #[error("the statement period runs until {due_at}")]
    StatementPeriodOpen {
        /// Its end.
        due_at: Timestamp,
    },
    /// The case is decided, otherwise than asked or before the statement.
    #[error("the case is decided")]
    AlreadyDecided,
    /// There is no decision to serve.
    #[error("the case is not decided")]
    NotDecided,
    /// 不予列入: there is no listing to serve.
    #[error("the decision was not to list")]
    DecidedNotToList,
    /// The listing began on another day.
    #[error("the decision was served on another day")]
    AlreadyListed,
    /// Not yet served, or ended otherwise than asked.
    #[error("the listing is not in force")]
    NotInForce,
    /// 提前移出 has to wait.
    #[error("the first day of an early exit is {earliest}")]
    EarlyExitTooSoon {
        /// That day.
        earliest: Date,
    },
    /// A day lies before the step it has to follow.
    #[error("the first day allowed is {earliest}")]
    DateTooEarly {
        /// That day.
        earliest: Date,
    },
    /// Another organ than the penalty's acts.
    #[error("the case is another organ's: {rule}")]
    NotAuthorised {
        /// The rule that was not met.
        rule: &'static str,
    },
}

impl From<ProposalError> for DishonestSubjectRejection {
    fn from(error: ProposalError) -> Self {
        match error {
            ProposalError::NoExecutableRuleSet { rule_set } => {
                Self::NoExecutableRuleSet { rule_set }
            }
            ProposalError::TriggerUnknown => Self::TriggerUnknown,
            ProposalError::TriggerNotForSubject => Self::TriggerNotForSubject,
        }
    }
}
