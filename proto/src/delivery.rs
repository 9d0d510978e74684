use prost::{
    DecodeError, Message,
    bytes::{Buf, BufMut, Bytes},
    encoding::{self, DecodeContext, WireType},
};

use crate::cloudevents::v1::CloudEvent;

const SEQUENCE: u32 = 1;
const EVENT: u32 = 2;

/// One event of a subscription: `onenet.exchange.v1.Delivery`, which may hold its event as the bytes that were
/// encoded once for all subscribers. On the wire both are the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delivery {
    /// 1, 2, 3 … without a gap for the life of the subscription.
    pub sequence: u64,
    /// The event with its stored bytes: what is read from the wire.
    pub event: Option<CloudEvent>,
    /// The event as it is on the wire; what is written where it is not empty.
    pub encoded: Bytes,
}

impl Message for Delivery {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        if self.sequence != 0 {
            encoding::uint64::encode(SEQUENCE, &self.sequence, buf);
        }
        if !self.encoded.is_empty() {
            encoding::bytes::encode(EVENT, &self.encoded, buf);
        } else if let Some(event) = &self.event {
            encoding::message::encode(EVENT, event, buf);
        }
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        match tag {
            SEQUENCE => encoding::uint64::merge(wire_type, &mut self.sequence, buf, ctx),
            EVENT => {
                let event = self.event.get_or_insert_default();
                encoding::message::merge(wire_type, event, buf, ctx)
            }
            _ => encoding::skip_field(wire_type, tag, buf, ctx),
        }
    }

    fn encoded_len(&self) -> usize {
        let sequence = match self.sequence {
            0 => 0,
            sequence => encoding::uint64::encoded_len(SEQUENCE, &sequence),
        };
        let event = match &self.event {
            _ if !self.encoded.is_empty() => encoding::bytes::encoded_len(EVENT, &self.encoded),
            Some(event) => encoding::message::encoded_len(EVENT, event),
            None => 0,
        };
        sequence + event
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::v1::{Batch, SubscribeResponse, subscribe_response};

    fn response(deliveries: Vec<Delivery>) -> SubscribeResponse {
        let batch = Batch { deliveries, resume_token: "token".to_owned() };
        SubscribeResponse { message: Some(subscribe_response::Message::Batch(batch)) }
    }

    #[test]
    fn an_event_that_was_encoded_before_is_the_same_on_the_wire() {
        let event = CloudEvent {
            id: "1".to_owned(),
            source: "/node/hazard".to_owned(),
            ..CloudEvent::default()
        };
        let encoded = Bytes::from(event.encode_to_vec());
        let read =
            |sequence| Delivery { sequence, event: Some(event.clone()), ..Default::default() };
        let ready =
            |sequence| Delivery { sequence, encoded: encoded.clone(), ..Default::default() };
        let whole = response(vec![read(1), read(300), Delivery::default()]);
        let sent = response(vec![ready(1), ready(300), Delivery::default()]).encode_to_vec();
        assert_eq!(sent, whole.encode_to_vec());
        assert_eq!(SubscribeResponse::decode(&*sent).unwrap(), whole);
    }
}
