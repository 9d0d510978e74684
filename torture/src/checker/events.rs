//! Events one by one: as the log numbers them, as callers asked for them, as readers were shown them.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::Finding;
use crate::{Context, Event, History, Place, Reader, Seen, Sighting};

/// Positions without a gap, and versions of each stream without one.
pub(super) fn numbers(context: Context, log: &[Event]) -> Vec<Finding> {
    let reader = Reader::Log(context);
    let mut found: Vec<_> = counted(reader, log.iter().map(|it| it.place.position)).collect();
    let mut versions: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for event in log {
        versions.entry(&event.place.stream).or_default().push(event.place.version);
    }
    found.extend(versions.into_values().flat_map(|versions| counted(reader, versions)));
    found
}

/// Where the numbers are not 1, 2, 3 …; what comes after a wrong one is counted on from it.
pub(super) fn counted(
    reader: Reader,
    numbers: impl IntoIterator<Item = u64>,
) -> impl Iterator<Item = Finding> {
    let mut due = 1;
    numbers.into_iter().filter_map(move |came| {
        let wanted = std::mem::replace(&mut due, came + 1);
        (came != wanted).then_some(Finding::Gap { reader, due: wanted, came })
    })
}

/// Each event is the only effect of its ordinal of a command that was sent and not refused, or of an event that
/// there is.
pub(super) fn effects(
    history: &History,
    context: Context,
    log: &[Event],
    all: &BTreeSet<Uuid>,
) -> Vec<Finding> {
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    for &Event { id: event, command, ordinal, led_by, .. } in log {
        if !known.insert((command, ordinal)) {
            found.push(Finding::Doubled { reader: Reader::Log(context), event });
        }
        match history.commands.get(&command) {
            None if led_by.is_some_and(|led_by| all.contains(&led_by)) => {}
            None => found.push(Finding::Unasked { event }),
            Some(asked) if asked.was_refused() => {
                found.push(Finding::PresentThoughRefused { command, event });
            }
            Some(_) => {}
        }
    }
    found
}

/// Each acknowledged command has one receipt, and its effect stands where that says.
pub(super) fn answers(history: &History, seen: &Seen) -> Vec<Finding> {
    let places: BTreeMap<(Context, u64), &Event> = seen
        .contexts
        .iter()
        .flat_map(|(&context, published)| {
            published.log.iter().map(move |event| ((context, event.place.position), event))
        })
        .collect();
    let mut found = Vec::new();
    for (&command, asked) in &history.commands {
        let Some(receipt) = asked.receipt() else { continue };
        if asked.receipts().any(|other| other != receipt) {
            found.push(Finding::AnsweredDifferently { command });
        }
        let stands = |event: &&Event| event.command == command && event.place == *receipt;
        if !places.get(&(asked.context, receipt.position)).is_some_and(stands) {
            found.push(Finding::Absent { command });
        }
    }
    found
}

/// A reader of events is shown what is for it, once, as it stands, each stream in its order.
pub(super) fn sightings<'a>(
    reader: Reader,
    for_it: impl Iterator<Item = &'a Event>,
    sightings: impl Iterator<Item = Sighting>,
) -> Vec<Finding> {
    let events: BTreeMap<Uuid, &Event> = for_it.map(|event| (event.id, event)).collect();
    let (mut found, mut shown) = (Vec::new(), BTreeSet::new());
    let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
    for sighting in sightings {
        let event = sighting.event;
        let Some(recorded) = events.get(&event) else {
            found.push(Finding::Foreign { reader, event });
            continue;
        };
        if !shown.insert(event) {
            found.push(Finding::Doubled { reader, event });
            continue;
        }
        let Place { stream, version, .. } = &recorded.place;
        let newest = newest.entry(stream).or_default();
        if version < newest {
            found.push(Finding::Reordered { reader, event });
        }
        *newest = *version.max(newest);
        let moved = sighting.place.as_ref().is_some_and(|place| *place != recorded.place);
        if moved || sighting.content != recorded.content {
            found.push(Finding::Altered { reader, event });
        }
    }
    let lost = events.keys().filter(|event| !shown.contains(*event));
    found.extend(lost.map(|&event| Finding::Lost { reader, event }));
    found
}
