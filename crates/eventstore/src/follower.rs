use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use onenet_kernel::Recorded;
use sqlx::{Acquire as _, PgConnection};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use crate::{
    behind::Behind,
    checkpoint::{Checkpoint, Checkpoints, Claim},
    db::{Db, DbError},
    fresh::remember_streams,
    handler::{HandleError, Handler, HandlingSpan},
    lease::{RENEW_EVERY, new_owner},
    meters::observe_lag,
    parked::{self, ParkedState},
    progress::Progress,
    source::{Delivery, Source, SourceError},
};

/// Pause after a failure that may pass.
const PAUSE: Duration = Duration::from_millis(500);
/// How often is looked for parked events whose time has come: seldom, since under load a round has few
/// events and mostly none is parked.
const RETRY_EVERY: Duration = Duration::from_millis(250);
/// Parked events tried again per look, so that new ones are not kept waiting.
const RETRIES_AT_ONCE: usize = 100;

/// Why a follower stopped for good.
#[derive(Debug, thiserror::Error)]
pub enum FollowerError {
    /// Its source contradicts its checkpoint.
    #[error("follower {follower} stops: going on could lose or repeat events")]
    Broken {
        /// Its name.
        follower: &'static str,
        /// What is contradicted.
        #[source]
        source: SourceError,
    },
}

/// Reads a source in order and hands each event to a handler, exactly once as far as rows in the
/// database go: the checkpoint commits with them, and moves by compare-and-set.
pub struct Follower<S, H> {
    db: Db,
    source: S,
    handler: H,
    owner: Uuid,
    claims: BTreeMap<i32, Claim>,
    span: HandlingSpan,
    behind: Arc<Behind>,
    progress: Arc<Progress>,
}

enum Failure {
    /// The handler asks for care: the batch is done again, one savepoint per event.
    Event,
    /// Another process has taken the partition over.
    Overtaken,
    Passing(Box<dyn std::error::Error + Send + Sync>),
    Broken(SourceError),
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Passing(Box::new(error))
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Passing { .. } => Self::Passing(Box::new(error)),
            SourceError::Broken(_) => Self::Broken(error),
        }
    }
}

impl<S: Source, H: Handler> Follower<S, H> {
    /// Keeps its checkpoints in the schema of `db`.
    pub fn new(db: Db, source: S, handler: H) -> Self {
        let (owner, claims) = (new_owner(), BTreeMap::new());
        let (behind, progress) = (Arc::default(), Arc::default());
        Self { db, source, handler, owner, claims, span: |_, _| Span::none(), behind, progress }
    }

    /// Handles each event in a span of its own.
    #[must_use]
    pub fn in_span(self, span: HandlingSpan) -> Self {
        Self { span, ..self }
    }

    /// Follows until `stop`; failures that may pass are logged and tried again.
    pub async fn run(self, stop: CancellationToken) -> Result<(), FollowerError> {
        let (behind, backlog) = (Arc::clone(&self.behind), self.source.backlog());
        let labels = [("context", self.db.schema()), ("follower", self.handler.name())];
        observe_lag(&behind, "onenet.follower", &labels);
        tokio::select! {
            outcome = self.follow(stop) => outcome,
            never = behind.keep_counting(&backlog) => match never {},
        }
    }

    async fn follow(mut self, stop: CancellationToken) -> Result<(), FollowerError> {
        let (name, db) = (self.handler.name(), self.db.clone());
        let progress = Arc::clone(&self.progress);
        let (mut renew_at, mut retry_at) = (Instant::now(), Instant::now());
        while !stop.is_cancelled() {
            let round = async {
                if Instant::now() >= renew_at {
                    self.claim().await?;
                    renew_at = Instant::now() + RENEW_EVERY;
                }
                if Instant::now() >= retry_at {
                    progress.of(&db, self.retry_parked()).await?;
                    retry_at = Instant::now() + RETRY_EVERY;
                }
                let polled = stop.run_until_cancelled(self.source.poll()).await;
                let deliveries = polled.transpose()?.unwrap_or_default();
                self.has_read(&deliveries);
                progress.of(&db, self.handle(&deliveries)).await
            };
            match round.await {
                Ok(()) => {}
                Err(Failure::Broken(source)) => {
                    self.release().await;
                    return Err(FollowerError::Broken { follower: name, source });
                }
                Err(failure) => {
                    if let Failure::Passing(error) = &failure {
                        self.behind.fails();
                        tracing::warn!(error = &**error, follower = name, "tried again");
                    }
                    // what was polled and not committed is read again from the checkpoints
                    self.claims.clear();
                    renew_at = Instant::now();
                    stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
                }
            }
        }
        self.release().await;
        Ok(())
    }

