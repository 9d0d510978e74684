//! A penalty, its judgement and the list, with each defect that they may have.

use blacklist::{Change, FACTS, Fact, InForce, Record};

use super::{subscriptions::at, *};
use crate::Line;

pub(super) const SUBJECT: &str = "s";
const STREAM: &str = "dishonest_subject-s";
const PENALTY: u64 = 1_001;
const OVERDUE: u64 = 2_001;
const CREDIT: Context = Context::Credit;

/// The id of an event of the credit log by its position.
pub(super) fn credit(position: u64) -> Uuid {
    id(3_000 + position)
}

fn listing(number: u64) -> Uuid {
    id(4_000 + number)
}

fn in_force(number: u64) -> InForce {
    let content = |of: &str| Content::of(format!("{of} {number}").as_bytes());
    InForce { listing: listing(number), content: content("listing"), measures: content("measures") }
}

/// Of an event that somebody asked for, elsewhere than among the enterprises.
fn asked(history: &mut History, context: Context, number: u64, place: Place, name: &str) -> Event {
    let attempts = vec![Outcome::Acknowledged(place.clone())];
    history.commands.insert(command(number), Asked { context, attempts });
    event(number, place, name)
}

/// A danger became overdue and is a clue; a penalty took effect and was judged. Its subject was listed twice,
/// and one listing was removed. A reader has acknowledged the first listing, then the second.
pub(super) fn list(history: &mut History, seen: &mut Seen) {
    let first =
        |stream: &str, version, position| Place { stream: Arc::from(stream), version, position };
    let [ordered, penalty] = ["hidden_danger-d", "case-c"].map(|stream| first(stream, 1, 1));
    let ordered = asked(history, Context::Hazard, OVERDUE - 1, ordered, "RectificationOrdered");
    let overdue = Event {
        led_by: Some(ordered.id),
        ..event(OVERDUE, first("hidden_danger-d", 2, 2), "onenet.hazard.v1.HiddenDangerOverdue")
    };
    let penalty = asked(history, Context::Enforcement, PENALTY, penalty, REACTIONS[0].1);
    let clue = Event {
        led_by: Some(overdue.id),
        ..event(PENALTY + 1, first("clue-c", 1, 2), "onenet.enforcement.v1.ClueRecorded")
    };
    let judged = Event {
        led_by: Some(penalty.id),
        ..event(3_001, first(STREAM, 1, 1), "onenet.credit.v1.CreditCaseOpened")
    };
    publish(seen, Context::Hazard, vec![ordered, overdue]);
    publish(seen, Context::Enforcement, vec![penalty, clue]);
    let mut log = vec![judged];
    for (position, name, stream, version) in [
        (2, FACTS[0], STREAM, 2),
        (3, FACTS[0], STREAM, 3),
        (4, FACTS[1], STREAM, 4),
        (5, "ListingsAcknowledged", "listing_reader-r", 1),
        (6, "ListingsAcknowledged", "listing_reader-r", 2),
    ] {
        let place = first(stream, version, position);
        log.push(asked(history, CREDIT, 3_000 + position, place, name));
    }
    let list = &mut seen.blacklist;
    list.listings = log[1..4].iter().map(|event| sighting(event, true)).collect();
    publish(seen, CREDIT, log);
    let list = &mut seen.blacklist;
    list.decided = [1, 2].map(|number| (listing(number), in_force(number).measures)).into();
    list.terms = [(1, 101), (2, 102)].map(|(number, end)| (listing(number), at(end))).into();
    list.rested = at(100);
    for (position, change, shown) in [
        (2, Change::Listed(listing(1)), vec![in_force(1)]),
        (3, Change::Listed(listing(2)), vec![in_force(1), in_force(2)]),
        (4, Change::Removed(listing(1)), vec![in_force(2)]),
    ] {
        let (line, subject) = (line(position), SUBJECT.to_owned());
        let (record, in_force) = (subject.clone(), shown.clone());
        let recorded_on = day(position).to_owned();
        list.facts.push(Fact { line, recorded_on, subject, change, in_force });
        list.records.push(Record { subject: record, position, in_force: shown });
    }
    list.entries = [(SUBJECT.to_owned(), vec![in_force(2)])].into();
    list.checks = list.entries.clone();
    reconciled::reconcile(history, list);
}

