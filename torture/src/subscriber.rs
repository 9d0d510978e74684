use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use onenet_chassis::day::SystemClock;
use onenet_kernel::{Clock as _, Timestamp};
use onenet_proto::{
    Reason as _,
    exchange::v1::{
        ExchangeErrorReason, Filter, SubscribeRequest, UpdateFilterRequest,
        exchange_service_client::ExchangeServiceClient,
    },
};
use tonic::{Status, transport::Channel};
use tonic_types::StatusExt as _;

use crate::{
    ask::{answered, timed},
    inbox::Inbox,
    rights::{Knock, Scope},
};

/// A stream that says nothing for so long is resumed: there is nothing to say, or nobody there to say it. A page of the
/// feed with many corrections takes a busy node seconds in which it says nothing; who begins it anew never gets on.
const SILENT_WITHIN: Duration = Duration::from_secs(30);
/// Whoever is there answers the beginning of a stream within this.
const SUBSCRIBED_WITHIN: Duration = Duration::from_secs(5);
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// An agency's subscription: where it is kept, and what it may want by turns.
pub(crate) struct Subscriber {
    /// With each of its certificates.
    channels: Vec<Channel>,
    inbox: Arc<Inbox>,
    chance: Rng,
    /// What it wants. With one alone it never changes.
    wishes: Vec<Scope>,
}

impl Subscriber {
    pub(crate) fn new(
        channels: Vec<Channel>,
        inbox: Arc<Inbox>,
        chance: Rng,
        wishes: Vec<Scope>,
    ) -> Self {
        Self { channels, inbox, chance, wishes }
    }

    /// One subscription from its beginning, resumed after each break with the token last kept; until this is
    /// dropped.
    pub(crate) async fn run(mut self) {
        loop {
            if let Err(status) = self.receive().await {
                if refusal(&status) == Some(Refusal::Grant) {
                    self.inbox.refused();
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
        let (certificate, mut judged) =
            (self.inbox.with(|kept| kept.certificate), SystemClock.now());
        let Some(channel) = self.channels.get(certificate) else {
            return Err(Status::unauthenticated("no such certificate"));
        };
        let mut client = ExchangeServiceClient::new(channel.clone());
        let silent = |_| Status::deadline_exceeded("silent");
        let subscribing = tokio::time::timeout(SUBSCRIBED_WITHIN, client.subscribe(request));
        let answer = subscribing.await.map_err(silent)?;
        self.judged(certificate, judged, answer.as_ref().map(drop));
        let mut stream = answer?.into_inner();
        let changing = self.change_filters(may_change && self.wishes.len() > 1);
        tokio::pin!(changing);
        loop {
            let next = tokio::select! {
                next = tokio::time::timeout(SILENT_WITHIN, stream.message()) => next,
                status = &mut changing => return Err(status),
                () = self.inbox.changed.notified() => return Ok(()),
            };
            let next = next.map_err(silent)?;
            if let Err(status) = &next {
                self.judged(certificate, judged, Err(status));
            }
            judged = SystemClock.now();
            let response = next?.ok_or_else(|| Status::unavailable("the node ended the stream"))?;
            if let Some(message) = response.message {
                self.inbox.keep(message, certificate)?;
            }
        }
    }

    /// The node let somebody in with a certificate, or refused it for that, since some time.
    fn judged(&self, certificate: usize, from: Timestamp, answer: Result<(), &Status>) {
        let is_let_in = match answer {
            Ok(()) => true,
            Err(status) if refusal(status) == Some(Refusal::Certificate) => false,
            Err(_) => return,
        };
        self.inbox.knocked(Knock { certificate, from, until: SystemClock.now(), is_let_in });
    }

    /// Another wish now and then while a stream is live; ends with the first change that was not answered.
    fn change_filters(&self, may_change: bool) -> impl Future<Output = Status> + use<> {
        let (channel, inbox, wishes) =
            (self.channels.first().cloned(), Arc::clone(&self.inbox), self.wishes.clone());
        let mut chance = self.chance.clone();
        async move {
            loop {
                let Some(channel) = channel.clone().filter(|_| may_change) else {
                    return std::future::pending().await;
                };
                tokio::time::sleep(Duration::from_millis(chance.u64(500..4_000))).await;
                let wish = chance.choice(&wishes).cloned().unwrap_or_default();
                let subscription_id = inbox.with(|kept| {
                    kept.is_asking = true;
                    kept.wish(&wish, kept.last(), u64::MAX);
                    kept.id.clone()
                });
                let ask = UpdateFilterRequest { subscription_id, filter: filter(wish) };
                let mut client = ExchangeServiceClient::new(channel);
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

/// Why an agency is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Grant,
    Certificate,
}

/// Whether a stream was refused, or ended, for what the agency may do.
pub(crate) fn refusal(status: &Status) -> Option<Refusal> {
    let reason = status.get_error_details().error_info()?.reason.clone();
    let is = |it: ExchangeErrorReason| reason == it.name();
    if is(ExchangeErrorReason::NoGrantInForce) {
        return Some(Refusal::Grant);
    }
    is(ExchangeErrorReason::CertificateNotRegistered).then_some(Refusal::Certificate)
}

fn filter(wish: Scope) -> Option<Filter> {
    let is_all = wish == Scope::default();
    let Scope { event_types, subtree, industries, subject } = wish;
    (!is_all).then_some(Filter { event_types, subtree, industries, subject })
}
