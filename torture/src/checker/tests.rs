mod lists;
mod reconciled;
mod scopes;
mod subscriptions;

use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::{About, Agency, Asked, Content, Outcome, Published, Read, blacklist, rights};

const ENTERPRISES: [&str; 3] = ["enterprise-a", "enterprise-b", "enterprise-c"];
const SHARED: &str = "Registered";
const HERE: Context = Context::Enterprise;

/// Three enterprises, each registered and then designated; one more command was refused, and one was never
/// answered and came to nothing. Registrations are shared with the subscriber, designations are not. A penalty
/// took effect and was judged: the subject is on the list.
fn right() -> (History, Seen) {
    let (mut history, mut log) = (History::default(), Vec::new());
    for (version, event_type) in [(1, SHARED), (2, "Designated")] {
        for stream in ENTERPRISES {
            let position = log.len() as u64 + 1;
            let place = Place { stream: Arc::from(stream), version, position };
            let attempts = match position {
                // the first answer was lost on its way, and the second is the same as it
                2 => vec![Outcome::Unanswered, Outcome::Acknowledged(place.clone())],
                // nobody knows, and it stands there
                3 => vec![Outcome::Unanswered],
                // refused for an overload, then sent again
                4 => vec![refused(), Outcome::Acknowledged(place.clone())],
                _ => vec![Outcome::Acknowledged(place.clone()); 2],
            };
            history.commands.insert(command(position), Asked { context: HERE, attempts });
            let content = Content::of(format!("{stream} {event_type}").as_bytes());
            log.push(Event { content, ..event(position, place, event_type) });
        }
    }
    let asked = |attempts| Asked { context: HERE, attempts };
    history.commands.insert(command(90), asked(vec![refused()]));
    history.commands.insert(command(91), asked(vec![Outcome::Unanswered, Outcome::Unanswered]));
    history.reads.push(Read { stream: ENTERPRISES[0].to_owned(), asked: 1, saw: Some(2) });
    let mut seen = Seen {
        projection: ENTERPRISES.map(|stream| (Arc::from(stream), 2)).into(),
        projected: vec!["enterprise-".to_owned()],
        ..Seen::default()
    };
    publish(&mut seen, HERE, log);
    lists::list(&mut history, &mut seen);
    subscriptions::subscribe(&mut history, &mut seen);
    (history, seen)
}

/// An event that its command alone made, of no content.
fn event(position: u64, place: Place, event_type: &str) -> Event {
    Event {
        id: id(position),
        place,
        command: command(position),
        ordinal: 0,
        led_by: None,
        event_type: Arc::from(event_type),
        about: About::default(),
        content: Content::of(&[]),
    }
}

/// A log, and its topic that shows all of it.
fn publish(seen: &mut Seen, context: Context, log: Vec<Event>) {
    let topic = log.iter().map(|event| sighting(event, true)).collect();
    seen.contexts.insert(context, Published { log, topic });
}

fn here(seen: &mut Seen) -> &mut Published {
    seen.contexts.get_mut(&HERE).unwrap()
}

fn sighting(event: &Event, has_place: bool) -> Sighting {
    let place = has_place.then(|| event.place.clone());
    Sighting { event: event.id, place, content: event.content }
}

fn id(position: u64) -> Uuid {
    Uuid::from_u128(u128::from(position))
}

fn command(position: u64) -> Uuid {
    Uuid::from_u128(1_000 + u128::from(position))
}

fn refused() -> Outcome {
    Outcome::Refused(Arc::from("ERROR_REASON_OVERLOADED"))
}

/// Plants a defect and expects exactly these findings, in this order.
fn planted(plant: impl FnOnce(&mut History, &mut Seen), expected: &[Finding]) {
    let (mut history, mut seen) = right();
    plant(&mut history, &mut seen);
    assert_eq!(check(&history, &seen), expected);
}

fn attempts(history: &mut History, position: u64) -> &mut Vec<Outcome> {
    &mut history.commands.get_mut(&command(position)).unwrap().attempts
}

