use onenet_chassis::stored::{Malformed, read};
use onenet_proto::credit::v1 as proto;
use onenet_standards::{decimal_text, exact};

use crate::domain::{
    ListingDecision, ListingNotice, ListingOutcome, NotOpenedOutcome, PenaltyFacts, Proposal,
    Statement, Subject, SubjectKind,
};

/// The kind's number in the contract.
pub(super) fn kind_code(kind: SubjectKind) -> i32 {
    match kind {
        SubjectKind::Unit => proto::SubjectKind::Unit,
        SubjectKind::Institution => proto::SubjectKind::Institution,
    }
    .into()
}

/// The kind that a number of the contract means.
pub(super) fn kind(code: i32) -> Result<SubjectKind, Malformed> {
    match proto::SubjectKind::try_from(code).unwrap_or_default() {
        proto::SubjectKind::Unit => Ok(SubjectKind::Unit),
        proto::SubjectKind::Institution => Ok(SubjectKind::Institution),
        proto::SubjectKind::Unspecified => {
            Err(Malformed::new("kind", format_args!("{code} has no meaning")))
        }
    }
}

/// The outcome in the contract.
pub(crate) fn outcome_code(outcome: NotOpenedOutcome) -> i32 {
    match outcome {
        NotOpenedOutcome::NoTrigger => proto::NotOpenedOutcome::NoTrigger,
        NotOpenedOutcome::OutOfScope => proto::NotOpenedOutcome::OutOfScope,
        NotOpenedOutcome::PersonsOnly => proto::NotOpenedOutcome::PersonsOnly,
        NotOpenedOutcome::NoRuleSet => proto::NotOpenedOutcome::NoRuleSet,
        NotOpenedOutcome::RuleSetNotExecutable => proto::NotOpenedOutcome::RuleSetNotExecutable,
        NotOpenedOutcome::OfficerDecides => proto::NotOpenedOutcome::OfficerDecides,
    }
    .into()
}

/// The outcome that a number of the contract means.
pub(super) fn outcome(code: i32) -> Result<NotOpenedOutcome, Malformed> {
    match proto::NotOpenedOutcome::try_from(code).unwrap_or_default() {
        proto::NotOpenedOutcome::NoTrigger => Ok(NotOpenedOutcome::NoTrigger),
        proto::NotOpenedOutcome::OutOfScope => Ok(NotOpenedOutcome::OutOfScope),
        proto::NotOpenedOutcome::PersonsOnly => Ok(NotOpenedOutcome::PersonsOnly),
        proto::NotOpenedOutcome::NoRuleSet => Ok(NotOpenedOutcome::NoRuleSet),
        proto::NotOpenedOutcome::RuleSetNotExecutable => Ok(NotOpenedOutcome::RuleSetNotExecutable),
        proto::NotOpenedOutcome::OfficerDecides => Ok(NotOpenedOutcome::OfficerDecides),
        proto::NotOpenedOutcome::Unspecified => {
            Err(Malformed::new("outcome", format_args!("{code} has no meaning")))
        }
    }
}

impl From<&Subject> for proto::Subject {
    fn from(subject: &Subject) -> Self {
        Self {
            uscc: subject.uscc.to_string(),
            name: subject.name.clone(),
            kind: kind_code(subject.kind),
            division: subject.division.clone(),
            industry: subject.industry.clone(),
        }
    }
}

impl TryFrom<proto::Subject> for Subject {
    type Error = Malformed;

    fn try_from(subject: proto::Subject) -> Result<Self, Malformed> {
        Ok(Self {
            uscc: read("uscc", &subject.uscc)?,
            name: subject.name,
            kind: kind(subject.kind)?,
            division: subject.division,
            industry: subject.industry,
        })
    }
}

