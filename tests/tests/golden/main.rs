//! Every released event has its bytes in `tests/golden`, and they are read for ever.
//!
//! `GOLDEN=write cargo test -p onenet-tests --test golden` adds files for new events; what stands
//! there is never written again: new meaning is a new event.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

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

fn file(event_type: &str) -> PathBuf {
    PathBuf::from("golden").join(format!("{event_type}.binpb"))
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
    let named: BTreeSet<String> = examples.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(named, released(), "each event needs an example");
    for (event_type, bytes) in examples {
        let file = file(event_type);
        if may_write && !file.exists() {
            fs::write(&file, &bytes).unwrap();
        }
        let golden =
            fs::read(&file).unwrap_or_else(|error| unreachable!("{}: {error}", file.display()));
        assert_eq!(golden, bytes, "{event_type} is written otherwise than it was released");
    }
}

#[test]
fn golden_bytes_are_read_by_their_context_and_lose_nothing() {
    for event_type in released() {
        let golden = fs::read(file(&event_type)).unwrap();
        let (name, written) = through_its_context(&event_type, &golden).unwrap();
        assert_eq!((name, written), (event_type.clone(), golden), "{event_type}");
    }
}
