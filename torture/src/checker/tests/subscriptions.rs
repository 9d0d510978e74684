//! What two agencies were sent, with each defect that it may have.

use onenet_kernel::Timestamp;
use rights::{
    Certificate, Correction, Delivered, Fed, Felt, Grant, Knock, Scope, Subscription, Wish,
};

use super::*;
use crate::checker::corrections::{REPORTED, TREATMENT_REPORTED};

const CORRECTED: &str = "Corrected";
const WITHDRAWN: &str = "Withdrawn";
pub(super) const STEADY: Reader = Reader::Subscription(Agency::Steady);
pub(super) const CHANGING: Reader = Reader::Subscription(Agency::Changing);

/// Seconds of the run; the feed takes up one event in each.
pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

pub(super) fn felt(from: i64, until: i64) -> Felt {
    Felt { from: at(from), until: at(until) }
}

/// The id of an event about a danger by its number.
pub(super) fn danger(number: u64) -> Uuid {
    id(5_000 + number)
}

fn of(event: &Event, sequence: u64, second: i64) -> Delivered {
    let Event { id: event, content, ref about, .. } = *event;
    Delivered {
        sequence,
        at: at(second),
        certificate: 0,
        is_reduced: false,
        about: about.clone(),
        event,
        content,
    }
}

/// Of every danger.
pub(super) fn about() -> About {
    let [subject, division, industry] = ["p", "410102", "2614"].map(Arc::from);
    About { subject, division, industry }
}

fn of_types(names: &[&str]) -> Scope {
    let event_types = names.iter().map(|&name| name.to_owned()).collect();
    Scope { event_types, ..Scope::default() }
}

/// In that second.
pub(super) fn knock(certificate: usize, second: i64, is_let_in: bool) -> Knock {
    Knock { certificate, from: at(second), until: at(second), is_let_in }
}

fn reduced(number: u64) -> Content {
    Content::of(format!("reduced {number}").as_bytes())
}

/// The feed takes up what it lacks of a context's log, a second after the last.
pub(super) fn take_up(seen: &mut Seen, context: Context) {
    let feed = &mut seen.feed;
    let known: BTreeSet<Uuid> = feed.events.iter().map(|fed| fed.event).collect();
    for event in seen.contexts[&context].log.iter().filter(|event| !known.contains(&event.id)) {
        let second = i64::try_from(feed.events.len()).unwrap() + 1;
        feed.events.push(Fed { event: event.id, at: at(second), content: event.content });
    }
    feed.ended = at(1_000);
}

