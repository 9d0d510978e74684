use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fastrand::Rng;
use onenet_chassis::day::SystemClock;
use onenet_kernel::{Clock as _, Timestamp};
use onenet_proto::{
    Reason as _,
    cloudevents::v1::{CloudEvent, cloud_event::Data},
    exchange::v1::{
        Beginning, ExchangeErrorReason, Filter, SubscribeRequest, UpdateFilterRequest,
        exchange_service_client::ExchangeServiceClient, subscribe_request::Start,
        subscribe_response::Message,
    },
};
use tonic::{Status, transport::Channel};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::{
    ask::{answered, timed},
    rights::{Delivered, Wish},
    seen::Content,
};

/// While anything moves, the node says something every second: after so long it has nothing to say, or is not
/// there any more. Either way the subscription is resumed.
pub(crate) const SILENT_WITHIN: Duration = Duration::from_secs(5);
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// An agency's subscription: where it is kept, and what it may want by turns.
pub(crate) struct Subscriber {
    channel: Channel,
    inbox: Arc<Inbox>,
    chance: Rng,
    /// Types that it wants; none: all. With one alone it never changes.
    wishes: Vec<Vec<String>>,
}

/// What an agency has received, with the token that covers it.
#[derive(Default)]
pub(crate) struct Inbox(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    id: String,
    token: Option<String>,
    received: Vec<Delivered>,
    wishes: Vec<Wish>,
    /// A change of filter is on its way, and nobody knows how far.
    is_asking: bool,
    breaks: u64,
    /// The node had nothing more to send, and said nothing for as long as it may.
    silent_at: Option<Timestamp>,
}

impl Inbox {
    pub(crate) fn received(&self) -> (Vec<Delivered>, Vec<Wish>) {
        self.with(|kept| (kept.received.clone(), kept.wishes.clone()))
    }

    /// How often the stream broke and was resumed.
    pub(crate) fn breaks(&self) -> u64 {
        self.with(|kept| kept.breaks)
    }

