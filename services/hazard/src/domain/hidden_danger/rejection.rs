use jiff::civil::Date;

/// Why a hidden danger refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HiddenDangerRejection {
    /// No such hidden danger was reported.
    #[error("no hidden danger has this id")]
    HiddenDangerUnknown,
    /// It was withdrawn.
    #[error("the hidden danger was withdrawn")]
    Withdrawn,
    /// The step belongs to somebody else.
    #[error("the step is another organisation's: {rule}")]
    NotAuthorised {
        /// The rule that was not met.
        rule: &'static str,
    },
    /// Nothing says yet how grave it is.
    #[error("the hidden danger is not graded")]
    NotGraded,
    /// It is rectified or accepted.
    #[error("the hidden danger is not in rectification")]
    NotInRectification,
    /// There is nothing to accept or to look at.
    #[error("the hidden danger is not rectified")]
    NotRectified,
    /// It is accepted otherwise.
    #[error("the hidden danger is accepted otherwise")]
    AlreadyAccepted,
    /// 双报告: one of the two receipts is missing.
    #[error("a report on a major danger needs both receipts")]
    DualReportIncomplete,
    /// 双报告: nothing was reported since the danger was opened.
    #[error("the treatment of the major danger was not reported")]
    TreatmentNotReported,
    /// No report on the treatment has this number.
    #[error("no report on the treatment has this number")]
    TreatmentReportUnknown,
    /// 第三方机构验收评估 is missing.
    #[error("a major danger needs the acceptance of a third party")]
    ThirdPartyAcceptanceRequired {
        /// The rule that asks for it.
        basis: String,
    },
    /// A day lies before the step it has to follow.
    #[error("the first day allowed is {earliest}")]
    DateTooEarly {
        /// That day.
        earliest: Date,
    },
    /// Events were added since the list of what is to be corrected was made.
    #[error("the hidden danger has moved on")]
    MovedOn,
}
