use std::sync::Arc;

use jiff::civil::Date;
use onenet_chassis::Refusal;
use onenet_proto::Delivery;
use uuid::Uuid;

use crate::feed::{FeedEvent, Filter, Snapshot, corrections::Correction, reached::Reached};

#[cfg(test)]
mod tests;

/// An event on its way to the subscriber.
pub(super) enum Passing<'a> {
    Whole(&'a FeedEvent),
    /// A correction that no grant lets pass today.
    Reduced(&'a FeedEvent, &'a Correction),
}

impl Passing<'_> {
    pub(super) fn delivery(&self, sequence: u64) -> Delivery {
        match self {
            Self::Whole(event) => event.delivery(sequence),
            Self::Reduced(_, Correction { reduced, .. }) => {
                Delivery { sequence, encoded: reduced.clone(), event: None }
            }
        }
    }

    pub(super) fn event(&self) -> &FeedEvent {
        let (Self::Whole(event) | Self::Reduced(event, _)) = self;
        event
    }
}

/// What is asked to judge what passes to a subscriber.
pub(super) struct Judge<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) today: Date,
    pub(super) filter: &'a Filter,
    pub(super) reached: Reached<'a>,
}

impl Judge<'_> {
    /// What of a page the subscriber may and wants to have. A correction goes to everyone to whom what it
    /// corrects was delivered, whatever grant or filter holds today; what is on its way counts as delivered.
    ///
    /// The database is asked for the whole page together, so that it is asked as often for a page full of
    /// corrections as for one.
    pub(super) async fn passing<'p>(
        &self,
        page: &[&'p Arc<FeedEvent>],
    ) -> Result<Vec<Passing<'p>>, Refusal> {
        let judged: Vec<(&FeedEvent, bool, bool)> =
            page.iter().map(|event| self.judged(event)).collect();
        let held_back = judged.iter().filter(|(.., passes)| !passes);
        let corrections = held_back.filter_map(|(event, ..)| event.correction.as_ref());
        let corrected: Vec<Uuid> = corrections.flat_map(|it| &it.corrects).copied().collect();
        if corrected.is_empty() {
            let passing = judged.into_iter().filter(|(.., passes)| *passes);
            return Ok(passing.map(|(event, ..)| Passing::Whole(event)).collect());
        }
        let mut heard = self.reached.among(&corrected).await?;
        let mut passing = Vec::new();
        for (event, may, passes) in judged {
            let is_heard = |it: &&Correction| it.corrects.iter().any(|id| heard.contains(id));
            passing.push(match event.correction.as_ref().filter(is_heard) {
                Some(correction) if !may => Passing::Reduced(event, correction),
                None if !passes => continue,
                _ => Passing::Whole(event),
            });
            heard.insert(event.id);
        }
        Ok(passing)
    }

    /// Whether grants let it pass, and whether they and the filter do.
    fn judged<'p>(&self, event: &'p FeedEvent) -> (&'p FeedEvent, bool, bool) {
        let may = self.snapshot.may_receive(self.reached.subscriber, event, self.today);
        (event, may, may && self.filter.passes(event))
    }
}