impl From<&PenaltyFacts> for proto::PenaltyFacts {
    fn from(penalty: &PenaltyFacts) -> Self {
        Self {
            case_id: penalty.case_id.to_string(),
            organ: penalty.organ.to_string(),
            document_number: penalty.document_number.clone(),
            decided_on: penalty.decided_on.to_string(),
            effective_on: penalty.effective_on.to_string(),
            violations: penalty.violations.clone(),
            fine_multiple: penalty.fine_multiple.as_ref().map(decimal_text),
        }
    }
}

impl TryFrom<proto::PenaltyFacts> for PenaltyFacts {
    type Error = Malformed;

    fn try_from(penalty: proto::PenaltyFacts) -> Result<Self, Malformed> {
        let multiple = penalty.fine_multiple.as_deref().map(exact).transpose();
        Ok(Self {
            case_id: read("case_id", &penalty.case_id)?,
            organ: read("organ", &penalty.organ)?,
            document_number: penalty.document_number,
            decided_on: read("decided_on", &penalty.decided_on)?,
            effective_on: read("effective_on", &penalty.effective_on)?,
            violations: penalty.violations,
            fine_multiple: multiple.map_err(|error| Malformed::new("fine_multiple", error))?,
        })
    }
}

impl From<&Proposal> for proto::Proposal {
    fn from(proposal: &Proposal) -> Self {
        Self { organ: proposal.organ.to_string(), grounds: proposal.grounds.clone() }
    }
}

impl TryFrom<proto::Proposal> for Proposal {
    type Error = Malformed;

    fn try_from(proposal: proto::Proposal) -> Result<Self, Malformed> {
        Ok(Self { organ: read("organ", &proposal.organ)?, grounds: proposal.grounds })
    }
}

impl From<&ListingNotice> for proto::ListingNotice {
    fn from(notice: &ListingNotice) -> Self {
        Self {
            document_number: notice.document_number.clone(),
            served_on: notice.served_on.to_string(),
        }
    }
}

impl TryFrom<proto::ListingNotice> for ListingNotice {
    type Error = Malformed;

    fn try_from(notice: proto::ListingNotice) -> Result<Self, Malformed> {
        Ok(Self {
            document_number: notice.document_number,
            served_on: read("served_on", &notice.served_on)?,
        })
    }
}

impl From<&Statement> for proto::Statement {
    fn from(statement: &Statement) -> Self {
        Self { received_on: statement.received_on.to_string(), summary: statement.summary.clone() }
    }
}

impl TryFrom<proto::Statement> for Statement {
    type Error = Malformed;

    fn try_from(statement: proto::Statement) -> Result<Self, Malformed> {
        Ok(Self {
            received_on: read("received_on", &statement.received_on)?,
            summary: statement.summary,
        })
    }
}

impl From<&ListingDecision> for proto::ListingDecision {
    fn from(decision: &ListingDecision) -> Self {
        let (outcome, measures) = match &decision.outcome {
            ListingOutcome::List(measures) => {
                (proto::ListingOutcome::List, measures.iter().map(Into::into).collect())
            }
            ListingOutcome::DoNotList => (proto::ListingOutcome::DoNotList, vec![]),
        };
        Self {
            outcome: outcome.into(),
            document_number: decision.document_number.clone(),
            decided_on: decision.decided_on.to_string(),
            reasons: decision.reasons.clone(),
            measures,
        }
    }
}

impl TryFrom<proto::ListingDecision> for ListingDecision {
    type Error = Malformed;

    fn try_from(decision: proto::ListingDecision) -> Result<Self, Malformed> {
        let outcome = match decision.outcome() {
            proto::ListingOutcome::List => {
                let measures = decision.measures.into_iter().map(TryInto::try_into);
                ListingOutcome::List(measures.collect::<Result<_, _>>()?)
            }
            proto::ListingOutcome::DoNotList => ListingOutcome::DoNotList,
            proto::ListingOutcome::Unspecified => {
                return Err(Malformed::new("outcome", "has no meaning"));
            }
        };
        Ok(Self {
            outcome,
            document_number: decision.document_number,
            decided_on: read("decided_on", &decision.decided_on)?,
            reasons: decision.reasons,
        })
    }
}