/// Another event at the end of the log that every reader is shown.
fn append(seen: &mut Seen, command: Uuid) {
    let published = here(seen);
    let position = published.log.len() as u64 + 1;
    let place = Place { stream: Arc::from(ENTERPRISES[0]), version: 3, position };
    let event = Event { command, ..event(position, place, "Designated") };
    published.topic.push(sighting(&event, true));
    published.log.push(event);
    subscriptions::take_up(seen, HERE);
    seen.projection.insert(Arc::from(ENTERPRISES[0]), 3);
}

#[test]
fn what_is_right_has_no_findings() {
    planted(|_, _| {}, &[]);
}

#[test]
fn nothing_at_all_is_right() {
    assert_eq!(check(&History::default(), &Seen::default()), []);
}

#[test]
fn an_event_that_the_topic_lacks_is_lost() {
    let lost = Finding::Lost { reader: Reader::Topic(HERE), event: id(2) };
    planted(|_, seen| drop(here(seen).topic.remove(1)), &[lost]);
}

#[test]
fn a_record_that_stands_on_the_topic_twice_is_doubled() {
    let doubled = Finding::Doubled { reader: Reader::Topic(HERE), event: id(4) };
    let plant = |_: &mut History, seen: &mut Seen| {
        let again = here(seen).topic[3].clone();
        here(seen).topic.push(again);
    };
    planted(plant, &[doubled]);
}

#[test]
fn a_command_that_took_effect_twice_is_doubled() {
    let plant = |_: &mut History, seen: &mut Seen| append(seen, command(5));
    planted(plant, &[Finding::Doubled { reader: Reader::Log(HERE), event: id(7) }]);
}

#[test]
fn events_of_a_stream_that_change_places_are_reordered() {
    let reordered = Finding::Reordered { reader: Reader::Topic(HERE), event: id(1) };
    planted(|_, seen| here(seen).topic.swap(0, 3), &[reordered]);
}

#[test]
fn events_of_different_streams_may_change_places() {
    planted(|_, seen| here(seen).topic.swap(0, 1), &[]);
}

#[test]
fn other_bytes_or_another_place_are_an_alteration() {
    let altered = |event| Finding::Altered { reader: Reader::Topic(HERE), event };
    planted(|_, seen| here(seen).topic[1].content = Content::of(b"other"), &[altered(id(2))]);
    let plant = |_: &mut History, seen: &mut Seen| {
        here(seen).topic[1].place = here(seen).topic[2].place.clone();
    };
    planted(plant, &[altered(id(2))]);
}

#[test]
fn what_the_log_does_not_hold_is_foreign() {
    let plant = |_: &mut History, seen: &mut Seen| here(seen).topic[1].event = id(50);
    let (reader, event) = (Reader::Topic(HERE), id(50));
    planted(plant, &[Finding::Foreign { reader, event }, Finding::Lost { reader, event: id(2) }]);
}

#[test]
fn positions_with_a_gap_are_found() {
    let plant = |history: &mut History, seen: &mut Seen| {
        here(seen).log[5].place.position = 7;
        here(seen).topic[5].place = Some(here(seen).log[5].place.clone());
        *attempts(history, 6) = vec![Outcome::Acknowledged(here(seen).log[5].place.clone())];
    };
    planted(plant, &[Finding::Gap { reader: Reader::Log(HERE), due: 6, came: 7 }]);
}

#[test]
fn versions_with_a_gap_are_found() {
    let plant = |history: &mut History, seen: &mut Seen| {
        here(seen).log[5].place.version = 3;
        here(seen).topic[5].place = Some(here(seen).log[5].place.clone());
        seen.projection.insert(Arc::from(ENTERPRISES[2]), 3);
        *attempts(history, 6) = vec![Outcome::Acknowledged(here(seen).log[5].place.clone())];
    };
    planted(plant, &[Finding::Gap { reader: Reader::Log(HERE), due: 2, came: 3 }]);
}

#[test]
fn an_acknowledged_command_without_effect_is_absent() {
    let plant = |_: &mut History, seen: &mut Seen| {
        here(seen).log.pop();
        here(seen).topic.pop();
        seen.feed.events.retain(|fed| fed.event != id(6));
        seen.projection.insert(Arc::from(ENTERPRISES[2]), 1);
    };
    planted(plant, &[Finding::Absent { command: command(6) }]);
}