/// One agency has had its grant for registrations from the beginning; it went over to another certificate from the 35th
/// second to the 43rd, and was refused with the first one in the 45th. The other has its grant from the 21st second on, for
/// reports and corrections; it is revoked in the 25th. Of what is reported from the 22nd second on, nothing is missing
/// until then: a danger (1), a correction (2), another danger (3) that it does not want since it asked for
/// corrections alone, and a correction of it (4). In the 28th second, when it has no grant any more, come the withdrawal
/// of the first (5), of which it is told the reason alone, and a third danger (6), of which it is told nothing, nor of
/// its treatment, of which two reports (7, 8) and two corrections of the second (9, 10) follow.
pub(super) fn subscribe(history: &mut History, seen: &mut Seen) {
    for context in [HERE, Context::Enforcement, Context::Credit] {
        take_up(seen, context);
    }
    let reported = Published { ..seen.contexts[&Context::Hazard].clone() };
    let (mut log, mut position) = (reported.log, 2);
    for (number, name, stream, version) in [
        (1, REPORTED, "hidden_danger-e", 1),
        (2, CORRECTED, "hidden_danger-e", 2),
        (3, REPORTED, "hidden_danger-f", 1),
        (4, CORRECTED, "hidden_danger-f", 2),
        (5, WITHDRAWN, "hidden_danger-e", 3),
        (6, REPORTED, "hidden_danger-g", 1),
        (7, TREATMENT_REPORTED, "hidden_danger-g", 2),
        (8, TREATMENT_REPORTED, "hidden_danger-g", 3),
        (9, "TreatmentCorrected", "hidden_danger-g", 4),
        (10, "TreatmentCorrected", "hidden_danger-g", 5),
    ] {
        position += 1;
        let place = Place { stream: Arc::from(stream), version, position };
        let attempts = vec![Outcome::Acknowledged(place.clone())];
        let asked = Asked { context: Context::Hazard, attempts };
        history.commands.insert(command(5_000 + number), asked);
        let content = Content::of(format!("{name} {number}").as_bytes());
        log.push(Event { content, about: about(), ..event(5_000 + number, place, name) });
    }
    publish(seen, Context::Hazard, log);
    take_up(seen, Context::Hazard);
    let seconds = (1..=16).chain([22, 23, 24, 24, 28, 28, 28, 28, 28, 28]);
    for (fed, second) in seen.feed.events.iter_mut().zip(seconds) {
        fed.at = at(second);
    }
    for (number, statement, corrects) in [
        (2, Some(0), vec![1]),
        (4, Some(0), vec![3]),
        (5, None, vec![1, 2]),
        (9, Some(2), vec![8]),
        (10, Some(2), vec![8, 9]),
    ] {
        let corrects = corrects.into_iter().map(danger).collect();
        let correction = Correction { corrects, statement, reduced: reduced(number) };
        seen.feed.corrections.insert(danger(number), correction);
    }
    let log = &seen.contexts[&HERE].log;
    let shared = log.iter().filter(|event| *event.event_type == *SHARED);
    let delivered = (1..).zip(shared).map(|(sequence, event)| of(event, sequence, 20)).collect();
    let grant = Grant { scope: of_types(&[SHARED]), given: felt(0, 0), revoked: None };
    let all = Wish { scope: Scope::default(), perhaps_after: 0, surely_after: 0 };
    let certificate = |number, given, replaced| Certificate { number, given, replaced };
    let steady = Subscription {
        grants: vec![grant],
        wishes: vec![all.clone()],
        certificates: vec![
            certificate(0, felt(0, 0), Some(felt(40, 43))),
            certificate(1, felt(35, 38), None),
        ],
        knocks: vec![knock(0, 1, true), knock(1, 39, true), knock(0, 45, false)],
        delivered,
    };
    seen.subscriptions.insert(Agency::Steady, steady);

    let log = &seen.contexts[&Context::Hazard].log[2..];
    let told = to_reduced(&of(&log[4], 4, 29), 5);
    let changing = Subscription {
        grants: vec![Grant {
            scope: of_types(&[REPORTED, CORRECTED]),
            given: felt(20, 21),
            revoked: Some(felt(25, 27)),
        }],
        wishes: vec![
            all,
            Wish { scope: of_types(&[CORRECTED]), perhaps_after: 1, surely_after: 1 },
        ],
        certificates: vec![certificate(0, felt(0, 0), None)],
        knocks: vec![],
        delivered: vec![of(&log[0], 1, 22), of(&log[1], 2, 23), of(&log[3], 3, 24), told],
    };
    seen.subscriptions.insert(Agency::Changing, changing);
}

fn to_reduced(delivered: &Delivered, number: u64) -> Delivered {
    let about = About::default();
    Delivered { is_reduced: true, about, content: reduced(number), ..delivered.clone() }
}

pub(super) fn planted_in(
    agency: Agency,
    plant: impl FnOnce(&mut Subscription),
    expected: &[Finding],
) {
    let plant = |_: &mut History, seen: &mut Seen| {
        let own = seen.subscriptions.get_mut(&agency).unwrap();
        plant(own);
    };
    planted(plant, expected);
}

/// Takes deliveries out, and counts those that are left anew.
fn without(own: &mut Subscription, event: Uuid) {
    own.delivered.retain(|delivered| delivered.event != event);
    for (sequence, delivered) in (1..).zip(&mut own.delivered) {
        delivered.sequence = sequence;
    }
}

