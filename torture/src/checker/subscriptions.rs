//! What a subscription was sent, by what its agency might have and wanted when that was judged.

use std::collections::{BTreeMap, BTreeSet};

use onenet_kernel::Timestamp;
use uuid::Uuid;

use super::{Finding, events::counted};
use crate::{
    About, Event, Reader, Seen,
    rights::{Correction, Delivered, Feed, Subscription},
};

/// One subscription beside all that there was for it.
struct Judge<'a> {
    reader: Reader,
    subscription: &'a Subscription,
    feed: &'a Feed,
    /// Each event of the feed, with its place there.
    events: BTreeMap<Uuid, (usize, &'a Event)>,
    /// What has been delivered so far.
    shown: BTreeSet<Uuid>,
}

/// Everything that one subscription was sent and should not have been, or the other way round.
pub(super) fn subscription(
    reader: Reader,
    seen: &Seen,
    subscription: &Subscription,
) -> Vec<Finding> {
    let known: BTreeMap<Uuid, &Event> = seen.events().map(|event| (event.id, event)).collect();
    let feed = &seen.feed;
    let in_order = feed.events.iter().enumerate();
    let events =
        in_order.filter_map(|(place, it)| Some((it.event, (place, *known.get(&it.event)?))));
    let judge =
        Judge { reader, subscription, feed, events: events.collect(), shown: BTreeSet::new() };
    let mut found = judge.certificates();
    found.extend(judge.run());
    let sequences = subscription.delivered.iter().map(|delivered| delivered.sequence);
    found.extend(counted(reader, sequences));
    found
}

impl Judge<'_> {
    /// Who came with a certificate that was registered was let in and served, and nobody else.
    fn certificates(&self) -> Vec<Finding> {
        let Subscription { delivered, knocks, .. } = self.subscription;
        let served = delivered.iter().filter_map(|it| {
            let (place, _) = self.events.get(&it.event)?;
            Some((true, it.certificate, self.feed.events[*place].at, it.at))
        });
        let came = knocks.iter().map(|it| (it.is_let_in, it.certificate, it.from, it.until));
        let is_wrong = |&(is_let_in, certificate, from, until): &_| {
            !self.subscription.may_be(is_let_in, certificate, from, until)
        };
        let (reader, wrong) = (self.reader, served.chain(came).filter(is_wrong));
        wrong.map(|(_, certificate, ..)| Finding::Mistaken { reader, certificate }).collect()
    }

    fn run(mut self) -> Vec<Finding> {
        let (mut found, mut due) = (Vec::new(), Vec::new());
        let (mut next, mut before) = (0, 0);
        for delivered in &self.subscription.delivered {
            let (reader, event) = (self.reader, delivered.event);
            let Some(&(place, recorded)) = self.events.get(&event) else {
                found.push(Finding::Foreign { reader, event });
                continue;
            };
            if place < next {
                let is_again = self.shown.contains(&event);
                found.push(if is_again {
                    Finding::Doubled { reader, event }
                } else {
                    Finding::Reordered { reader, event }
                });
            } else {
                due.extend(self.due(next..place, before, delivered.at));
                next = place + 1;
                found.extend(self.judge(delivered, recorded, self.feed.events[place].at));
            }
            self.shown.insert(event);
            before = delivered.sequence;
        }
        due.extend(self.due(next..self.feed.events.len(), before, self.feed.ended));
        due.retain(|event| !self.shown.contains(event));
        let reader = self.reader;
        found.extend(due.into_iter().map(|event| Finding::Lost { reader, event }));
        found
    }

    /// What of the events that were passed over should have been delivered, at whatever time they were judged.
    fn due(&self, passed: std::ops::Range<usize>, sequence: u64, until: Timestamp) -> Vec<Uuid> {
        let is_due = |place: usize| {
            let fed = &self.feed.events[place];
            let (_, event) = self.events.get(&fed.event)?;
            let may =
                self.subscription.grants.iter().any(|it| it.surely_opens(event, fed.at, until));
            let wants = self.subscription.wishes_behind(sequence).all(|it| it.scope.holds(event));
            let corrects = self.feed.corrections.get(&fed.event);
            let undoes = corrects.is_some_and(|it| self.undoes_what_was_sent(it));
            ((may && wants) || undoes).then_some(fed.event)
        };
        passed.filter_map(is_due).collect()
    }

    fn judge(&self, delivered: &Delivered, event: &Event, fed_at: Timestamp) -> Option<Finding> {
        let (reader, id) = (self.reader, event.id);
        let Subscription { grants, .. } = self.subscription;
        let at = delivered.at;
        let may = grants.iter().any(|it| it.perhaps_opens(event, fed_at, at));
        let wants = self.subscription.wishes_of(delivered.sequence).any(|it| it.scope.holds(event));
        let correction = self.feed.corrections.get(&id);
        let undoes = correction.is_some_and(|it| self.undoes_what_may_have_been_sent(it));
        let passes = if delivered.is_reduced { undoes } else { may && (wants || undoes) };
        if !passes {
            return Some(Finding::Foreign { reader, event: id });
        }
        let expected = match correction {
            Some(correction) if delivered.is_reduced => (correction.reduced, About::default()),
            _ => (event.content, event.about.clone()),
        };
        let is_less_than_granted =
            delivered.is_reduced && grants.iter().any(|it| it.surely_opens(event, fed_at, at));
        ((delivered.content, delivered.about.clone()) != expected || is_less_than_granted)
            .then_some(Finding::Altered { reader, event: id })
    }

    fn undoes_what_was_sent(&self, correction: &Correction) -> bool {
        correction.corrects.iter().any(|event| self.shown.contains(event))
    }

    /// What was sent and never arrived counts for the node as sent; it can only overstate.
    fn undoes_what_may_have_been_sent(&self, correction: &Correction) -> bool {
        let Subscription { grants, wishes, .. } = self.subscription;
        correction.corrects.iter().filter_map(|id| self.events.get(id)).any(|(_, event)| {
            self.shown.contains(&event.id)
                || (grants.iter().any(|it| it.scope.holds(event))
                    && wishes.iter().any(|it| it.scope.holds(event)))
        })
    }
}
