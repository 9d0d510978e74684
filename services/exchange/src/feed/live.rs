use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use onenet_chassis::{Call, Door, Host, Refusal};
use onenet_eventstore::Db;
use onenet_kernel::Position;
use onenet_proto::{
    common::v1::ErrorReason,
    exchange::v1::{ExchangeErrorReason as Reason, SubscribeResponse},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;

use crate::feed::{
    Filter, Resume, Tail, Tokens,
    deliveries::Delivered,
    meters::{self, Meters},
    subscription::Stream,
};

/// Events of one message where the subscriber does not say, and at most.
const DEFAULT_BATCH: u32 = 1_000;
const LARGEST_BATCH: u32 = 5_000;
/// Messages that may wait for a subscriber; while more do, only its own stream waits.
const MESSAGES_WAITING: usize = 4;

/// What a subscriber asks for.
pub struct Wanted {
    /// Where to go on; none begins a new subscription.
    pub resume_token: Option<String>,
    /// What of all it may receive.
    pub filter: Filter,
    /// Most events of one message; 0 leaves it to the server.
    pub max_batch: u32,
}

/// The filter of a live stream is to change; answers the sequence after which it did.
pub(super) struct Change {
    pub(super) filter: Filter,
    pub(super) changed: oneshot::Sender<u64>,
}

/// The live streams of this process.
#[derive(Clone)]
pub struct Subscriptions {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) door: Door,
    pub(super) tail: Tail,
    pub(super) tokens: Tokens,
    pub(super) stop: CancellationToken,
    pub(super) db: Db,
    pub(super) meters: Arc<Meters>,
    live: Mutex<HashMap<Uuid, Live>>,
}

struct Live {
    subscriber: String,
    taken_over: CancellationToken,
    changes: mpsc::Sender<Change>,
}

impl Subscriptions {
    /// None yet.
    #[must_use]
    pub fn new(host: &Host, tail: Tail, tokens: Tokens) -> Self {
        let (door, stop, db) = (host.door.clone(), host.draining.clone(), host.log.db().clone());
        let (meters, live) = (Arc::new(Meters::new()), Mutex::default());
        let inner = Arc::new(Inner { door, tail, tokens, stop, db, meters, live });
        meters::observe(&inner);
        Self { inner }
    }

    /// Begins or resumes; an earlier stream of the same subscription ends.
    pub async fn open(
        &self,
        call: &Call,
        wanted: Wanted,
    ) -> Result<mpsc::Receiver<Result<SubscribeResponse, Status>>, Refusal> {
        let inner = &self.inner;
        let subscriber = call.uscc().to_string();
        let at = self.start(&subscriber, wanted.resume_token.as_deref()).await?;
        if tokio::time::timeout(call.time_left(), inner.tail.begun()).await.is_err() {
            let message = "the feed cannot be read yet: subscribe again";
            return Err(Refusal::new(ErrorReason::Unavailable, message));
        }
        inner.tail.directory().read().await?;
        let is_itself = inner.door.register().registered(&subscriber).await?.is_some();
        let snapshots = inner.tail.directory().changes();
        let has_grant = {
            let today = inner.door.today();
            snapshots.borrow().in_force(&subscriber, today).next().is_some()
        };
        let delivered =
            Delivered::begin(inner.db.clone(), at.subscription, subscriber.clone()).await?;
        let (messages, stream) = mpsc::channel(MESSAGES_WAITING);
        let (changes, changing) = mpsc::channel(1);
        let taken_over = CancellationToken::new();
        let max_batch = match wanted.max_batch {
            0 => DEFAULT_BATCH,
            most => most.min(LARGEST_BATCH),
        };
        let going = Stream {
            shared: Arc::clone(inner),
            pages: inner.tail.subscribe(),
            snapshots,
            subscriber: subscriber.clone(),
            rpc: call.rpc.clone(),
            certificate: hex::encode(call.caller.certificate_sha256),
            is_itself,
            for_corrections: !has_grant && at.sequence > 0,
            at,
            told: at.position,
            looked_at: Instant::now(),
            filter: wanted.filter,
            max_batch: usize::try_from(max_batch).unwrap_or(usize::MAX),
            delivered,
            messages,
            changes: changing,
            taken_over: taken_over.clone(),
        };
        going.has_rights()?;
        let entry = Live { subscriber, taken_over: taken_over.clone(), changes };
        if let Some(earlier) = self.live().insert(at.subscription, entry) {
            earlier.taken_over.cancel();
        }
        let this = self.clone();
        tokio::spawn(async move {
            going.run().await;
            let mut live = this.live();
            // a stream that was taken over leaves its successor's entry alone
            if !taken_over.is_cancelled() {
                live.remove(&at.subscription);
            }
        });
        Ok(stream)
    }

    async fn start(&self, subscriber: &str, token: Option<&str>) -> Result<Resume, Refusal> {
        let head = self.inner.tail.feed().head().await?;
        let Some(token) = token else {
            let subscription = new_id()?;
            let (log_id, epoch) = (head.log_id, head.epoch);
            return Ok(Resume { subscription, log_id, epoch, position: 0, sequence: 0 });
        };
        let invalid = |message| Refusal::field(Reason::ResumeTokenInvalid, "resume_token", message);
        let resume = self.inner.tokens.open(subscriber, token);
        let resume = resume.ok_or_else(|| invalid("was not given to this caller by this node"))?;
        let Resume { log_id, epoch, position: number, .. } = resume;
        // a token from before a restore is good as far as the feed was not set back behind it
        if self.inner.tail.feed().holds(Position { log_id, epoch, number }).await? {
            return Ok(Resume { epoch: head.epoch, ..resume });
        }
        Err(invalid(
            "covers events that this node lost in a restore and gave other places: resume with an \
             earlier token, or begin anew; an event that comes twice has the same id",
        ))
    }

    /// Puts another filter in place of a live stream's; answers the sequence after which it holds.
    pub async fn update_filter(
        &self,
        call: &Call,
        subscription: Uuid,
        filter: Filter,
    ) -> Result<u64, Refusal> {
        let not_live =
            || Refusal::new(Reason::SubscriptionNotLive, "no live subscription has this id");
        let changes = self
            .live()
            .get(&subscription)
            .filter(|live| live.subscriber == call.uscc().as_str())
            .map(|live| live.changes.clone())
            .ok_or_else(not_live)?;
        let (answer, after) = oneshot::channel();
        let changing = async {
            changes.send(Change { filter, changed: answer }).await.ok();
            after.await
        };
        match tokio::time::timeout(call.time_left(), changing).await {
            Ok(Ok(sequence)) => Ok(sequence),
            Ok(Err(_)) => Err(not_live()),
            Err(_) => {
                let message = "the stream waits for its subscriber; the filter may still change";
                Err(Refusal::new(ErrorReason::CommandExpired, message))
            }
        }
    }

    fn live(&self) -> MutexGuard<'_, HashMap<Uuid, Live>> {
        self.inner.live()
    }
}

impl Inner {
    fn live(&self) -> MutexGuard<'_, HashMap<Uuid, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many streams there are.
    pub(super) fn live_streams(&self) -> u64 {
        u64::try_from(self.live().len()).unwrap_or(u64::MAX)
    }
}

fn new_id() -> Result<Uuid, Refusal> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_unspecified| {
        Refusal::internal("the system has no random bytes for a subscription's id")
    })?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}