#[test]
fn a_receipt_that_names_another_place_is_absent() {
    let plant = |history: &mut History, seen: &mut Seen| {
        *attempts(history, 6) = vec![Outcome::Acknowledged(here(seen).log[4].place.clone())];
    };
    planted(plant, &[Finding::Absent { command: command(6) }]);
}

#[test]
fn the_effect_of_a_command_that_was_only_refused_is_found() {
    let plant = |history: &mut History, _: &mut Seen| *attempts(history, 3) = vec![refused(); 2];
    planted(plant, &[Finding::PresentThoughRefused { command: command(3), event: id(3) }]);
}

#[test]
fn an_event_of_a_command_that_nobody_sent_is_unasked() {
    let plant = |_: &mut History, seen: &mut Seen| append(seen, command(77));
    planted(plant, &[Finding::Unasked { event: id(7) }]);
}

#[test]
fn two_receipts_of_one_command_are_found() {
    let plant = |history: &mut History, seen: &mut Seen| {
        attempts(history, 1).push(Outcome::Acknowledged(here(seen).log[1].place.clone()));
    };
    planted(plant, &[Finding::AnsweredDifferently { command: command(1) }]);
}

#[test]
fn a_read_behind_its_receipt_is_stale() {
    let stream = ENTERPRISES[1].to_owned();
    let stale = Finding::Stale { stream: stream.clone(), asked: 2, saw: Some(1) };
    let read = Read { stream: stream.clone(), asked: 2, saw: Some(1) };
    planted(|history, _| history.reads.push(read), &[stale]);
    let stale = Finding::Stale { stream: stream.clone(), asked: 1, saw: None };
    planted(|history, _| history.reads.push(Read { stream, asked: 1, saw: None }), &[stale]);
}

#[test]
fn a_read_model_that_is_behind_or_ahead_or_shows_what_is_not_there_differs() {
    for shown in [None, Some(1), Some(3)] {
        let stream = ENTERPRISES[1].to_owned();
        let differs = Finding::Differs { stream: stream.clone(), log: Some(2), shown };
        let plant = |_: &mut History, seen: &mut Seen| {
            seen.projection.remove(&*stream);
            seen.projection.extend(shown.map(|version| (stream.into(), version)));
        };
        planted(plant, &[differs]);
    }
    let stream = "enterprise-z".to_owned();
    let differs = Finding::Differs { stream: stream.clone(), log: None, shown: Some(1) };
    planted(|_, seen| seen.projection.extend([(stream.into(), 1)]), &[differs]);
}

/// Whatever was not acknowledged may stand in the log or not; a subset that does is never a finding, and
/// one of them standing there twice always is.
#[test]
fn an_unanswered_command_is_absent_or_present_once() {
    let mut chance = fastrand::Rng::with_seed(7);
    for _ in 0..500 {
        let (mut history, mut seen, mut log) = (History::default(), Seen::default(), Vec::new());
        for number in 1..=chance.u64(1..20) {
            let attempts = vec![Outcome::Unanswered; chance.usize(1..4)];
            history.commands.insert(command(number), Asked { context: HERE, attempts });
            for version in 1..=u64::from(chance.bool()) {
                let position = log.len() as u64 + 1;
                let place =
                    Place { stream: format!("enterprise-{number}").into(), version, position };
                log.push(Event { command: command(number), ..event(position, place, SHARED) });
            }
        }
        publish(&mut seen, HERE, log);
        subscriptions::take_up(&mut seen, HERE);
        assert_eq!(check(&history, &seen), []);
        let published = here(&mut seen);
        let Some(again) = chance.choice(&published.log).cloned() else { continue };
        let position = published.log.len() as u64 + 1;
        let place = Place { version: 2, position, ..again.place.clone() };
        let again = Event { id: id(position), place, ..again };
        published.topic.push(sighting(&again, true));
        published.log.push(again);
        subscriptions::take_up(&mut seen, HERE);
        let doubled = Finding::Doubled { reader: Reader::Log(HERE), event: id(position) };
        assert_eq!(check(&history, &seen), [doubled]);
    }
}
