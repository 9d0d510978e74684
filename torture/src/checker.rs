mod corrections;
mod events;
mod finding;
mod list;
mod reconciled;
mod subscriptions;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

pub use self::finding::{FINDINGS, Finding};
use self::{
    corrections::corrections,
    events::{answers, effects, numbers, sightings},
    list::list,
    reconciled::reconciled,
    subscriptions::subscription,
};
use crate::{
    Context, Event, History, Place, Reader, Seen, Sighting, blacklist::FACTS, history::Read,
    rights::Fed,
};

/// What one context makes of events of another: each of these types, and the types it becomes, of which it is
/// one exactly.
pub(crate) const REACTIONS: [(Context, &str, Context, &[&str]); 3] = [
    (
        Context::Enforcement,
        "onenet.enforcement.v1.PenaltyTookEffect",
        Context::Credit,
        &["onenet.credit.v1.CreditCaseOpened", "onenet.credit.v1.CreditCaseNotOpened"],
    ),
    (
        Context::Hazard,
        "onenet.hazard.v1.HiddenDangerOverdue",
        Context::Enforcement,
        &["onenet.enforcement.v1.ClueRecorded"],
    ),
    (
        Context::Hazard,
        "onenet.hazard.v1.HiddenDangerEscalated",
        Context::Enforcement,
        &["onenet.enforcement.v1.ClueRecorded"],
    ),
];

/// Everything in which a node broke its promises.
#[must_use]
pub fn check(history: &History, seen: &Seen) -> Vec<Finding> {
    let mut found = Vec::new();
    let all: BTreeSet<_> = seen.events().map(|event| event.id).collect();
    for (&context, published) in &seen.contexts {
        let log = published.log.iter();
        found.extend(numbers(context, &published.log));
        found.extend(effects(history, context, &published.log, &all));
        found.extend(sightings(Reader::Topic(context), log, published.topic.iter().cloned()));
    }
    found.extend(answers(history, seen));
    found.extend(reactions(seen));
    found.extend(corrections(seen));
    found.extend(feed(seen));
    for (&agency, own) in &seen.subscriptions {
        found.extend(subscription(Reader::Subscription(agency), seen, own));
    }
    found.extend(read_models(seen));
    let is_fact = |event: &&Event| FACTS.contains(&&*event.event_type);
    let facts = seen.log(Context::Credit).iter().filter(is_fact);
    found.extend(sightings(Reader::Listings, facts, seen.blacklist.listings.iter().cloned()));
    found.extend(list(&seen.blacklist));
    found.extend(reconciled(history, &seen.blacklist));
    found.extend(stale(&history.reads));
    found
}

/// The exchange takes up what each context that it follows has recorded, once, each stream in its order.
fn feed(seen: &Seen) -> Vec<Finding> {
    let follows = |(context, _): &(&Context, _)| **context != Context::Exchange;
    let events = seen.contexts.iter().filter(follows).flat_map(|(_, published)| &published.log);
    let fed = seen.feed.events.iter().map(|&Fed { event, content, .. }| Sighting {
        event,
        place: None,
        content,
    });
    sightings(Reader::Feed, events, fed)
}

fn stale(reads: &[Read]) -> impl Iterator<Item = Finding> {
    reads.iter().filter(|read| read.saw < Some(read.asked)).map(|read| Finding::Stale {
        stream: read.stream.clone(),
        asked: read.asked,
        saw: read.saw,
    })
}

/// A context that follows another takes up each event that is for it, once.
fn reactions(seen: &Seen) -> Vec<Finding> {
    let mut found = Vec::new();
    for (from, event_type, context, effects) in REACTIONS {
        let mut taken_up: BTreeMap<Uuid, usize> = BTreeMap::new();
        let made = seen.log(context).iter().filter(|made| effects.contains(&&*made.event_type));
        for led_by in made.filter_map(|made| made.led_by) {
            *taken_up.entry(led_by).or_default() += 1;
        }
        let reader = Reader::Reaction(context);
        let events = seen.log(from).iter().filter(|event| *event.event_type == *event_type);
        found.extend(events.filter_map(|event| match taken_up.get(&event.id) {
            None => Some(Finding::Lost { reader, event: event.id }),
            Some(1) => None,
            Some(_) => Some(Finding::Doubled { reader, event: event.id }),
        }));
    }
    found
}

/// The read models show each stream of their kinds at its newest version, and no other.
fn read_models(seen: &Seen) -> Vec<Finding> {
    let is_shown = |stream: &str| seen.projected.iter().any(|kind| stream.starts_with(kind));
    let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
    for Place { stream, version, .. } in seen.events().map(|event| &event.place) {
        if is_shown(stream) {
            newest.insert(stream, *version);
        }
    }
    let streams: BTreeSet<&str> =
        newest.keys().copied().chain(seen.projection.keys().map(|stream| &**stream)).collect();
    streams
        .into_iter()
        .map(|stream| (stream, newest.get(stream), seen.projection.get(stream)))
        .filter(|(_, log, shown)| log != shown)
        .map(|(stream, log, shown)| Finding::Differs {
            stream: stream.to_owned(),
            log: log.copied(),
            shown: shown.copied(),
        })
        .collect()
}