    /// When the node last had nothing to say for so long that it has nothing more.
    pub(crate) fn silent_at(&self) -> Option<Timestamp> {
        self.with(|kept| kept.silent_at)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A batch and its token are kept together, as a subscriber's database would.
    fn keep(&self, message: Message) -> Result<(), Status> {
        let at = SystemClock.now();
        let (token, new) = match message {
            Message::Subscribed(subscribed) => {
                self.with(|kept| kept.id = subscribed.subscription_id);
                (subscribed.resume_token, Vec::new())
            }
            Message::Progress(progress) => (progress.resume_token, Vec::new()),
            Message::Batch(batch) => {
                let new = batch.deliveries.into_iter().map(|delivery| {
                    delivered(delivery.sequence, at, delivery.event.unwrap_or_default())
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
    fn resume(&self, wish: &[String]) -> (Start, bool) {
        self.with(|kept| {
            let (last, is_asking) = (kept.last(), std::mem::take(&mut kept.is_asking));
            for wish in &mut kept.wishes {
                wish.perhaps_after = wish.perhaps_after.min(last);
                wish.surely_after = wish.surely_after.min(last);
            }
            let is_other = kept.wishes.last().is_none_or(|before| before.event_types != wish);
            if is_other || is_asking {
                kept.wish(wish, last, if is_asking { u64::MAX } else { last });
            }
            let token = kept.token.clone();
            (token.map_or(Start::Beginning(Beginning {}), Start::ResumeToken), !is_asking)
        })
    }

    fn rest(&self) {
        self.with(|kept| kept.silent_at = Some(SystemClock.now()));
    }
}

impl Kept {
    /// The sequence of the last delivery.
    fn last(&self) -> u64 {
        self.received.last().map_or(0, |delivered| delivered.sequence)
    }

    fn wish(&mut self, event_types: &[String], perhaps_after: u64, surely_after: u64) {
        let event_types = event_types.to_vec();
        self.wishes.push(Wish { event_types, perhaps_after, surely_after });
    }
}

fn delivered(sequence: u64, at: Timestamp, event: CloudEvent) -> Result<Delivered, Status> {
    let no_event = || Status::data_loss("a delivery that is no event");
    let is_reduced = event.attributes.contains_key("reduced");
    let Some(Data::BinaryData(data)) = event.data else { return Err(no_event()) };
    let event = Uuid::parse_str(&event.id).map_err(|_malformed| no_event())?;
    Ok(Delivered { sequence, at, is_reduced, event, content: Content::of(&data) })
}

impl Subscriber {
    pub(crate) fn new(
        channel: Channel,
        inbox: Arc<Inbox>,
        chance: Rng,
        wishes: Vec<Vec<String>>,
    ) -> Self {
        Self { channel, inbox, chance, wishes }
    }

    /// One subscription from its beginning, resumed after each break with the token last kept; until this is
    /// dropped.
    pub(crate) async fn run(mut self) {
        loop {
            if let Err(status) = self.receive().await {
                // who has no grant at all is told nothing more
                let reason = status.get_error_details().error_info().map(|it| it.reason.clone());
                if reason.is_some_and(|it| it == ExchangeErrorReason::NoGrantInForce.name()) {
                    self.inbox.rest();
                }
                let error = &status as &dyn std::error::Error;
                tracing::debug!(error, "the subscription broke");
            }
            self.inbox.with(|kept| kept.breaks += 1);
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    async fn receive(&mut self) -> Result<(), Status> {
        let wish = self.chance.choice(&self.wishes).cloned().unwrap_or_default();
        let (start, may_change) = self.inbox.resume(&wish);
        let request = SubscribeRequest { start: Some(start), filter: filter(wish), max_batch: 50 };
        let mut client = ExchangeServiceClient::new(self.channel.clone());
        let silent = |_| Status::deadline_exceeded("silent");
        let subscribing = tokio::time::timeout(SILENT_WITHIN, client.subscribe(request));
        let mut stream = subscribing.await.map_err(silent)??.into_inner();
        let changing = self.change_filters(may_change && self.wishes.len() > 1);
        tokio::pin!(changing);
        loop {
            let next = tokio::select! {
                next = tokio::time::timeout(SILENT_WITHIN, stream.message()) => next,
                status = &mut changing => return Err(status),
            };
            let Ok(next) = next else {
                self.inbox.rest();
                return Ok(());
            };
            let response = next?.ok_or_else(|| Status::unavailable("the node ended the stream"))?;
            if let Some(message) = response.message {
                self.inbox.keep(message)?;
            }
        }
    }

    /// Another wish now and then while a stream is live; ends with the first change that was not answered.
    fn change_filters(&self, may_change: bool) -> impl Future<Output = Status> + use<> {
        let (channel, inbox, wishes) =
            (self.channel.clone(), Arc::clone(&self.inbox), self.wishes.clone());
        let mut chance = self.chance.clone();
        async move {
            loop {
                if !may_change {
                    return std::future::pending().await;
                }
                tokio::time::sleep(Duration::from_millis(chance.u64(500..4_000))).await;
                let wish = chance.choice(&wishes).cloned().unwrap_or_default();
                let subscription_id = inbox.with(|kept| {
                    kept.is_asking = true;
                    kept.wish(&wish, kept.last(), u64::MAX);
                    kept.id.clone()
                });
                let ask = UpdateFilterRequest { subscription_id, filter: filter(wish) };
                let mut client = ExchangeServiceClient::new(channel.clone());
                match answered(client.update_filter(timed(ask))).await {
                    Err(status) => return status,
                    Ok(answer) => inbox.with(|kept| {
                        kept.is_asking = false;
                        if let Some(wish) = kept.wishes.last_mut() {
                            wish.perhaps_after = answer.after_sequence;
                            wish.surely_after = answer.after_sequence;
                        }
                    }),
                }
            }
        }
    }
}

fn filter(event_types: Vec<String>) -> Option<Filter> {
    (!event_types.is_empty()).then(|| Filter { event_types, ..Filter::default() })
}
