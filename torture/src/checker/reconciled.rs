//! Readers of the list: what they have acknowledged stays, and what both sides compare is what the log has.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::{
    History, Reader,
    blacklist::{Blacklist, Change, Fact},
    reconciled::{Claim, Compared, Count, Open, Reconciled, Refused},
};

/// Facts by their places.
type Facts<'a> = BTreeMap<u64, &'a Fact>;

pub(super) fn reconciled(history: &History, list: &Blacklist) -> Vec<Finding> {
    let facts: Facts<'_> = list.facts.iter().map(|fact| (fact.line.position, fact)).collect();
    let mut found = acknowledged(&facts, list);
    let ends: BTreeSet<u64> = list.acknowledged.iter().map(|it| it.upto).collect();
    let wrongly = history.claims.iter().filter(|claim| !is_right(&facts, &ends, claim));
    found.extend(wrongly.map(|claim| Finding::Misacknowledged { upto: claim.upto }));
    let miscounted = history.reconciled.iter().filter(|answer| !is_counted(&facts, answer));
    found.extend(miscounted.map(|answer| Finding::Miscounted {
        after: answer.range.0,
        upto: answer.range.1,
        known_at: answer.known_at,
    }));
    for open in &history.open {
        // an answer may lack what came last, and nothing before it
        let upto = open.removals.last().map_or(open.after, |(position, _)| *position);
        found.extend(removals(&facts, open, upto));
    }
    if let Some(shown) = &list.open {
        let after = list.acknowledged.last().map_or(0, |last| last.upto);
        let open = Open { after, removals: shown.clone() };
        found.extend(removals(&facts, &open, u64::MAX));
    }
    found
}

/// Facts above a place, up to another.
fn between<'a>(facts: &Facts<'a>, after: u64, upto: u64) -> impl Iterator<Item = &'a Fact> {
    let range = after + 1..upto.saturating_add(1).max(after + 1);
    facts.range(range).map(|(_, fact)| *fact)
}

fn count(facts: &Facts<'_>, after: u64, upto: u64) -> Count {
    Count::of(between(facts, after, upto).map(|fact| &fact.line))
}

/// Each range of a reader begins where the one before ended, ends with a fact, and counts what the log has.
fn acknowledged(facts: &Facts<'_>, list: &Blacklist) -> Vec<Finding> {
    let (mut found, mut ends) = (Vec::new(), BTreeMap::<&str, u64>::new());
    for it in &list.acknowledged {
        let end = ends.entry(&it.reader).or_default();
        let is_next = it.after == *end && it.after < it.upto && facts.contains_key(&it.upto);
        if !is_next || it.count != count(facts, it.after, it.upto) {
            found.push(Finding::Misacknowledged { upto: it.upto });
        }
        *end = it.upto;
    }
    found
}

/// What is taken counts what the log has. What is refused does not, or does not begin where the reader's last range
/// ended: a command that was given up may have moved that on, and nothing moves it back.
fn is_right(facts: &Facts<'_>, ends: &BTreeSet<u64>, claim: &Claim) -> bool {
    let Claim { after, upto, digest, refused } = claim;
    let is_held = *digest == count(facts, *after, *upto).digest;
    let Some(Refused { reason, acknowledged }) = refused else {
        return is_held && ends.contains(upto);
    };
    match reason.as_str() {
        "CREDIT_ERROR_REASON_DIGEST_DIFFERS" => !is_held,
        "CREDIT_ERROR_REASON_NOT_NEXT_RANGE" => {
            acknowledged.is_some_and(|it| it > *after && ends.contains(&it))
        }
        _ => false,
    }
}

/// An answer knows the log up to some place, and counts all that stands in the range up to there.
fn is_counted(facts: &Facts<'_>, answer: &Reconciled) -> bool {
    let Reconciled { asked, fresh_as, range: (after, upto), count: said, known_at } = answer;
    let is_asked = match asked {
        Compared::Range(from, to) => (from, to) == (after, upto),
        Compared::Day(day) => {
            let known = || facts.range(..=known_at).map(|(_, fact)| *fact);
            let before = known().rfind(|fact| fact.recorded_on < *day);
            let of_day = known().rfind(|fact| fact.recorded_on == *day);
            let begins = before.map_or(0, |fact| fact.line.position);
            let ends = of_day.map_or(begins, |fact| fact.line.position);
            (begins, ends) == (*after, *upto)
        }
    };
    is_asked && known_at >= fresh_as && *said == count(facts, *after, *upto.min(known_at))
}

/// Exactly the removals above what is acknowledged, up to a place.
fn removals(facts: &Facts<'_>, open: &Open, upto: u64) -> Vec<Finding> {
    let is_removal = |fact: &&Fact| matches!(fact.change, Change::Removed(_));
    let due = between(facts, open.after, upto).filter(is_removal);
    let due: BTreeSet<(u64, &str)> =
        due.map(|fact| (fact.line.position, fact.subject.as_str())).collect();
    let shown: BTreeSet<(u64, &str)> =
        open.removals.iter().map(|(position, subject)| (*position, subject.as_str())).collect();
    due.symmetric_difference(&shown)
        .map(|&(position, subject)| Finding::Misstated {
            reader: Reader::Open,
            subject: subject.to_owned(),
            position: Some(position),
        })
        .collect()
}