    fn checkpoints(&self) -> Checkpoints<'_> {
        let follower = self.handler.name();
        Checkpoints { follower, source: self.source.name(), owner: self.owner }
    }

    /// Renews what is held, takes what is free, and tells the source if that changed anything.
    async fn claim(&mut self) -> Result<(), Failure> {
        let mut claims = BTreeMap::new();
        for partition in self.source.partitions().await? {
            if let Some(claim) = self.checkpoints().claim(&self.db, partition).await? {
                claims.insert(partition, claim);
            }
        }
        let changed = claims.len() != self.claims.len()
            || claims.iter().any(|(partition, new)| {
                self.claims.get(partition).is_none_or(|old| old.epoch != new.epoch)
            });
        self.claims = claims;
        if changed {
            let assigned: Vec<(i32, Checkpoint)> =
                self.claims.iter().map(|(partition, claim)| (*partition, claim.at)).collect();
            self.source.assign(&assigned).await?;
        }
        self.stands();
        Ok(())
    }

    /// Tells where it stands.
    fn stands(&self) {
        let places = self.claims.iter();
        self.behind.stands_at(places.map(|(partition, claim)| (*partition, claim.at.next_offset)));
    }

    /// Tells what it has before it.
    fn has_read(&self, deliveries: &[Delivery]) {
        match deliveries.iter().map(|delivery| delivery.event.recorded_at).min() {
            Some(oldest) => self.behind.waits(oldest, deliveries.len()),
            None => self.behind.caught_up(),
        }
    }

    async fn handle(&mut self, deliveries: &[Delivery]) -> Result<(), Failure> {
        if deliveries.is_empty() {
            return Ok(());
        }
        match self.commit(deliveries, false).await {
            Err(Failure::Event) => self.commit(deliveries, true).await,
            outcome => outcome,
        }
    }

    /// Handles a batch and moves the checkpoints in one transaction. Quick: the first event that
    /// fails undoes the batch. Careful: a savepoint per event, and those that fail are parked.
    async fn commit(&mut self, deliveries: &[Delivery], careful: bool) -> Result<(), Failure> {
        let begin = DbError::while_("beginning a follower's transaction");
        let mut connection = self.db.reader().await?;
        let mut tx = connection.begin().await.map_err(begin)?;
        let mut parked: HashSet<String> =
            parked::keys(&mut tx, self.handler.name()).await?.into_iter().collect();
        let mut moved: BTreeMap<i32, Checkpoint> = BTreeMap::new();
        let mut together = Vec::new();
        for delivery in deliveries {
            let Some(claim) = self.claims.get(&delivery.partition) else {
                return Err(Failure::Overtaken);
            };
            let at = moved.entry(delivery.partition).or_insert(claim.at);
            at.next_offset = delivery.next_offset;
            if is_repetition(at, &delivery.event)? {
                continue;
            }
            at.last = Some(delivery.event.position);
            let is_parked = parked.contains(&delivery.event.key.subject);
            if H::WHOLE_BATCHES && !careful && !is_parked {
                together.push(&delivery.event);
            } else {
                self.handle_one(&mut tx, &delivery.event, &mut parked, careful).await?;
            }
        }
        self.handle_together(&mut tx, &together).await?;
        if self.source.crosses() {
            remember_streams(&mut tx, self.handler.name(), deliveries).await?;
        }
        for (partition, to) in &moved {
            let Some(claim) = self.claims.get(partition) else {
                return Err(Failure::Overtaken);
            };
            if !self.checkpoints().advance(&mut tx, *partition, claim, to).await? {
                return Err(Failure::Overtaken);
            }
        }
        tx.commit().await.map_err(DbError::while_("committing a follower's transaction"))?;
        for (partition, to) in moved {
            if let Some(claim) = self.claims.get_mut(&partition) {
                claim.at = to;
            }
        }
        self.stands();
        Ok(())
    }

    async fn handle_together(
        &self,
        tx: &mut PgConnection,
        events: &[&Recorded],
    ) -> Result<(), Failure> {
        if events.is_empty() {
            return Ok(());
        }
        let spans: Vec<Span> =
            events.iter().map(|event| (self.span)(self.handler.name(), event)).collect();
        self.progress.made();
        let outcome = self.handler.handle_all(tx, events).await;
        drop(spans);
        quick(outcome)
    }

    async fn handle_one(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        parked: &mut HashSet<String>,
        careful: bool,
    ) -> Result<(), Failure> {
        let name = self.handler.name();
        if parked.contains(&event.key.subject) {
            let reason = "behind another of its key";
            return Ok(parked::park(tx, name, ParkedState::Queued, reason, event).await?);
        }
        let Some((state, reason)) = self.attempt(tx, event, careful).await? else {
            return Ok(());
        };
        tracing::warn!(follower = name, %event.event_id, state = state.as_str(), reason, "parked");
        parked.insert(event.key.subject.clone());
        Ok(parked::park(tx, name, state, &reason, event).await?)
    }

    /// Answers why the event has to be parked, if it has; its own changes are undone then.
    async fn attempt(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        careful: bool,
    ) -> Result<Option<(ParkedState, String)>, Failure> {
        let span = (self.span)(self.handler.name(), event);
        self.progress.made();
        if !careful {
            let outcome = self.handler.handle(tx, event).instrument(span).await;
            return quick(outcome).map(|()| None);
        }
        let mut savepoint = tx.begin().await.map_err(DbError::while_("setting a savepoint"))?;
        let parked = match self.handler.handle(&mut savepoint, event).instrument(span).await {
            Ok(()) => {
                savepoint.commit().await.map_err(DbError::while_("releasing a savepoint"))?;
                return Ok(None);
            }
            Err(HandleError::Refused(reason)) => {
                savepoint.rollback().await.map_err(DbError::while_("returning to a savepoint"))?;
                record_refusal(tx, self.handler.name(), event, &reason).await?;
                return Ok(None);
            }
            Err(HandleError::NotYet(reason)) => (ParkedState::Waiting, reason),
            Err(HandleError::Poison(reason)) => (ParkedState::Poisoned, reason),
            Err(HandleError::Fault(error)) => return Err(Failure::Passing(error)),
        };
        savepoint.rollback().await.map_err(DbError::while_("returning to a savepoint"))?;
        Ok(Some(parked))
    }

    /// Tries parked events whose time has come, the first of each key.
    async fn retry_parked(&mut self) -> Result<(), Failure> {
        if self.claims.is_empty() {
            return Ok(());
        }
        for _ in 0..RETRIES_AT_ONCE {
            let begin = DbError::while_("beginning a retry");
            let mut connection = self.db.reader().await?;
            let mut tx = connection.begin().await.map_err(begin)?;
            let Some(entry) = parked::next_due(&mut tx, self.handler.name()).await? else {
                return Ok(());
            };
            match self.attempt(&mut tx, &entry.event, true).await? {
                None => parked::remove(&mut tx, &entry).await?,
                Some((state, reason)) => parked::keep(&mut tx, &entry, state, &reason).await?,
            }
            tx.commit().await.map_err(DbError::while_("committing a retry"))?;
        }
        Ok(())
    }

    async fn release(&self) {
        if let Err(error) = self.checkpoints().release(&self.db).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "checkpoints not returned");
        }
    }
}

