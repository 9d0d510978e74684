use onenet_chassis::{
    instant,
    stored::{Malformed, message, read, required},
    timestamp,
};
use onenet_kernel::{Corrupt, WireEvent};
use onenet_proto::credit::v1 as proto;
use prost::Message as _;

use super::procedure::{outcome, outcome_code};
use crate::domain::{BlacklistEntry, DishonestSubjectEvent as Event};

const CREDIT_CASE_OPENED: &str = "onenet.credit.v1.CreditCaseOpened";
const CREDIT_CASE_NOT_OPENED: &str = "onenet.credit.v1.CreditCaseNotOpened";
const LISTING_NOTICE_SERVED: &str = "onenet.credit.v1.ListingNoticeServed";
const STATEMENT_RECORDED: &str = "onenet.credit.v1.StatementRecorded";
const STATEMENT_PERIOD_RESCHEDULED: &str = "onenet.credit.v1.StatementPeriodRescheduled";
const STATEMENT_PERIOD_ENDED: &str = "onenet.credit.v1.StatementPeriodEnded";
const LISTING_DECIDED: &str = "onenet.credit.v1.ListingDecided";
const SUBJECT_LISTED: &str = "onenet.credit.v1.SubjectListed";
const SUBJECT_REMOVED: &str = "onenet.credit.v1.SubjectRemoved";

impl WireEvent for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::CreditCaseOpened { .. } => CREDIT_CASE_OPENED,
            Self::CreditCaseNotOpened { .. } => CREDIT_CASE_NOT_OPENED,
            Self::ListingNoticeServed { .. } => LISTING_NOTICE_SERVED,
            Self::StatementRecorded { .. } => STATEMENT_RECORDED,
            Self::StatementPeriodRescheduled { .. } => STATEMENT_PERIOD_RESCHEDULED,
            Self::StatementPeriodEnded { .. } => STATEMENT_PERIOD_ENDED,
            Self::ListingDecided { .. } => LISTING_DECIDED,
            Self::SubjectListed { .. } => SUBJECT_LISTED,
            Self::SubjectRemoved { .. } => SUBJECT_REMOVED,
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::CreditCaseOpened {
                credit_case_id,
                subject,
                penalty,
                rule_set,
                trigger,
                proposal,
            } => proto::CreditCaseOpened {
                credit_case_id: credit_case_id.to_string(),
                subject: Some(subject.into()),
                penalty: Some(penalty.into()),
                rule_set: rule_set.clone(),
                trigger: trigger.clone(),
                proposal: proposal.as_ref().map(Into::into),
            }
            .encode_to_vec(),
            Self::CreditCaseNotOpened { subject, penalty, outcome, rule_set, triggers } => {
                proto::CreditCaseNotOpened {
                    subject: Some(subject.into()),
                    penalty: Some(penalty.into()),
                    outcome: outcome_code(*outcome),
                    rule_set: rule_set.clone(),
                    triggers: triggers.clone(),
                }
                .encode_to_vec()
            }
            Self::ListingNoticeServed { credit_case_id, notice, statement_period } => {
                proto::ListingNoticeServed {
                    credit_case_id: credit_case_id.to_string(),
                    notice: Some(notice.into()),
                    statement_period: Some(statement_period.into()),
                }
                .encode_to_vec()
            }
            Self::StatementRecorded { credit_case_id, statement } => proto::StatementRecorded {
                credit_case_id: credit_case_id.to_string(),
                statement: Some(statement.into()),
            }
            .encode_to_vec(),
            Self::StatementPeriodRescheduled {
                credit_case_id,
                statement_period,
                previous_due_at,
            } => proto::StatementPeriodRescheduled {
                credit_case_id: credit_case_id.to_string(),
                statement_period: Some(statement_period.into()),
                previous_due_at: Some(timestamp(*previous_due_at)),
            }
            .encode_to_vec(),
            Self::StatementPeriodEnded { credit_case_id, statement_period } => {
                proto::StatementPeriodEnded {
                    credit_case_id: credit_case_id.to_string(),
                    statement_period: Some(statement_period.into()),
                }
                .encode_to_vec()
            }
            Self::ListingDecided { credit_case_id, decision } => proto::ListingDecided {
                credit_case_id: credit_case_id.to_string(),
                decision: Some(decision.into()),
            }
            .encode_to_vec(),
            Self::SubjectListed { subject, listing_id, entry, expiry } => proto::SubjectListed {
                subject: subject.to_string(),
                listing_id: listing_id.to_string(),
                entry: Some(entry.into()),
                expiry: Some(expiry.into()),
            }
            .encode_to_vec(),
            Self::SubjectRemoved { subject, listing_id, removal, entry, expiry } => {
                proto::SubjectRemoved {
                    subject: subject.to_string(),
                    listing_id: listing_id.to_string(),
                    removal: Some(removal.into()),
                    entry: entry.as_ref().map(Into::into),
                    expiry: Some(expiry.into()),
                }
                .encode_to_vec()
            }
        }
    }

    fn decode(event_type: &str, payload: &[u8]) -> Result<Self, Corrupt> {
        match event_type {
            CREDIT_CASE_OPENED => message::<proto::CreditCaseOpened, _>(event_type, payload),
            CREDIT_CASE_NOT_OPENED => message::<proto::CreditCaseNotOpened, _>(event_type, payload),
            LISTING_NOTICE_SERVED => message::<proto::ListingNoticeServed, _>(event_type, payload),
            STATEMENT_RECORDED => message::<proto::StatementRecorded, _>(event_type, payload),
            STATEMENT_PERIOD_RESCHEDULED => {
                message::<proto::StatementPeriodRescheduled, _>(event_type, payload)
            }
            STATEMENT_PERIOD_ENDED => {
                message::<proto::StatementPeriodEnded, _>(event_type, payload)
            }
            LISTING_DECIDED => message::<proto::ListingDecided, _>(event_type, payload),
            SUBJECT_LISTED => message::<proto::SubjectListed, _>(event_type, payload),
            SUBJECT_REMOVED => message::<proto::SubjectRemoved, _>(event_type, payload),
            _ => Err(Corrupt::unknown_type(event_type)),
        }
    }
}

