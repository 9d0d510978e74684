//! What of a subject's history goes out: every event inside the node, decided facts and the state after
//! them to others (docs/blacklist-feed.md).

use onenet_kafka::{Record, Topics, encode};
use onenet_kernel::{Aggregate as _, Corrupt, Recorded, WireEvent as _};
use prost::Message as _;

use crate::{
    adapters::wire::blacklist,
    domain::{DishonestSubjectEvent as Event, ListingReader, ListingReaderEvent},
};

/// Decided facts, for others.
pub(crate) const LISTINGS: &str = "listings";
/// The newest state of each subject.
pub(crate) const BLACKLIST: &str = "blacklist";

/// The records of one transaction that an event becomes. Each event is read, whether or not it goes
/// out: one that this program does not know may be a removal.
pub(crate) fn records(topics: &Topics, event: &Recorded) -> Result<Vec<Record>, Corrupt> {
    let own = encode(topics, event);
    if event.stream.category() == ListingReader::CATEGORY {
        ListingReaderEvent::decode(&event.event_type, &event.payload)?;
        return Ok(vec![own]);
    }
    let decoded = Event::decode(&event.event_type, &event.payload)?;
    let Some(state) = blacklist::record(&decoded, event.position) else {
        return Ok(vec![own]);
    };
    let fact = Record { topic: topics.beside(LISTINGS), ..own.clone() };
    let state = Record {
        topic: topics.beside(BLACKLIST),
        key: state.subject.clone(),
        headers: vec![("content-type", "application/protobuf".to_owned())],
        value: Some(state.encode_to_vec().into()),
    };
    Ok(vec![own, fact, state])
}

#[cfg(test)]
mod tests {
    use onenet_chassis::testing::elsewhere::recorded;
    use onenet_kernel::{Key, NewEvent, StreamId};

    use super::*;

    fn says(event_type: &'static str, payload: &'static [u8]) -> Result<Vec<Record>, Corrupt> {
        let (node, context) = ("henan".to_owned(), "credit".to_owned());
        let topics = Topics { prefix: String::new(), node, context };
        let payload = payload.into();
        let said = NewEvent { event_type: event_type.into(), payload, key: Key::default() };
        records(&topics, &recorded(StreamId::new("dishonest_subject", "1"), said))
    }

    #[test]
    fn what_cannot_be_read_is_not_published_as_if_it_changed_nothing() {
        let unknown = "onenet.credit.v1.SubjectCorrected";
        assert_eq!(says(unknown, b""), Err(Corrupt::unknown_type(unknown)));
        let removed = says("onenet.credit.v1.SubjectRemoved", b"").unwrap_err();
        assert_eq!(removed.event_type, "onenet.credit.v1.SubjectRemoved");
    }
}
