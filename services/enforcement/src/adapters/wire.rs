//! Cases and clues in protobuf. What a request says is checked field by field ([`requests`]); what an event says
//! was checked when it was decided, and is read as it stands. Everything written once is read for
//! ever: an upcast belongs here.

mod clue;
pub(crate) mod overdue;
pub(crate) mod requests;
mod values;

use onenet_chassis::stored::{Malformed, message, read, required};
use onenet_kernel::{Corrupt, WireEvent};
use onenet_proto::enforcement::v1 as proto;
use prost::Message as _;

use crate::domain::CaseEvent;

const CASE_OPENED: &str = "onenet.enforcement.v1.CaseOpened";
const PENALTY_DECIDED: &str = "onenet.enforcement.v1.PenaltyDecided";
const PENALTY_TOOK_EFFECT: &str = "onenet.enforcement.v1.PenaltyTookEffect";

impl WireEvent for CaseEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::CaseOpened { .. } => CASE_OPENED,
            Self::PenaltyDecided { .. } => PENALTY_DECIDED,
            Self::PenaltyTookEffect { .. } => PENALTY_TOOK_EFFECT,
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::CaseOpened { case_id, organ, party, filed_on, cause } => proto::CaseOpened {
                case_id: case_id.to_string(),
                organ: organ.to_string(),
                party: Some(party.into()),
                filed_on: filed_on.to_string(),
                cause: cause.clone(),
            }
            .encode_to_vec(),
            Self::PenaltyDecided { case_id, organ, party, penalty } => proto::PenaltyDecided {
                case_id: case_id.to_string(),
                organ: organ.to_string(),
                party: Some(party.into()),
                penalty: Some(penalty.into()),
            }
            .encode_to_vec(),
            Self::PenaltyTookEffect { case_id, organ, party, penalty, effective_on } => {
                proto::PenaltyTookEffect {
                    case_id: case_id.to_string(),
                    organ: organ.to_string(),
                    party: Some(party.into()),
                    penalty: Some(penalty.into()),
                    effective_on: effective_on.to_string(),
                }
                .encode_to_vec()
            }
        }
    }

    fn decode(event_type: &str, payload: &[u8]) -> Result<Self, Corrupt> {
        match event_type {
            CASE_OPENED => message::<proto::CaseOpened, _>(event_type, payload),
            PENALTY_DECIDED => message::<proto::PenaltyDecided, _>(event_type, payload),
            PENALTY_TOOK_EFFECT => message::<proto::PenaltyTookEffect, _>(event_type, payload),
            _ => Err(Corrupt::unknown_type(event_type)),
        }
    }
}

impl TryFrom<proto::CaseOpened> for CaseEvent {
    type Error = Malformed;

    fn try_from(event: proto::CaseOpened) -> Result<Self, Malformed> {
        Ok(Self::CaseOpened {
            case_id: read("case_id", &event.case_id)?,
            organ: read("organ", &event.organ)?,
            party: required("party", event.party)?.try_into()?,
            filed_on: read("filed_on", &event.filed_on)?,
            cause: event.cause,
        })
    }
}

impl TryFrom<proto::PenaltyDecided> for CaseEvent {
    type Error = Malformed;

    fn try_from(event: proto::PenaltyDecided) -> Result<Self, Malformed> {
        Ok(Self::PenaltyDecided {
            case_id: read("case_id", &event.case_id)?,
            organ: read("organ", &event.organ)?,
            party: required("party", event.party)?.try_into()?,
            penalty: required("penalty", event.penalty)?.try_into()?,
        })
    }
}

impl TryFrom<proto::PenaltyTookEffect> for CaseEvent {
    type Error = Malformed;

    fn try_from(event: proto::PenaltyTookEffect) -> Result<Self, Malformed> {
        Ok(Self::PenaltyTookEffect {
            case_id: read("case_id", &event.case_id)?,
            organ: read("organ", &event.organ)?,
            party: required("party", event.party)?.try_into()?,
            penalty: required("penalty", event.penalty)?.try_into()?,
            effective_on: read("effective_on", &event.effective_on)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_another_context_is_not_ours() {
        let refused = CaseEvent::decode("onenet.credit.v1.SubjectListed", b"");
        assert_eq!(refused, Err(Corrupt::unknown_type("onenet.credit.v1.SubjectListed")));
    }

    #[test]
    fn what_does_not_decode_says_which_field_is_wrong() {
        let reason = |payload: &[u8]| CaseEvent::decode(CASE_OPENED, payload).unwrap_err().reason;
        assert!(reason(b"\xff").starts_with("failed to decode"), "{}", reason(b"\xff"));
        assert!(reason(b"").starts_with("case_id: "), "{}", reason(b""));
        let case = proto::CaseOpened {
            case_id: "01900000-0000-7000-8000-000000000001".to_owned(),
            organ: "91230500MA1B3N1N2M".to_owned(),
            ..Default::default()
        };
        assert_eq!(reason(&case.encode_to_vec()), "party: absent");
        let party = proto::Party { uscc: case.organ.clone(), kind: 99, ..Default::default() };
        let case = proto::CaseOpened { party: Some(party), ..case };
        assert_eq!(reason(&case.encode_to_vec()), "kind: 99 has no meaning");
    }
}
