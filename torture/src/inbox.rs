use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use onenet_chassis::day::SystemClock;
use onenet_kernel::{Clock as _, Timestamp};
use onenet_proto::{
    cloudevents::v1::{
        CloudEvent,
        cloud_event::{Data, cloud_event_attribute_value::Attr},
    },
    exchange::v1::{Beginning, subscribe_request::Start, subscribe_response::Message},
};
use tokio::sync::Notify;
use tonic::Status;
use uuid::Uuid;

use crate::{
    names::Names,
    rights::{Delivered, Knock, Scope, Subscription, Wish},
    seen::{About, Agency, Content},
};

/// Of each agency.
pub(crate) type Inboxes = BTreeMap<Agency, Arc<Inbox>>;

/// What an agency has received, with the token that covers it.
#[derive(Default)]
pub(crate) struct Inbox {
    kept: Mutex<Kept>,
    names: Arc<Names>,
    /// The certificate has changed, and is to be used at once.
    pub(crate) changed: Notify,
}

#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) id: String,
    token: Option<String>,
    received: Vec<Delivered>,
    pub(crate) wishes: Vec<Wish>,
    /// A change of filter is on its way, and nobody knows how far.
    pub(crate) is_asking: bool,
    pub(crate) breaks: u64,
    /// Which of its certificates the agency comes with.
    pub(crate) certificate: usize,
    knocks: Vec<Knock>,
    /// When it was last told that it has no grant, where nothing was ever sent that could be corrected.
    refused_at: Option<Timestamp>,
}

impl Inbox {
    pub(crate) fn new(names: Arc<Names>) -> Self {
        Self { names, ..Self::default() }
    }

    /// What was received, when nothing more will be.
    pub(crate) fn take(&self) -> Subscription {
        self.with(|kept| Subscription {
            delivered: std::mem::take(&mut kept.received),
            wishes: kept.wishes.clone(),
            knocks: kept.knocks.clone(),
            ..Subscription::default()
        })
    }

    /// How often the stream broke and was resumed.
    pub(crate) fn breaks(&self) -> u64 {
        self.with(|kept| kept.breaks)
    }

    /// The token last kept, and when there was last no grant at all.
    pub(crate) fn stands(&self) -> (Option<String>, Option<Timestamp>) {
        self.with(|kept| (kept.token.clone(), kept.refused_at))
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A batch and its token are kept together, as a subscriber's database would.
    pub(crate) fn keep(&self, message: Message, certificate: usize) -> Result<(), Status> {
        let at = SystemClock.now();
        let (token, new) = match message {
            Message::Subscribed(subscribed) => {
                self.with(|kept| kept.id = subscribed.subscription_id);
                (subscribed.resume_token, Vec::new())
            }
            Message::Progress(progress) => (progress.resume_token, Vec::new()),
            Message::Batch(batch) => {
                let new = batch.deliveries.into_iter().map(|delivery| {
                    let event = delivery.event.unwrap_or_default();
                    delivered((delivery.sequence, at), certificate, event, &self.names)
                });
                (batch.resume_token, new.collect::<Result<Vec<_>, Status>>()?)
            }
        };
        self.with(|kept| {
            kept.token = Some(token);
            kept.received.extend(new);
        });
        Ok(())
    }

    /// Begins or goes on: what comes from here follows the present wish. What was said of deliveries that
    /// never arrived is void. Answers whether the stream may change its filter: not where an earlier change is
    /// still on its way and may reach it, so that either holds until the next resumption.
    pub(crate) fn resume(&self, wish: &Scope) -> (Start, bool) {
        self.with(|kept| {
            let (last, is_asking) = (kept.last(), std::mem::take(&mut kept.is_asking));
            for wish in &mut kept.wishes {
                wish.perhaps_after = wish.perhaps_after.min(last);
                wish.surely_after = wish.surely_after.min(last);
            }
            let is_other = kept.wishes.last().is_none_or(|before| before.scope != *wish);
            if is_other || is_asking {
                kept.wish(wish, last, if is_asking { u64::MAX } else { last });
            }
            let token = kept.token.clone();
            (token.map_or(Start::Beginning(Beginning {}), Start::ResumeToken), !is_asking)
        })
    }

    /// From now on the agency comes with another certificate: at once, or when its stream ends.
    pub(crate) fn come_with(&self, certificate: usize, is_at_once: bool) {
        self.with(|kept| kept.certificate = certificate);
        if is_at_once {
            self.changed.notify_one();
        }
    }

    /// Somebody came with one of its certificates.
    pub(crate) fn knocked(&self, knock: Knock) {
        self.with(|kept| kept.knocks.push(knock));
    }

    /// There is no grant. What was sent before can still be corrected.
    pub(crate) fn refused(&self) {
        self.with(|kept| {
            kept.refused_at = kept.received.is_empty().then(|| SystemClock.now());
        });
    }
}

impl Kept {
    /// The sequence of the last delivery.
    pub(crate) fn last(&self) -> u64 {
        self.received.last().map_or(0, |delivered| delivered.sequence)
    }