/// One more delivery behind all others, at a time.
fn one_more(seen: &mut Seen, agency: Agency, event: Uuid, second: i64) {
    let event = seen.events().find(|known| known.id == event).unwrap().clone();
    let own = seen.subscriptions.get_mut(&agency).unwrap();
    let sequence = own.delivered.len() as u64 + 1;
    own.delivered.push(of(&event, sequence, second));
}

#[test]
fn an_event_that_the_feed_lacks_repeats_or_alters_is_found() {
    let (reader, event) = (Reader::Feed, id(5));
    let lacks =
        |_: &mut History, seen: &mut Seen| seen.feed.events.retain(|fed| fed.event != event);
    planted(lacks, &[Finding::Lost { reader, event }]);
    let other = |_: &mut History, seen: &mut Seen| {
        seen.feed.events[4].content = Content::of(b"other");
    };
    planted(other, &[Finding::Altered { reader, event }]);
    let again = |_: &mut History, seen: &mut Seen| {
        let again = seen.feed.events[4].clone();
        seen.feed.events.push(again);
    };
    planted(again, &[Finding::Doubled { reader, event }]);
}

#[test]
fn an_event_that_the_subscription_was_not_sent_is_lost() {
    let lost = Finding::Lost { reader: STEADY, event: id(1) };
    planted_in(Agency::Steady, |own| without(own, id(1)), &[lost]);
    let lost = Finding::Lost { reader: STEADY, event: id(3) };
    planted_in(Agency::Steady, |own| without(own, id(3)), &[lost]);
}

#[test]
fn a_sequence_that_jumps_is_a_gap() {
    let gap = Finding::Gap { reader: STEADY, due: 3, came: 4 };
    planted_in(Agency::Steady, |own| own.delivered[2].sequence = 4, &[gap]);
}

#[test]
fn an_event_that_is_delivered_again_after_a_resume_is_doubled() {
    let plant = |_: &mut History, seen: &mut Seen| one_more(seen, Agency::Steady, id(3), 30);
    planted(plant, &[Finding::Doubled { reader: STEADY, event: id(3) }]);
}

#[test]
fn events_that_come_otherwise_than_the_feed_has_them_are_reordered() {
    let swapped = |own: &mut Subscription| {
        own.delivered.swap(0, 1);
        own.delivered[0].sequence = 1;
        own.delivered[1].sequence = 2;
    };
    let reordered = Finding::Reordered { reader: STEADY, event: id(1) };
    planted_in(Agency::Steady, swapped, &[reordered]);
}

#[test]
fn what_the_grant_does_not_hold_is_foreign_to_the_subscription() {
    let plant = |_: &mut History, seen: &mut Seen| one_more(seen, Agency::Steady, id(4), 30);
    planted(plant, &[Finding::Foreign { reader: STEADY, event: id(4) }]);
}

#[test]
fn what_is_delivered_after_the_grant_was_revoked_is_foreign() {
    let plant = |_: &mut History, seen: &mut Seen| one_more(seen, Agency::Changing, danger(6), 29);
    let foreign = Finding::Foreign { reader: CHANGING, event: danger(6) };
    planted(plant, std::slice::from_ref(&foreign));
    let before_it_was_given = |own: &mut Subscription| {
        own.grants[0].given = felt(23, 24);
        own.delivered[0].at = at(22);
    };
    let foreign = Finding::Foreign { reader: CHANGING, event: danger(1) };
    planted_in(Agency::Changing, before_it_was_given, &[foreign]);
}

#[test]
fn what_is_judged_while_a_revocation_spreads_may_come_or_not() {
    let spreads = |_: &mut History, seen: &mut Seen| {
        seen.subscriptions.get_mut(&Agency::Changing).unwrap().wishes.truncate(1);
        seen.feed
            .events
            .iter_mut()
            .filter(|fed| fed.event == danger(3))
            .for_each(|fed| fed.at = at(26));
        let own = seen.subscriptions.get_mut(&Agency::Changing).unwrap();
        own.delivered[2].at = at(26);
    };
    planted(spreads, &[]);
}

