use onenet_kernel::Position;
use onenet_proto::credit::v1::{self as proto, blacklist_record::State};

use crate::domain::DishonestSubjectEvent as Event;

/// The subject's whole public state after an event; `None` where the event is inner history.
pub(crate) fn record(event: &Event, at: Position) -> Option<proto::BlacklistRecord> {
    let (subject, state) = match event {
        Event::SubjectListed { subject, entry, .. } => (subject, State::Entry(entry.into())),
        Event::SubjectRemoved { subject, entry: Some(entry), .. } => {
            (subject, State::Entry(entry.into()))
        }
        Event::SubjectRemoved { subject, removal, entry: None, .. } => {
            let reason = proto::Removal::from(removal).reason;
            (subject, State::NothingInForce(proto::NothingInForce { reason }))
        }
        Event::CreditCaseOpened { .. }
        | Event::CreditCaseNotOpened { .. }
        | Event::ListingNoticeServed { .. }
        | Event::StatementRecorded { .. }
        | Event::StatementPeriodRescheduled { .. }
        | Event::StatementPeriodEnded { .. }
        | Event::ListingDecided { .. } => return None,
    };
    Some(proto::BlacklistRecord {
        subject: subject.to_string(),
        state: Some(state),
        position: Some(onenet_chassis::position(at)),
    })
}