/// Whatever is wrong with an event of a batch is found out with care.
fn quick(outcome: Result<(), HandleError>) -> Result<(), Failure> {
    match outcome {
        Ok(()) => Ok(()),
        Err(HandleError::Fault(error)) => Err(Failure::Passing(error)),
        Err(_) => Err(Failure::Event),
    }
}

async fn record_refusal(
    tx: &mut PgConnection,
    follower: &str,
    event: &Recorded,
    reason: &str,
) -> Result<(), DbError> {
    tracing::info!(follower, %event.event_id, reason, "refused");
    sqlx::query(
        "insert into refusals (follower, event_id, event_type, subject, reason)
         values ($1, $2, $3, $4, $5) on conflict do nothing",
    )
    .bind(follower)
    .bind(event.event_id)
    .bind(&event.event_type)
    .bind(&event.key.subject)
    .bind(reason)
    .execute(tx)
    .await
    .map(drop)
    .map_err(DbError::while_("recording a refusal"))
}

/// Whether the checkpoint has the event behind it. An epoch begins above all that the log holds then, so
/// a later one goes on with higher numbers. Anything else is another history, and not for a follower to
/// judge.
fn is_repetition(at: &Checkpoint, event: &Recorded) -> Result<bool, Failure> {
    let (Some(last), next) = (at.last, event.position) else {
        return Ok(false);
    };
    let is_behind = next.number <= last.number;
    let goes_on = if is_behind { next.epoch <= last.epoch } else { next.epoch >= last.epoch };
    if last.log_id != next.log_id || !goes_on {
        return Err(Failure::Broken(SourceError::Broken(format!(
            "the checkpoint stands at {last}, but the next event at {next}: the log was restored \
             or replaced; see docs/runbooks/restoring.md"
        ))));
    }
    Ok(is_behind)
}