impl TryFrom<proto::CreditCaseOpened> for Event {
    type Error = Malformed;

    fn try_from(event: proto::CreditCaseOpened) -> Result<Self, Malformed> {
        Ok(Self::CreditCaseOpened {
            credit_case_id: read("credit_case_id", &event.credit_case_id)?,
            subject: required("subject", event.subject)?.try_into()?,
            penalty: required("penalty", event.penalty)?.try_into()?,
            rule_set: event.rule_set,
            trigger: event.trigger,
            proposal: event.proposal.map(TryInto::try_into).transpose()?,
        })
    }
}

impl TryFrom<proto::CreditCaseNotOpened> for Event {
    type Error = Malformed;

    fn try_from(event: proto::CreditCaseNotOpened) -> Result<Self, Malformed> {
        Ok(Self::CreditCaseNotOpened {
            subject: required("subject", event.subject)?.try_into()?,
            penalty: required("penalty", event.penalty)?.try_into()?,
            outcome: outcome(event.outcome)?,
            rule_set: event.rule_set,
            triggers: event.triggers,
        })
    }
}

impl TryFrom<proto::ListingNoticeServed> for Event {
    type Error = Malformed;

    fn try_from(event: proto::ListingNoticeServed) -> Result<Self, Malformed> {
        Ok(Self::ListingNoticeServed {
            credit_case_id: read("credit_case_id", &event.credit_case_id)?,
            notice: required("notice", event.notice)?.try_into()?,
            statement_period: required("statement_period", event.statement_period)?.try_into()?,
        })
    }
}

impl TryFrom<proto::StatementRecorded> for Event {
    type Error = Malformed;

    fn try_from(event: proto::StatementRecorded) -> Result<Self, Malformed> {
        Ok(Self::StatementRecorded {
            credit_case_id: read("credit_case_id", &event.credit_case_id)?,
            statement: required("statement", event.statement)?.try_into()?,
        })
    }
}

impl TryFrom<proto::StatementPeriodRescheduled> for Event {
    type Error = Malformed;

