use std::collections::HashMap;

use bytes::Bytes;
use onenet_proto::{
    cloudevents::v1::{
        CloudEvent,
        cloud_event::{CloudEventAttributeValue as Value, Data, cloud_event_attribute_value::Attr},
    },
    hazard::v1::{HiddenDangerCorrected, HiddenDangerWithdrawn, TreatmentReportCorrected},
};
use prost::{DecodeError, Message};
use uuid::Uuid;

/// What a correction or withdrawal undoes, and what everyone hears of it to whom that was delivered.
#[derive(Debug)]
pub(crate) struct Correction {
    /// The events that it undoes, by their ids.
    pub(super) corrects: Vec<Uuid>,
    /// The event reduced to reference and reason, as it is on the wire.
    pub(super) reduced: Bytes,
}

/// The fields of a correction that everyone hears of.
struct Reference {
    corrects: Vec<String>,
    reduced: Bytes,
}

type Extract = fn(Bytes) -> Result<Reference, DecodeError>;

/// The types that name the events they undo, each in a field `corrects`, and what is left of them
/// where no grant lets them pass today: the reference and the reason.
const CORRECTIONS: [(&str, Extract); 3] = [
    ("onenet.hazard.v1.HiddenDangerCorrected", |payload| {
        let event = HiddenDangerCorrected::decode(payload)?;
        Ok(Reference::new(event.corrects, |corrects| HiddenDangerCorrected {
            hidden_danger_id: event.hidden_danger_id,
            corrects,
            reason: event.reason,
            ..HiddenDangerCorrected::default()
        }))
    }),
    ("onenet.hazard.v1.TreatmentReportCorrected", |payload| {
        let event = TreatmentReportCorrected::decode(payload)?;
        Ok(Reference::new(event.corrects, |corrects| TreatmentReportCorrected {
            hidden_danger_id: event.hidden_danger_id,
            corrects,
            reason: event.reason,
            ..TreatmentReportCorrected::default()
        }))
    }),
    ("onenet.hazard.v1.HiddenDangerWithdrawn", |payload| {
        let event = HiddenDangerWithdrawn::decode(payload)?;
        Ok(Reference::new(event.corrects, |corrects| HiddenDangerWithdrawn {
            hidden_danger_id: event.hidden_danger_id,
            corrects,
            reason: event.reason,
            ..HiddenDangerWithdrawn::default()
        }))
    }),
];

impl Reference {
    fn new<M: Message>(corrects: Vec<String>, reduced: impl FnOnce(Vec<String>) -> M) -> Self {
        let reduced = reduced(corrects.clone()).encode_to_vec().into();
        Self { corrects, reduced }
    }
}

impl Correction {
    /// Of an event, if it is of a type that undoes others.
    pub(super) fn of(event: &CloudEvent) -> Option<Self> {
        let (_, extract) = CORRECTIONS.iter().find(|(name, _)| *name == event.r#type)?;
        let Some(Data::BinaryData(payload)) = &event.data else { return None };
        match extract(payload.clone()) {
            Ok(Reference { corrects, reduced }) => {
                let corrects = corrects.iter().filter_map(|id| id.parse().ok()).collect();
                Some(Self { corrects, reduced: reduce(event, reduced).encode_to_vec().into() })
            }
            Err(error) => {
                let (error, event_type) = (&error as &dyn std::error::Error, &event.r#type);
                tracing::error!(
                    error,
                    event_type,
                    "a correction cannot be read: nobody hears of it"
                );
                None
            }
        }
    }
}

/// The correction without what it corrects: attributes that would tell where, whom and by whom are
/// left out, and `reduced` says so.
fn reduce(event: &CloudEvent, reference: Bytes) -> CloudEvent {
    let kept = ["time", "datacontenttype"];
    let kept = kept.iter().filter_map(|&name| Some((name.to_owned(), event.attributes.get(name)?)));
    let mut attributes: HashMap<String, Value> =
        kept.map(|(name, value)| (name, value.clone())).collect();
    attributes.insert("reduced".to_owned(), Value { attr: Some(Attr::CeBoolean(true)) });
    CloudEvent { attributes, data: Some(Data::BinaryData(reference)), ..event.clone() }
}

#[cfg(test)]
mod tests {
    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::feed::SHARED;

    fn corrected() -> CloudEvent {
        let event = HiddenDangerCorrected {
            hidden_danger_id: "d".to_owned(),
            enterprise: "e".to_owned(),
            corrects: vec!["0190f6a0-0000-7000-8000-000000000001".to_owned()],
            reason: "位号有误".to_owned(),
            corrected_by: "o".to_owned(),
            ..HiddenDangerCorrected::default()
        };
        let text = |text: &str| Value { attr: Some(Attr::CeString(text.to_owned())) };
        let attributes = ["subject", "division", "actor", "datacontenttype"];
        CloudEvent {
            id: "1".to_owned(),
            r#type: "onenet.hazard.v1.HiddenDangerCorrected".to_owned(),
            attributes: attributes.map(|name| (name.to_owned(), text("x"))).into(),
            data: Some(Data::BinaryData(event.encode_to_vec().into())),
            ..CloudEvent::default()
        }
    }

    #[test]
    fn a_reduced_correction_says_what_it_corrects_and_why_and_nothing_else() {
        let correction = Correction::of(&corrected()).unwrap();
        let reduced = CloudEvent::decode(correction.reduced).unwrap();
        let mut names: Vec<_> = reduced.attributes.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["datacontenttype", "reduced"]);
        let Some(Data::BinaryData(data)) = reduced.data else { unreachable!("no data") };
        let event = HiddenDangerCorrected::decode(data).unwrap();
        assert_eq!((event.corrects.len(), event.reason.as_str()), (1, "位号有误"));
        assert_eq!((event.enterprise.as_str(), event.corrected_by.as_str()), ("", ""));
    }

    #[test]
    fn every_event_of_the_contracts_that_names_others_is_known_and_leaves_the_node() {
        let set = FileDescriptorSet::decode(onenet_proto::DESCRIPTORS).unwrap();
        let mut known = 0;
        for file in set.file.iter().filter(|file| file.name().ends_with("_events.proto")) {
            for message in &file.message_type {
                if message.field.iter().any(|field| field.name() == "corrects") {
                    let name = format!("{}.{}", file.package(), message.name());
                    assert!(CORRECTIONS.iter().any(|(it, _)| *it == name), "{name}");
                    assert!(SHARED.contains(&name.as_str()), "{name}");
                    known += 1;
                }
            }
        }
        assert_eq!(known, CORRECTIONS.len());
    }

    #[test]
    fn only_corrections_correct() {
        assert_eq!(Correction::of(&corrected()).unwrap().corrects.len(), 1);
        let another = "onenet.hazard.v1.HiddenDangerReported".to_owned();
        assert!(Correction::of(&CloudEvent { r#type: another, ..corrected() }).is_none());
        let damaged = Some(Data::BinaryData(Bytes::from_static(b"\xff")));
        assert!(Correction::of(&CloudEvent { data: damaged, ..corrected() }).is_none());
    }
}