    pub(crate) fn wish(&mut self, scope: &Scope, perhaps_after: u64, surely_after: u64) {
        let scope = scope.clone();
        self.wishes.push(Wish { scope, perhaps_after, surely_after });
    }
}

fn delivered(
    (sequence, at): (u64, Timestamp),
    certificate: usize,
    event: CloudEvent,
    names: &Names,
) -> Result<Delivered, Status> {
    let no_event = || Status::data_loss("a delivery that is no event");
    let is_reduced = event.attributes.contains_key("reduced");
    let said = |name: &str| match event.attributes.get(name).and_then(|it| it.attr.as_ref()) {
        Some(Attr::CeString(said)) => names.of(said),
        _ => names.of(""),
    };
    let [subject, division, industry] = ["subject", "division", "industry"].map(said);
    let about = About { subject, division, industry };
    let Some(Data::BinaryData(data)) = event.data else { return Err(no_event()) };
    let event = Uuid::parse_str(&event.id).map_err(|_malformed| no_event())?;
    Ok(Delivered {
        sequence,
        at,
        certificate,
        is_reduced,
        about,
        event,
        content: Content::of(&data),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deliver(inbox: &Inbox, upto: u64) {
        let at = Timestamp::default();
        let (is_reduced, event, content) = (false, Uuid::nil(), Content::of(&[]));
        let new = (1..=upto)
            .map(|sequence| {
                let about = About::default();
                let certificate = 0;
                Delivered { sequence, at, certificate, is_reduced, about, event, content }
            })
            .collect();
        inbox.with(|kept| kept.received = new);
    }

    fn wishes() -> (Inbox, Scope, Scope) {
        let other = Scope { subject: Some("other".to_owned()), ..Scope::default() };
        (Inbox::default(), Scope::default(), other)
    }

    /// Between which sequences each wish begins.
    fn begins(inbox: &Inbox) -> Vec<(u64, u64)> {
        inbox.with(|kept| {
            kept.wishes.iter().map(|wish| (wish.perhaps_after, wish.surely_after)).collect()
        })
    }

    #[test]
    fn a_change_behind_what_arrived_begins_where_the_subscription_is_resumed() {
        let (inbox, all, other) = wishes();
        assert!(inbox.resume(&all).1);
        deliver(&inbox, 5);
        // the node had sent eight, of which three were lost
        inbox.with(|kept| kept.wish(&other, 8, 8));
        assert!(inbox.resume(&other).1);
        assert_eq!(begins(&inbox), [(0, 0), (5, 5)]);
    }

    #[test]
    fn a_change_that_was_not_answered_may_reach_the_next_stream_and_no_further() {
        let (inbox, all, other) = wishes();
        inbox.resume(&all);
        deliver(&inbox, 5);
        inbox.with(|kept| {
            kept.is_asking = true;
            kept.wish(&other, 5, u64::MAX);
        });
        assert!(!inbox.resume(&all).1, "the stream changes nothing");
        assert_eq!(begins(&inbox), [(0, 0), (5, 5), (5, u64::MAX)]);
        deliver(&inbox, 9);
        assert!(inbox.resume(&all).1);
        assert_eq!(begins(&inbox), [(0, 0), (5, 5), (5, 9)]);
    }
}