pub(super) fn line(position: u64) -> Line {
    Line { position, event: credit(position), leaf: [u8::try_from(position).unwrap(); 32] }
}

/// The first fact was recorded a day before the others.
pub(super) fn day(position: u64) -> &'static str {
    if position == 2 { "2026-11-28" } else { "2026-11-29" }
}

fn misstated(reader: Reader, position: Option<u64>) -> Finding {
    Finding::Misstated { reader, subject: SUBJECT.to_owned(), position }
}

/// Plants a defect of the list.
pub(super) fn planted_list(plant: impl FnOnce(&mut blacklist::Blacklist), expected: &[Finding]) {
    planted(|_, seen| plant(&mut seen.blacklist), expected);
}

#[test]
fn a_penalty_that_was_not_judged_is_lost_and_one_judged_twice_is_doubled() {
    let (reader, event) = (Reader::Reaction(CREDIT), id(PENALTY));
    let log = |seen: &mut Seen| seen.contexts.get_mut(&CREDIT).unwrap().log[0].led_by = Some(id(1));
    planted(|_, seen| log(seen), &[Finding::Lost { reader, event }]);
    let again = |_: &mut History, seen: &mut Seen| {
        let published = seen.contexts.get_mut(&CREDIT).unwrap();
        let place = Place { stream: Arc::from(STREAM), version: 5, position: 7 };
        let again =
            Event { id: credit(7), command: command(3_007), place, ..published.log[0].clone() };
        published.topic.push(sighting(&again, true));
        published.log.push(again);
        subscriptions::take_up(seen, CREDIT);
    };
    planted(again, &[Finding::Doubled { reader, event }]);
}

#[test]
fn an_overdue_danger_without_a_clue_is_lost() {
    let plant = |_: &mut History, seen: &mut Seen| {
        let published = seen.contexts.get_mut(&Context::Enforcement).unwrap();
        let clue = published.log.pop().unwrap();
        published.topic.pop();
        seen.feed.events.retain(|fed| fed.event != clue.id);
    };
    let reader = Reader::Reaction(Context::Enforcement);
    planted(plant, &[Finding::Lost { reader, event: id(OVERDUE) }]);
}

#[test]
fn what_follows_from_an_event_that_there_is_not_is_unasked() {
    let plant = |_: &mut History, seen: &mut Seen| {
        seen.contexts.get_mut(&Context::Hazard).unwrap().log[1].led_by = Some(id(77));
    };
    planted(plant, &[Finding::Unasked { event: id(OVERDUE) }]);
}

#[test]
fn a_receipt_is_looked_for_in_the_log_of_whom_was_asked() {
    let plant = |history: &mut History, _: &mut Seen| {
        history.commands.get_mut(&command(PENALTY)).unwrap().context = CREDIT;
    };
    planted(plant, &[Finding::Absent { command: command(PENALTY) }]);
}

#[test]
fn a_listing_fact_that_its_topic_lacks_repeats_swaps_or_alters_is_found() {
    let reader = Reader::Listings;
    let found = |position| (reader, credit(position));
    let (reader, event) = found(3);
    planted_list(|list| drop(list.listings.remove(1)), &[Finding::Lost { reader, event }]);
    let again = |list: &mut blacklist::Blacklist| list.listings.push(list.listings[1].clone());
    planted_list(again, &[Finding::Doubled { reader, event }]);
    let other = |list: &mut blacklist::Blacklist| list.listings[1].content = Content::of(b"other");
    planted_list(other, &[Finding::Altered { reader, event }]);
    let (_, event) = found(2);
    planted_list(|list| list.listings.swap(0, 1), &[Finding::Reordered { reader, event }]);
}

#[test]
fn inner_history_on_the_listings_topic_is_foreign() {
    let plant = |_: &mut History, seen: &mut Seen| {
        let judged = sighting(&seen.log(CREDIT)[0], true);
        seen.blacklist.listings.push(judged);
    };
    planted(plant, &[Finding::Foreign { reader: Reader::Listings, event: credit(1) }]);
}

