//! Bytes of an event, as a log or a topic may hold them: the name of its type, a line's end, its payload. What
//! is read is written again in today's form, and that form is read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onenet_credit::domain::{DishonestSubjectEvent, ListingReaderEvent};
use onenet_enforcement::domain::{CaseEvent, ClueEvent};
use onenet_enterprise::domain::{DivisionEvent, EnterpriseEvent, OrganisationEvent};
use onenet_exchange::domain::{AgencyEvent, GrantEvent};
use onenet_hazard::domain::{HiddenDangerEvent, MajorHazardEvent};
use onenet_kernel::WireEvent;

fn read_and_write<E: WireEvent>(event_type: &str, bytes: &[u8]) {
    let Ok(event) = E::decode(event_type, bytes) else { return };
    assert_eq!(event.event_type(), event_type);
    let written = event.encode();
    let Ok(again) = E::decode(event_type, &written) else {
        panic!("{event_type}: what was written cannot be read");
    };
    assert_eq!(again.encode(), written, "{event_type}");
}

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let Ok(event_type) = str::from_utf8(&data[..end]) else { return };
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
    for read in readers {
        read(event_type, &data[end + 1..]);
    }
});
