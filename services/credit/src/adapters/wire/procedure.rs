use onenet_proto::credit::v1 as proto;
use onenet_standards::{decimal_text, exact};

use super::stored::{Coded, Malformed, choice, read, same_names};
use crate::domain::{
    ListingDecision, ListingNotice, ListingOutcome, NotOpenedOutcome, PenaltyFacts, Proposal,
    Statement, Subject, SubjectKind,
};

same_names! {
    SubjectKind { Unit Institution }
    NotOpenedOutcome {
        NoTrigger OutOfScope PersonsOnly NoRuleSet RuleSetNotExecutable OfficerDecides
    }
}

impl From<&Subject> for proto::Subject {
    fn from(subject: &Subject) -> Self {
        Self {
            uscc: subject.uscc.to_string(),
            name: subject.name.clone(),
            kind: subject.kind.to_contract().into(),
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
            kind: choice("kind", subject.kind)?,
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