#[test]
fn a_state_that_its_topic_lacks_repeats_or_swaps_is_found() {
    let (reader, event) = (Reader::Blacklist, credit(3));
    planted_list(|list| drop(list.records.remove(1)), &[Finding::Lost { reader, event }]);
    let again = |list: &mut blacklist::Blacklist| list.records.push(list.records[1].clone());
    planted_list(again, &[Finding::Doubled { reader, event }]);
    let reordered = Finding::Reordered { reader, event: credit(2) };
    planted_list(|list| list.records.swap(0, 1), &[reordered]);
}

#[test]
fn a_state_with_more_less_or_other_than_is_in_force_is_misstated() {
    let plants: [fn(&mut Record); 4] = [
        |record| record.in_force.clear(),
        |record| record.in_force.push(in_force(3)),
        |record| record.in_force.swap(0, 1),
        |record| record.in_force[0].content = Content::of(b"other"),
    ];
    for plant in plants {
        let found = misstated(Reader::Blacklist, Some(3));
        planted_list(|list| plant(&mut list.records[1]), &[found]);
    }
}

#[test]
fn a_state_of_no_fact_is_misstated() {
    let (subject, position) = (SUBJECT.to_owned(), 9);
    let record = Record { subject, position, in_force: vec![] };
    let found = misstated(Reader::Blacklist, Some(9));
    planted_list(|list| list.records.push(record), &[found]);
}

#[test]
fn a_fact_that_does_not_say_what_its_listings_make_is_misstated() {
    let log = Reader::Log(CREDIT);
    let forgets = |list: &mut blacklist::Blacklist| {
        list.facts[1].in_force.retain(|it| it.listing == listing(2));
    };
    planted_list(forgets, &[misstated(log, Some(3))]);
    let removes_what_is_not_there = |list: &mut blacklist::Blacklist| {
        let in_force = vec![in_force(1), in_force(2)];
        list.facts[2].change = Change::Removed(listing(9));
        list.facts[2].in_force.clone_from(&in_force);
        list.records[2].in_force.clone_from(&in_force);
        for shown in [&mut list.entries, &mut list.checks] {
            shown.insert(SUBJECT.to_owned(), in_force.clone());
        }
    };
    planted_list(removes_what_is_not_there, &[misstated(log, Some(4))]);
}

#[test]
fn a_listing_with_other_measures_than_were_decided_or_without_a_decision_is_unfounded() {
    let unfounded = Finding::Unfounded { listing: listing(2) };
    let without = |list: &mut blacklist::Blacklist| list.decided.retain(|of, _| *of != listing(2));
    planted_list(without, std::slice::from_ref(&unfounded));
    let other = |list: &mut blacklist::Blacklist| {
        list.decided.insert(listing(2), in_force(1).measures);
    };
    planted_list(other, &[unfounded]);
}

#[test]
fn whoever_asks_in_the_end_and_is_shown_a_removed_listing_or_lacks_one_is_misled() {
    let removed = || [(SUBJECT.to_owned(), vec![in_force(1), in_force(2)])].into();
    planted_list(|list| list.entries = removed(), &[misstated(Reader::Entry, None)]);
    planted_list(|list| list.checks = removed(), &[misstated(Reader::Check, None)]);
    planted_list(|list| list.entries.clear(), &[misstated(Reader::Entry, None)]);
    planted_list(|list| list.checks.clear(), &[misstated(Reader::Check, None)]);
    let of_another = |list: &mut blacklist::Blacklist| {
        list.checks.insert("t".to_owned(), vec![in_force(2)]);
    };
    let subject = "t".to_owned();
    let found = Finding::Misstated { reader: Reader::Check, subject, position: None };
    planted_list(of_another, &[found]);
}

#[test]
fn a_listing_that_outlasts_its_term_or_does_not_last_for_it_is_mistimed() {
    let mistimed = |number| [Finding::Mistimed { listing: listing(number) }];
    planted_list(|list| list.rested = at(102), &mistimed(2));
    let early = |list: &mut blacklist::Blacklist| list.expired.extend([(listing(1), at(100))]);
    planted_list(early, &mistimed(1));
}
