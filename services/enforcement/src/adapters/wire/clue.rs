use onenet_chassis::{
    instant, same_names,
    stored::{Coded as _, Malformed, choice, message, read, required},
    timestamp,
};
use onenet_kernel::{Corrupt, WireEvent};
use onenet_proto::enforcement::v1 as proto;
use prost::Message as _;

use crate::domain::{Addressing, AddressingGround, ClueEvent, OverdueDanger};

same_names! {
    AddressingGround = proto::ClueAddressingGround {
        OwnPower SameDivision DivisionAbove NoPowerKnown
    }
}

const CLUE_RECORDED: &str = "onenet.enforcement.v1.ClueRecorded";

impl WireEvent for ClueEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::ClueRecorded { .. } => CLUE_RECORDED,
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::ClueRecorded { danger } => {
                proto::ClueRecorded { clue: Some((&**danger).into()) }.encode_to_vec()
            }
        }
    }

    fn decode(event_type: &str, payload: &[u8]) -> Result<Self, Corrupt> {
        match event_type {
            CLUE_RECORDED => message::<proto::ClueRecorded, _>(event_type, payload),
            _ => Err(Corrupt::unknown_type(event_type)),
        }
    }
}

impl TryFrom<proto::ClueRecorded> for ClueEvent {
    type Error = Malformed;

    fn try_from(event: proto::ClueRecorded) -> Result<Self, Malformed> {
        Ok(Self::ClueRecorded { danger: Box::new(required("clue", event.clue)?.try_into()?) })
    }
}

impl From<&OverdueDanger> for proto::Clue {
    fn from(danger: &OverdueDanger) -> Self {
        Self {
            clue_id: danger.clue_id.to_string(),
            event_id: danger.event_id.to_string(),
            organ: danger.organ.to_string(),
            hidden_danger_id: danger.hidden_danger_id.to_string(),
            enterprise: danger.enterprise.to_string(),
            division: danger.division.clone(),
            industry: danger.industry.clone(),
            description: danger.description.clone(),
            major: danger.is_major,
            criterion: danger.criterion.clone(),
            ordered_by: danger.ordered_by.to_string(),
            document_number: danger.document_number.clone(),
            due_at: Some(timestamp(danger.due_at)),
            escalation_level: danger.escalation_level,
            legal_basis: danger.legal_basis.clone(),
            addressing: danger.addressing.as_ref().map(Into::into),
        }
    }
}

impl From<&Addressing> for proto::ClueAddressing {
    fn from(addressing: &Addressing) -> Self {
        Self {
            danger_organ: addressing.danger_organ.to_string(),
            ground: addressing.ground.to_contract().into(),
        }
    }
}

impl TryFrom<proto::ClueAddressing> for Addressing {
    type Error = Malformed;

    fn try_from(addressing: proto::ClueAddressing) -> Result<Self, Malformed> {
        Ok(Self {
            danger_organ: read("danger_organ", &addressing.danger_organ)?,
            ground: choice("ground", addressing.ground)?,
        })
    }
}

impl TryFrom<proto::Clue> for OverdueDanger {
    type Error = Malformed;

    fn try_from(clue: proto::Clue) -> Result<Self, Malformed> {
        Ok(Self {
            clue_id: read("clue_id", &clue.clue_id)?,
            event_id: read("event_id", &clue.event_id)?,
            organ: read("organ", &clue.organ)?,
            hidden_danger_id: read("hidden_danger_id", &clue.hidden_danger_id)?,
            enterprise: read("enterprise", &clue.enterprise)?,
            division: clue.division,
            industry: clue.industry,
            description: clue.description,
            is_major: clue.major,
            criterion: clue.criterion,
            ordered_by: read("ordered_by", &clue.ordered_by)?,
            document_number: clue.document_number,
            due_at: instant(&required("due_at", clue.due_at)?),
            escalation_level: clue.escalation_level,
            legal_basis: clue.legal_basis,
            addressing: clue.addressing.map(TryInto::try_into).transpose()?,
        })
    }
}