#[test]
fn what_was_granted_and_wanted_and_did_not_come_is_lost() {
    let lost = |event| Finding::Lost { reader: CHANGING, event };
    planted_in(Agency::Changing, |own| without(own, danger(1)), &[lost(danger(1))]);
    let wants_all = |own: &mut Subscription| own.wishes.truncate(1);
    planted_in(Agency::Changing, wants_all, &[lost(danger(3))]);
}

#[test]
fn what_was_not_wanted_is_foreign() {
    let asks_earlier = |own: &mut Subscription| {
        own.wishes[1].perhaps_after = 0;
        own.wishes[1].surely_after = 0;
    };
    let foreign = Finding::Foreign { reader: CHANGING, event: danger(1) };
    planted_in(Agency::Changing, asks_earlier, &[foreign]);
}

#[test]
fn what_lies_where_the_filter_changed_may_come_or_not() {
    let perhaps_later = |own: &mut Subscription| own.wishes[1].surely_after = 3;
    planted_in(Agency::Changing, perhaps_later, &[]);
    let perhaps_earlier = |own: &mut Subscription| own.wishes[1].perhaps_after = 0;
    planted_in(Agency::Changing, perhaps_earlier, &[]);
}

#[test]
fn a_correction_of_what_was_delivered_is_due_whatever_holds_today() {
    let lost = Finding::Lost { reader: CHANGING, event: danger(5) };
    planted_in(Agency::Changing, |own| without(own, danger(5)), &[lost]);
}

#[test]
fn a_correction_of_what_was_never_delivered_is_foreign() {
    let plant = |_: &mut History, seen: &mut Seen| {
        one_more(seen, Agency::Changing, danger(10), 29);
        let own = seen.subscriptions.get_mut(&Agency::Changing).unwrap();
        own.delivered[4] = to_reduced(&own.delivered[4], 10);
    };
    planted(plant, &[Finding::Foreign { reader: CHANGING, event: danger(10) }]);
}

#[test]
fn a_correction_that_names_less_or_other_than_was_stated_is_misdirected() {
    // the second correction of a report on the treatment: not the first; the first report; the whole danger
    for corrects in [vec![8], vec![7], vec![6, 7, 8, 9], vec![]] {
        let corrects = corrects.into_iter().map(danger).collect();
        let plant = |_: &mut History, seen: &mut Seen| {
            seen.feed.corrections.get_mut(&danger(10)).unwrap().corrects = corrects;
        };
        planted(plant, &[Finding::Misdirected { event: danger(10) }]);
    }
    let forgets_a_correction = |_: &mut History, seen: &mut Seen| {
        seen.feed.corrections.get_mut(&danger(5)).unwrap().corrects = vec![danger(1)];
    };
    planted(forgets_a_correction, &[Finding::Misdirected { event: danger(5) }]);
    let of_no_report = |_: &mut History, seen: &mut Seen| {
        seen.feed.corrections.get_mut(&danger(10)).unwrap().statement = Some(3);
    };
    planted(of_no_report, &[Finding::Misdirected { event: danger(10) }]);
}

#[test]
fn a_reduced_correction_that_says_more_is_altered_and_a_whole_one_foreign() {
    let says_more = |own: &mut Subscription| own.delivered[3].content = Content::of(b"Withdrawn 5");
    let altered = Finding::Altered { reader: CHANGING, event: danger(5) };
    planted_in(Agency::Changing, says_more, &[altered]);
    let whole = |own: &mut Subscription| {
        own.delivered[3].content = Content::of(b"Withdrawn 5");
        own.delivered[3].about = about();
        own.delivered[3].is_reduced = false;
    };
    let foreign = Finding::Foreign { reader: CHANGING, event: danger(5) };
    planted_in(Agency::Changing, whole, &[foreign]);
}

#[test]
fn a_correction_that_is_reduced_where_the_grant_lets_it_pass_is_altered() {
    let less = |own: &mut Subscription| {
        own.delivered[1] = to_reduced(&own.delivered[1], 2);
    };
    let altered = Finding::Altered { reader: CHANGING, event: danger(2) };
    planted_in(Agency::Changing, less, &[altered]);
}