    fn try_from(event: proto::StatementPeriodRescheduled) -> Result<Self, Malformed> {
        Ok(Self::StatementPeriodRescheduled {
            credit_case_id: read("credit_case_id", &event.credit_case_id)?,
            statement_period: required("statement_period", event.statement_period)?.try_into()?,
            previous_due_at: instant(&required("previous_due_at", event.previous_due_at)?),
        })
    }
}

impl TryFrom<proto::StatementPeriodEnded> for Event {
    type Error = Malformed;

    fn try_from(event: proto::StatementPeriodEnded) -> Result<Self, Malformed> {
        Ok(Self::StatementPeriodEnded {
            credit_case_id: read("credit_case_id", &event.credit_case_id)?,
            statement_period: required("statement_period", event.statement_period)?.try_into()?,
        })
    }
}

impl TryFrom<proto::ListingDecided> for Event {
    type Error = Malformed;

    fn try_from(event: proto::ListingDecided) -> Result<Self, Malformed> {
        Ok(Self::ListingDecided {
            credit_case_id: read("credit_case_id", &event.credit_case_id)?,
            decision: required("decision", event.decision)?.try_into()?,
        })
    }
}

impl TryFrom<proto::SubjectListed> for Event {
    type Error = Malformed;

    fn try_from(event: proto::SubjectListed) -> Result<Self, Malformed> {
        let listing_id = read("listing_id", &event.listing_id)?;
        let entry: BlacklistEntry = required("entry", event.entry)?.try_into()?;
        if !entry.in_force.iter().any(|listing| listing.listing_id == listing_id) {
            return Err(Malformed::new("listing_id", "is not in force in the entry"));
        }
        Ok(Self::SubjectListed {
            subject: read("subject", &event.subject)?,
            listing_id,
            entry,
            expiry: required("expiry", event.expiry)?.try_into()?,
        })
    }
}

impl TryFrom<proto::SubjectRemoved> for Event {
    type Error = Malformed;

    fn try_from(event: proto::SubjectRemoved) -> Result<Self, Malformed> {
        Ok(Self::SubjectRemoved {
            subject: read("subject", &event.subject)?,
            listing_id: read("listing_id", &event.listing_id)?,
            removal: required("removal", event.removal)?.try_into()?,
            entry: event.entry.map(TryInto::try_into).transpose()?,
            expiry: required("expiry", event.expiry)?.try_into()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_another_context_is_not_ours() {
        let refused = Event::decode("onenet.enforcement.v1.CaseOpened", b"");
        assert_eq!(refused, Err(Corrupt::unknown_type("onenet.enforcement.v1.CaseOpened")));
    }

    #[test]
    fn what_does_not_decode_says_which_field_is_wrong() {
        let reason =
            |payload: &[u8]| Event::decode(CREDIT_CASE_NOT_OPENED, payload).unwrap_err().reason;
        assert!(reason(b"\xff").starts_with("failed to decode"), "{}", reason(b"\xff"));
        assert_eq!(reason(b""), "subject: absent");
        let subject =
            proto::Subject { uscc: "91230500MA1B3N1N2M".to_owned(), ..Default::default() };
        let event = proto::CreditCaseNotOpened { subject: Some(subject), ..Default::default() };
        assert_eq!(reason(&event.encode_to_vec()), "kind: 0 has no meaning");
    }

    #[test]
    fn a_listing_that_its_own_entry_does_not_hold_is_corrupt() {
        let entry = proto::BlacklistEntry {
            subject: "91230500MA1B3N1N2M".to_owned(),
            kind: proto::SubjectKind::Unit.into(),
            ..Default::default()
        };
        let event = proto::SubjectListed {
            subject: entry.subject.clone(),
            listing_id: "0b9b7c52-3f0e-5d5c-9a57-6c1d2f0a4e11".to_owned(),
            entry: Some(entry),
            expiry: None,
        };
        let refused = Event::decode(SUBJECT_LISTED, &event.encode_to_vec()).unwrap_err();
        assert_eq!(refused.reason, "listing_id: is not in force in the entry");
    }
}
