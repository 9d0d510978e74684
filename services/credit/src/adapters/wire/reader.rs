use onenet_chassis::{
    position,
    stored::{Malformed, message, read, required},
};
use onenet_kernel::{Corrupt, Digest, Position, WireEvent};
use onenet_proto::{common::v1 as common, credit::v1 as proto};
use prost::Message as _;

use crate::domain::{Acknowledgement, FactsDigest, ListingReaderEvent as Event};

const LISTINGS_ACKNOWLEDGED: &str = "onenet.credit.v1.ListingsAcknowledged";

impl WireEvent for Event {
    fn event_type(&self) -> &'static str {
        LISTINGS_ACKNOWLEDGED
    }

    fn encode(&self) -> Vec<u8> {
        let Self::ListingsAcknowledged(Acknowledgement { reader, division, after, upto, facts }) =
            self;
        proto::ListingsAcknowledged {
            reader: reader.to_string(),
            division: division.clone(),
            after: *after,
            upto: Some(position(*upto)),
            count: facts.count,
            digest: hex::encode(facts.digest),
        }
        .encode_to_vec()
    }

    fn decode(event_type: &str, payload: &[u8]) -> Result<Self, Corrupt> {
        match event_type {
            LISTINGS_ACKNOWLEDGED => message::<proto::ListingsAcknowledged, _>(event_type, payload),
            _ => Err(Corrupt::unknown_type(event_type)),
        }
    }
}

impl TryFrom<proto::ListingsAcknowledged> for Event {
    type Error = Malformed;

    fn try_from(event: proto::ListingsAcknowledged) -> Result<Self, Malformed> {
        let common::Position { log_id, epoch, number } = required("upto", event.upto)?;
        let mut digest = Digest::default();
        hex::decode_to_slice(&event.digest, &mut digest)
            .map_err(|error| Malformed::new("digest", error))?;
        Ok(Self::ListingsAcknowledged(Acknowledgement {
            reader: read("reader", &event.reader)?,
            division: event.division,
            after: event.after,
            upto: Position { log_id: read("log_id", &log_id)?, epoch, number },
            facts: FactsDigest { count: event.count, digest },
        }))
    }
}
