//! The list of dishonest subjects: what its listings and removals make, and what each reader is shown of it.

use std::collections::{BTreeMap, BTreeSet};

use onenet_kernel::Timestamp;
use uuid::Uuid;

use super::Finding;
use crate::{
    Context, Reader,
    blacklist::{Blacklist, Change, Fact, InForce, Record},
};

/// What is in force of a subject after each of its facts, by their positions.
type Course<'a> = BTreeMap<u64, (&'a Fact, Vec<InForce>)>;

pub(super) fn list(list: &Blacklist) -> Vec<Finding> {
    let mut found = [unfounded(list), mistimed(list)].concat();
    let mut in_force: BTreeMap<&str, Vec<InForce>> = BTreeMap::new();
    let mut course = Course::new();
    for fact in &list.facts {
        let held = in_force.entry(&fact.subject).or_default();
        if !follows(held, fact) || *held != fact.in_force {
            found.push(misstated(
                Reader::Log(Context::Credit),
                &fact.subject,
                Some(fact.line.position),
            ));
        }
        course.insert(fact.line.position, (fact, held.clone()));
    }
    found.extend(records(&course, &list.records));
    for (reader, shown) in [(Reader::Entry, &list.entries), (Reader::Check, &list.checks)] {
        found.extend(at_rest(reader, &in_force, shown));
    }
    found
}

fn misstated(reader: Reader, subject: &str, position: Option<u64>) -> Finding {
    Finding::Misstated { reader, subject: subject.to_owned(), position }
}

/// Each listing rests on a decision, and has its measures with their legal basis.
fn unfounded(list: &Blacklist) -> Vec<Finding> {
    let begun = list.facts.iter().filter_map(|fact| match fact.change {
        Change::Listed(listing) => Some((listing, fact)),
        Change::Removed(_) => None,
    });
    let is_founded = |(listing, fact): &(_, &Fact)| {
        let shown = fact.in_force.iter().find(|it| it.listing == *listing);
        // one that does not show it at all misstates
        shown.is_none_or(|it| list.decided.get(listing) == Some(&it.measures))
    };
    begun
        .filter(|begun| !is_founded(begun))
        .map(|(listing, _)| Finding::Unfounded { listing })
        .collect()
}

/// A listing that nobody has ended before ends with its term, and not earlier.
fn mistimed(list: &Blacklist) -> Vec<Finding> {
    let ended: BTreeSet<Uuid> = list
        .facts
        .iter()
        .filter_map(|fact| match fact.change {
            Change::Listed(_) => None,
            Change::Removed(listing) => Some(listing),
        })
        .collect();
    let is_wrong = |(listing, end): &(&Uuid, &Timestamp)| match list.expired.get(listing) {
        Some(recorded_at) => recorded_at < end,
        None => !ended.contains(listing) && **end <= list.rested,
    };
    let wrong = list.terms.iter().filter(is_wrong);
    wrong.map(|(&listing, _)| Finding::Mistimed { listing }).collect()
}

/// Applies what a fact says happened; answers whether it could.
fn follows(held: &mut Vec<InForce>, fact: &Fact) -> bool {
    match fact.change {
        Change::Listed(listing) => {
            let new = fact.in_force.iter().find(|it| it.listing == listing);
            let is_new = held.iter().all(|it| it.listing != listing);
            held.extend(new.filter(|_| is_new).cloned());
            is_new && new.is_some()
        }
        Change::Removed(listing) => {
            let before = held.len();
            held.retain(|it| it.listing != listing);
            held.len() + 1 == before
        }
    }
}

/// The blacklist topic has each subject's state after each fact, once, in their order.
fn records(course: &Course<'_>, records: &[Record]) -> Vec<Finding> {
    let reader = Reader::Blacklist;
    let (mut found, mut shown) = (Vec::new(), BTreeSet::new());
    let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
    for Record { subject, position, in_force } in records {
        let fact = course.get(position).filter(|(fact, _)| fact.subject == *subject);
        let Some((fact, expected)) = fact else {
            found.push(misstated(reader, subject, Some(*position)));
            continue;
        };
        if !shown.insert(*position) {
            found.push(Finding::Doubled { reader, event: fact.line.event });
            continue;
        }
        let newest = newest.entry(subject).or_default();
        if position < newest {
            found.push(Finding::Reordered { reader, event: fact.line.event });
        }
        *newest = *position.max(newest);
        if in_force != expected {
            found.push(misstated(reader, subject, Some(*position)));
        }
    }
    let lost = course.iter().filter(|(position, _)| !shown.contains(*position));
    found.extend(lost.map(|(_, (fact, _))| Finding::Lost { reader, event: fact.line.event }));
    found
}

/// Who asks in the end is shown what is in force of each subject, and nothing of any other.
fn at_rest(
    reader: Reader,
    in_force: &BTreeMap<&str, Vec<InForce>>,
    shown: &BTreeMap<String, Vec<InForce>>,
) -> Vec<Finding> {
    let subjects: BTreeSet<&str> =
        in_force.keys().copied().chain(shown.keys().map(String::as_str)).collect();
    subjects
        .into_iter()
        .filter(|subject| in_force.get(subject) != shown.get(*subject))
        .map(|subject| misstated(reader, subject, None))
        .collect()
}
