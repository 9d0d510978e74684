//! Every released event has its bytes in `tests/golden`, and they are read for ever.
//!
//! `GOLDEN=write cargo test -p onenet-tests --test golden` adds files for new events; what stands
//! there is never written again: new meaning is a new event. An event whose message has grown since has
//! another example, `<type>@2`; the one before it is what was written of old.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

mod credit;
mod examples;
mod hidden_dangers;

use std::{collections::BTreeSet, fs, path::PathBuf};

use onenet_credit::domain::{DishonestSubjectEvent, ListingReaderEvent};
use onenet_enforcement::domain::{CaseEvent, ClueEvent};
use onenet_enterprise::domain::{DivisionEvent, EnterpriseEvent, OrganisationEvent};
use onenet_exchange::domain::{AgencyEvent, GrantEvent};
use onenet_hazard::domain::{HiddenDangerEvent, MajorHazardEvent};
use onenet_kernel::{Corrupt, WireEvent};
use prost_types::FileDescriptorSet;

fn file(example: &str) -> PathBuf {
    PathBuf::from("golden").join(format!("{example}.binpb"))
}

/// The type of an event, of which there may be several examples.
fn event_type(example: &str) -> &str {
    example.split_once('@').map_or(example, |(event_type, _)| event_type)
}

fn read_and_write<E: WireEvent>(
    event_type: &str,
    bytes: &[u8],
) -> Result<(String, Vec<u8>), Corrupt> {
    let event = E::decode(event_type, bytes)?;
    Ok((event.event_type().to_owned(), event.encode()))
}

/// By the aggregate that owns the type.
fn through_its_context(event_type: &str, bytes: &[u8]) -> Result<(String, Vec<u8>), Corrupt> {
    let readers = [
        read_and_write::<DivisionEvent>,
        read_and_write::<OrganisationEvent>,
        read_and_write::<EnterpriseEvent>,
        read_and_write::<MajorHazardEvent>,
        read_and_write::<HiddenDangerEvent>,
        read_and_write::<CaseEvent>,
        read_and_write::<ClueEvent>,
        read_and_write::<DishonestSubjectEvent>,
        read_and_write::<ListingReaderEvent>,
        read_and_write::<AgencyEvent>,
        read_and_write::<GrantEvent>,
    ];
    let unknown = Corrupt::unknown_type(event_type);
    let read = readers.iter().map(|read| read(event_type, bytes));
    read.into_iter().find(|outcome| outcome.as_ref() != Err(&unknown)).unwrap_or(Err(unknown))
}

/// Messages of the files that hold a context's events.
fn released() -> BTreeSet<String> {
    let set: FileDescriptorSet = prost::Message::decode(onenet_proto::DESCRIPTORS).unwrap();
    let files = set.file.iter().filter(|file| file.name().ends_with("_events.proto"));
    files
        .flat_map(|file| {
            file.message_type.iter().map(|message| format!("{}.{}", file.package(), message.name()))
        })
        .collect()
}

#[test]
fn every_event_has_its_golden_bytes() {
    #[expect(
        clippy::disallowed_methods,
        reason = "whether to add files is asked of whoever runs this"
    )]
    let may_write = std::env::var("GOLDEN").is_ok_and(|value| value == "write");
    let examples = examples::all();
    let named: BTreeSet<String> =
        examples.iter().map(|(name, _)| event_type(name).to_owned()).collect();
    assert_eq!(named, released(), "each event needs an example");
    for (example, bytes) in examples {
        let file = file(example);
        if may_write && !file.exists() {
            fs::write(&file, &bytes).unwrap();
        }
        let golden =
            fs::read(&file).unwrap_or_else(|error| unreachable!("{}: {error}", file.display()));
        assert_eq!(golden, bytes, "{example} is written otherwise than it was released");
    }
}

#[test]
fn golden_bytes_are_read_by_their_context_and_lose_nothing() {
    for (example, _) in examples::all() {
        let golden = fs::read(file(example)).unwrap();
        let (name, written) = through_its_context(event_type(example), &golden).unwrap();
        assert_eq!((&*name, written), (event_type(example), golden), "{example}");
    }
}
