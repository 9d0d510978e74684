use std::{sync::Arc, time::Duration};

use onenet_chassis::{Refusal, trace};
use onenet_kernel::Position;
use onenet_proto::{
    common::v1::ErrorReason,
    exchange::v1::{
        Batch, ExchangeErrorReason as Reason, Progress, SubscribeResponse, Subscribed,
        subscribe_response::Message,
    },
};
use tokio::{
    sync::{broadcast, mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;

use crate::{
    app::certificate_not_registered,
    feed::{
        FeedEvent, Filter, Resume, Snapshot,
        deliveries::Delivered,
        live::{Change, Inner},
        passing::{Judge, Passing},
        reached::Reached,
        tail::Page,
    },
};

/// How often the token moves while nothing matches.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// How long a subscriber may take to read what it was sent, before it is told why the stream ends; shorter
/// than calls may take to drain.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// One live stream of a subscription.
pub(super) struct Stream {
    pub(super) shared: Arc<Inner>,
    pub(super) pages: broadcast::Receiver<Page>,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(super) subscriber: String,
    /// Path of the RPC that opened it.
    pub(super) rpc: String,
    /// SHA-256 of the certificate it came with.
    pub(super) certificate: String,
    /// It is a registered enterprise and receives what is about itself, whatever grants it has.
    pub(super) is_itself: bool,
    /// It was opened without a grant in force, to hear what is corrected of what it was sent.
    pub(super) for_corrections: bool,
    pub(super) at: Resume,
    /// How far the token goes that it was given last.
    pub(super) told: u64,
    /// When it was last looked whether that is far enough.
    pub(super) looked_at: Instant,
    pub(super) filter: Filter,
    pub(super) max_batch: usize,
    pub(super) delivered: Delivered,
    pub(super) messages: mpsc::Sender<Result<SubscribeResponse, Status>>,
    pub(super) changes: mpsc::Receiver<Change>,
    pub(super) taken_over: CancellationToken,
}

/// Why a stream ends.
enum End {
    /// The subscriber is told why.
    Refused(Refusal),
    /// The subscriber has gone.
    Gone,
}

impl<E: Into<Refusal>> From<E> for End {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl Stream {
    /// Until it ends: the last interval of what was delivered is closed then.
    pub(super) async fn run(mut self) {
        let end = self.serve().await;
        if let Err(error) = self.delivered.close(self.at.position).await {
            // the interval stays open and overstates
            tracing::warn!(error = &error as &dyn std::error::Error, "an interval stays open");
        }
        if let Err(End::Refused(refusal)) = end {
            let status = refusal.into_status(&self.rpc, &trace::trace_id());
            // behind what it was sent already; a subscriber that reads nothing is not waited for
            tokio::time::timeout(READ_WITHIN, self.messages.send(Err(status))).await.ok();
        }
    }

    async fn serve(&mut self) -> Result<(), End> {
        let resume_token = self.token()?;
        let subscription_id = self.at.subscription.to_string();
        self.send(Message::Subscribed(Subscribed { subscription_id, resume_token })).await?;
        self.catch_up().await?;
        loop {
            tokio::select! {
                biased;
                () = self.taken_over.cancelled() => return Err(taken_over().into()),
                () = self.shared.stop.cancelled() => return Err(node_stops().into()),
                changed = self.changes.recv() => {
                    let Some(change) = changed else { return Err(End::Gone) };
                    self.change(change).await?;
                }
                Ok(()) = self.snapshots.changed() => self.has_rights()?,
                page = self.pages.recv() => match page {
                    Ok(page) => self.deliver_live(&page).await?,
                    // too far behind for the shared pages: catch up alone
                    Err(broadcast::error::RecvError::Lagged(_)) => self.catch_up().await?,
                    Err(broadcast::error::RecvError::Closed) => return Err(node_stops().into()),
                },
                () = tokio::time::sleep_until(self.looked_at + PROGRESS_EVERY) => {
                    self.tell_progress().await?;
                }
                () = self.messages.closed() => return Err(End::Gone),
            }
        }
    }

    /// Pages alone up to where the shared tail is.
    async fn catch_up(&mut self) -> Result<(), End> {
        let _paging = self.shared.meters.paging();
        while self.at.position < self.shared.tail.head() {
            let page = self.shared.tail.page(self.at.position).await?;
            if page.is_empty() {
                return Ok(());
            }
            self.deliver(&page).await?;
        }
        Ok(())
    }

    async fn deliver_live(&mut self, page: &Page) -> Result<(), End> {
        let first = page.first().map_or(0, |event| event.position);
        if first > self.at.position + 1 {
            self.catch_up().await?;
        }
        self.deliver(page).await
    }

    /// What of a page the subscriber may and wants to have, in messages of its size.
    async fn deliver(&mut self, page: &[Arc<FeedEvent>]) -> Result<(), End> {
        let today = self.shared.door.today();
        let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
        self.check_rights(&snapshot)?;
        let from = self.at.position;
        let new: Vec<&Arc<FeedEvent>> = page.iter().filter(|event| event.position > from).collect();
        let Some(upto) = new.last().map(|event| event.position) else { return Ok(()) };
        let reached = Reached {
            db: &self.shared.db,
            tail: &self.shared.tail,
            subscription: self.at.subscription,
            subscriber: &self.subscriber,
        };
        let judge = Judge { snapshot: &snapshot, today, filter: &self.filter, reached };
        let passing = judge.passing(&new).await?;
        if !passing.is_empty() {
            let grants: Vec<Uuid> =
                snapshot.in_force(&self.subscriber, today).map(|grant| grant.id).collect();
            let above = self.position();
            self.delivered.will_deliver(grants, &self.filter, above, upto).await?;
        }
        for events in passing.chunks(self.max_batch) {
            let deliveries = events
                .iter()
                .map(|event| {
                    self.at.sequence += 1;
                    event.delivery(self.at.sequence)
                })
                .collect();
            self.at.position = events.last().map_or(upto, |it| it.event().position);
            let resume_token = self.token()?;
            self.send(Message::Batch(Batch { deliveries, resume_token })).await?;
            self.count(events);
        }
        self.at.position = upto;
        // also while much is looked at in which nothing matches
        self.tell_progress().await
    }

    /// If it is time, and the subscriber does not hold such a token already.
    async fn tell_progress(&mut self) -> Result<(), End> {
        if self.looked_at.elapsed() < PROGRESS_EVERY {
            return Ok(());
        }
        self.looked_at = Instant::now();
        if self.told != self.at.position {
            let resume_token = self.token()?;
            self.send(Message::Progress(Progress { resume_token })).await?;
        }
        Ok(())
    }

    fn count(&self, sent: &[Passing<'_>]) {
        let count = |is: fn(&Passing<'_>) -> bool| {
            u64::try_from(sent.iter().filter(|it| is(it)).count()).unwrap_or(u64::MAX)
        };
        let whole = count(|it| matches!(it, Passing::Whole(_)));
        let reduced = count(|it| matches!(it, Passing::Reduced(..)));
        self.shared.meters.sent(whole, reduced);
    }

    async fn change(&mut self, Change { filter, changed }: Change) -> Result<(), End> {
        self.filter = filter;
        self.delivered.close(self.at.position).await?;
        changed.send(self.at.sequence).ok();
        Ok(())
    }

    /// An agency that loses its last grant is told so: the stream ends. Resumed after that, what it was sent
    /// can still be corrected. One whose certificate was replaced may be somebody else.
    pub(super) fn has_rights(&self) -> Result<(), Refusal> {
        self.check_rights(&self.snapshots.borrow())
    }

    fn check_rights(&self, snapshot: &Snapshot) -> Result<(), Refusal> {
        if !snapshot.accepts(&self.subscriber, &self.certificate) {
            return Err(certificate_not_registered(&self.certificate));
        }
        let today = self.shared.door.today();
        let has_grant = || snapshot.in_force(&self.subscriber, today).next().is_some();
        if self.is_itself || self.for_corrections || has_grant() {
            return Ok(());
        }
        Err(Refusal::new(Reason::NoGrantInForce, "the agency has no grant in force"))
    }

    async fn send(&self, message: Message) -> Result<(), End> {
        let response = SubscribeResponse { message: Some(message) };
        tokio::select! {
            biased;
            () = self.taken_over.cancelled() => Err(taken_over().into()),
            () = self.shared.stop.cancelled() => Err(node_stops().into()),
            sent = self.messages.send(Ok(response)) => sent.map_err(|_closed| End::Gone),
        }
    }

    fn position(&self) -> Position {
        let Resume { log_id, epoch, position, .. } = self.at;
        Position { log_id, epoch, number: position }
    }

    /// For the message that is sent next.
    fn token(&mut self) -> Result<String, Refusal> {
        self.told = self.at.position;
        let token = self.shared.tokens.seal(&self.subscriber, self.at);
        token.ok_or_else(|| Refusal::internal("the system has no random bytes for a token"))
    }
}

fn taken_over() -> Refusal {
    let message = "another stream of this subscription goes on";
    Refusal::new(Reason::SubscriptionTakenOver, message)
}

fn node_stops() -> Refusal {
    Refusal::new(ErrorReason::Unavailable, "the node stops: resume with the last token")
}
