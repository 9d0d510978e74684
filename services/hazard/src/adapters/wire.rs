//! Major hazards and hidden dangers in protobuf. What a request says is checked field by field
//! ([`requests`], [`danger_requests`]); what an event says was checked when it was decided, and is read
//! as it stands. Everything written once is read for ever: an upcast belongs here.

mod danger;
pub(crate) mod danger_requests;
mod hidden_danger;
mod obligation;
pub(crate) mod requests;
mod values;

use onenet_chassis::stored::{Malformed, message, read, required};
use onenet_kernel::{Corrupt, WireEvent};
use onenet_proto::hazard::v1 as proto;
use prost::Message as _;

use self::values::{level, level_code};
use crate::domain::MajorHazardEvent;

const MAJOR_HAZARD_IDENTIFIED: &str = "onenet.hazard.v1.MajorHazardIdentified";
const MAJOR_HAZARD_FILED: &str = "onenet.hazard.v1.MajorHazardFiled";

impl WireEvent for MajorHazardEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::MajorHazardIdentified { .. } => MAJOR_HAZARD_IDENTIFIED,
            Self::MajorHazardFiled { .. } => MAJOR_HAZARD_FILED,
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::MajorHazardIdentified {
                hazard_id,
                enterprise,
                division,
                industry,
                unit,
                assessment,
                identified_by,
                on_behalf,
            } => proto::MajorHazardIdentified {
                hazard_id: hazard_id.to_string(),
                enterprise: enterprise.to_string(),
                division: division.clone(),
                industry: industry.clone(),
                unit: Some(unit.into()),
                assessment: Some((&**assessment).into()),
                identified_by: identified_by.to_string(),
                on_behalf: on_behalf.as_ref().map(Into::into),
                filing_state: proto::FilingState::Unfiled.into(),
            }
            .encode_to_vec(),
            Self::MajorHazardFiled { hazard_id, enterprise, level, filing } => {
                proto::MajorHazardFiled {
                    hazard_id: hazard_id.to_string(),
                    enterprise: enterprise.to_string(),
                    level: level_code(*level),
                    filing: Some(filing.into()),
                    filing_state: proto::FilingState::Filed.into(),
                }
                .encode_to_vec()
            }
        }
    }

    fn decode(event_type: &str, payload: &[u8]) -> Result<Self, Corrupt> {
        match event_type {
            MAJOR_HAZARD_IDENTIFIED => {
                message::<proto::MajorHazardIdentified, _>(event_type, payload)
            }
            MAJOR_HAZARD_FILED => message::<proto::MajorHazardFiled, _>(event_type, payload),
            _ => Err(Corrupt::unknown_type(event_type)),
        }
    }
}

impl TryFrom<proto::MajorHazardIdentified> for MajorHazardEvent {
    type Error = Malformed;

    fn try_from(event: proto::MajorHazardIdentified) -> Result<Self, Malformed> {
        Ok(Self::MajorHazardIdentified {
            hazard_id: read("hazard_id", &event.hazard_id)?,
            enterprise: read("enterprise", &event.enterprise)?,
            division: event.division,
            industry: event.industry,
            unit: required("unit", event.unit)?.try_into()?,
            assessment: Box::new(required("assessment", event.assessment)?.try_into()?),
            identified_by: read("identified_by", &event.identified_by)?,
            on_behalf: event.on_behalf.map(Into::into),
        })
    }
}

impl TryFrom<proto::MajorHazardFiled> for MajorHazardEvent {
    type Error = Malformed;

    fn try_from(event: proto::MajorHazardFiled) -> Result<Self, Malformed> {
        Ok(Self::MajorHazardFiled {
            hazard_id: read("hazard_id", &event.hazard_id)?,
            enterprise: read("enterprise", &event.enterprise)?,
            level: level(event.level)?,
            filing: required("filing", event.filing)?.try_into()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_another_context_is_not_ours() {
        let refused = MajorHazardEvent::decode("onenet.credit.v1.SubjectListed", b"");
        assert_eq!(refused, Err(Corrupt::unknown_type("onenet.credit.v1.SubjectListed")));
    }

    #[test]
    fn what_does_not_decode_says_which_field_is_wrong() {
        let reason = |payload: &[u8]| {
            MajorHazardEvent::decode(MAJOR_HAZARD_FILED, payload).unwrap_err().reason
        };
        assert!(reason(b"\xff").starts_with("failed to decode"), "{}", reason(b"\xff"));
        assert!(reason(b"").starts_with("hazard_id: "), "{}", reason(b""));
        let filed = proto::MajorHazardFiled {
            hazard_id: "01900000-0000-7000-8000-000000000001".to_owned(),
            enterprise: "91230500MA1B3N1N2M".to_owned(),
            level: 5,
            ..Default::default()
        };
        assert_eq!(reason(&filed.encode_to_vec()), "level: 5 has no meaning");
    }
}
