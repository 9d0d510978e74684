mod page;

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use onenet_eventstore::{Behind, DbError, PgLog, ReadAhead, new_owner, observe_lag, while_leader};
use onenet_kernel::{Corrupt, Position, Recorded};
use tokio_util::sync::CancellationToken;

use self::page::{Next, Page};
use crate::{
    Mapping, Topics,
    checkpoint::{self, Found, Published},
    client::{Cluster, KafkaFault},
    publisher::Publisher,
    read::scan,
};

/// Pages of one transaction at most: small when idle, large when behind, since each costs the same.
const PAGES: usize = 25;
/// How long an idle relay waits before it looks by itself.
const SLOW_POLL: Duration = Duration::from_millis(500);
/// Pause after a failure that may pass.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a relay that is to stop may take to publish what waits.
const LAST_WITHIN: Duration = Duration::from_secs(10);

/// Why a relay stopped for good.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Going on could publish twice or leave a gap: an operator has to decide. Nothing was published
    /// since this relay took over.
    #[error(
        "the relay of {context} stops and has published nothing: {found}. Stop every \
         process of the node and run `onenet recover`: it says what is missing and puts it back; \
         see docs/runbooks/restoring.md"
    )]
    Contradiction {
        /// Whose relay.
        context: String,
        /// What contradicts what.
        found: String,
    },
    /// An event does not say what it makes public. Everything before it is published, nothing after.
    #[error(
        "the relay of {context} stops in front of position {position}: which records that event \
         becomes cannot be said; a program that can read it goes on from there"
    )]
    Unmappable {
        /// Whose relay.
        context: String,
        /// The event's place in the log.
        position: Position,
        /// What is wrong with the event.
        #[source]
        source: Corrupt,
    },
}

/// Publishes a context's log to Kafka, exactly once and in the order of positions.
pub struct Relay {
    /// The log.
    pub log: PgLog,
    /// Where to.
    pub cluster: Cluster,
    /// Under which names; they are there (see [`Topics::ensure`]).
    pub topics: Topics,
    /// As what.
    pub mapping: Mapping,
    /// The span in which an event is published, so that one trace goes on in it.
    pub span: fn(&Recorded) -> tracing::Span,
}

enum Failure {
    Contradiction(String),
    Unmappable(Position, Corrupt),
    /// Another relay has taken over while this one still believed in its lease.
    Fenced(KafkaFault),
    Passing(Box<dyn std::error::Error + Send + Sync>),
}

impl From<KafkaFault> for Failure {
    fn from(fault: KafkaFault) -> Self {
        Self::Passing(Box::new(fault))
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Passing(Box::new(error))
    }
}

impl From<tokio::task::JoinError> for Failure {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Passing(Box::new(error))
    }
}

impl Relay {
    /// Publishes until `stop`, whenever this process holds the lease, and ends once everything is published
    /// that was appended before `stop`. What cannot be published by then, because Kafka is away, waits in
    /// the log for the next relay.
    pub async fn run(self, stop: CancellationToken) -> Result<(), RelayError> {
        let behind = Arc::new(Behind::default());
        observe_lag(&behind, "onenet.relay", &[("context", &self.topics.context)]);
        tokio::select! {
            outcome = self.lead(&stop, &behind) => outcome,
            never = behind.keep_counting(&self.log) => match never {},
        }
    }

    async fn lead(&self, stop: &CancellationToken, behind: &Behind) -> Result<(), RelayError> {
        let (end, leads, found) =
            (CancellationToken::new(), AtomicBool::new(false), OnceLock::new());
        let leading = while_leader(self.log.db(), "relay", new_owner(), &end, |_, lost| {
            let (end, leads, found) = (&end, &leads, &found);
            async move {
                leads.store(true, Ordering::Release);
                if let Some(error) = self.publish_until(stop, &lost, behind).await {
                    found.set(error).ok();
                    end.cancel();
                }
                leads.store(false, Ordering::Release);
                // whoever holds the lease next tells what waits
                behind.caught_up();
                if stop.is_cancelled() {
                    end.cancel();
                }
            }
        });
        let too_late = async {
            stop.cancelled().await;
            if !leads.load(Ordering::Acquire) {
                end.cancel();
            }
            tokio::time::sleep(LAST_WITHIN).await;
        };
        tokio::select! {
            () = leading => {}
            () = too_late => {
                let context = &self.topics.context;
                tracing::warn!(context, "stopped before everything was published; the next relay goes on");
            }
        }
        found.into_inner().map_or(Ok(()), Err)
    }

    /// One producer after the other, until the lease is lost or nothing waits any more after `stop`;
    /// answers what an operator has to decide.
    async fn publish_until(
        &self,
        stop: &CancellationToken,
        lost: &CancellationToken,
        behind: &Behind,
    ) -> Option<RelayError> {
        while !lost.is_cancelled() {
            match self.publish(stop, lost, behind).await {
                Ok(()) => break,
                Err(Failure::Contradiction(found)) => {
                    let context = self.topics.context.clone();
                    return Some(RelayError::Contradiction { context, found });
                }
                Err(Failure::Unmappable(position, source)) => {
                    let context = self.topics.context.clone();
                    return Some(RelayError::Unmappable { context, position, source });
                }
                Err(Failure::Fenced(error)) => {
                    // opening a producer would fence the rival in turn: the lease decides
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "fenced; the relay gives its lease up");
                    break;
                }
                Err(Failure::Passing(error)) => {
                    behind.fails();
                    tracing::warn!(error = &*error, "the relay starts again");
                    lost.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
                }
            }
        }
        None
    }

    /// One producer's life: from the last committed checkpoint on, until the lease is lost, nothing waits
    /// any more after `stop`, or it fails.
    async fn publish(
        &self,
        stop: &CancellationToken,
        lost: &CancellationToken,
        behind: &Behind,
    ) -> Result<(), Failure> {
        let (cluster, topics, log_id) =
            (self.cluster.clone(), self.topics.clone(), self.log.log_id());
        let opened = tokio::task::spawn_blocking(move || {
            // in this order: only what a predecessor left open being ended, the newest is visible
            let publisher = Publisher::open(&cluster, &topics, log_id)?;
            Ok::<_, KafkaFault>((publisher, checkpoint::read(&cluster, &topics)?))
        });
        let (publisher, found) = opened.await??;
        let publisher = Arc::new(publisher);
        let outcome = match self.agree(found).await {
            Ok(above) => self.tail(&publisher, above, (stop, lost), behind).await,
            Err(failure) => Err(failure),
        };
        // closing a producer blocks
        tokio::task::spawn_blocking(move || drop(publisher)).await?;
        outcome
    }

    async fn tail(
        &self,
        publisher: &Arc<Publisher>,
        mut above: u64,
        (stop, lost): (&CancellationToken, &CancellationToken),
        behind: &Behind,
    ) -> Result<(), Failure> {
        let (mut pages, mut ahead) = (self.pages(), None);
        while !lost.is_cancelled() {
            behind.stands_at([(0, above.cast_signed())]);
            let next = match ahead.take() {
                Some(read) => read?,
                None => self.next(&mut pages, above, stop).await?,
            };
            match next {
                Next::Page(page) => {
                    (above, ahead) =
                        self.transaction(publisher, (page, &mut pages), stop, behind).await?;
                }
                Next::Nothing { is_last: true } => break,
                Next::Nothing { is_last: false } => {
                    behind.caught_up();
                    let grown = stop.run_until_cancelled(self.log.grown(above, SLOW_POLL));
                    lost.run_until_cancelled(grown).await;
                }
            }
        }
        Ok(())
    }

    /// Publishes a page, and those that wait behind it, as one: each is read while the one before it is
    /// sent. Answers how far that reached, and what was read beyond; that a read failed is for the next
    /// transaction to find out.
    async fn transaction(
        &self,
        publisher: &Arc<Publisher>,
        (mut page, pages): (Page, &mut ReadAhead),
        stop: &CancellationToken,
        behind: &Behind,
    ) -> Result<(u64, Option<Result<Next, Failure>>), Failure> {
        on(publisher, Publisher::begin).await?;
        let (mut spans, mut sent) = (Vec::new(), 0);
        loop {
            sent += 1;
            let Page { records, reached, oldest, events, has_more, .. } = page;
            behind.waits(oldest, events);
            spans.append(&mut page.spans);
            let sending = on(publisher, move |publisher| publisher.send(&records));
            let reading = async {
                if has_more {
                    Some(self.next(pages, reached.position.number, stop).await)
                } else {
                    None
                }
            };
            // nothing is answered before it has ended
            let (outcome, read) = tokio::join!(sending, reading);
            outcome?;
            match read {
                Some(Ok(Next::Page(next))) if sent < PAGES => page = next,
                beyond => {
                    on(publisher, move |publisher| publisher.commit(reached)).await?;
                    drop(spans);
                    return Ok((reached.position.number, beyond));
                }
            }
        }
    }

    /// Where publishing goes on, if topic and log agree.
    async fn agree(&self, found: Found) -> Result<u64, Failure> {
        let published = match found {
            Found::Checkpoint(published) => published,
            Found::Unreadable(text) => {
                return Err(Failure::Contradiction(format!("the checkpoint says {text:?}")));
            }
            Found::Nothing => {
                let (cluster, topic) = (self.cluster.clone(), self.topics.events());
                let asked = tokio::task::spawn_blocking(move || holds_records(&cluster, &topic));
                return if asked.await?? {
                    Err(Failure::Contradiction(format!(
                        "there is no checkpoint, but {} holds records",
                        self.topics.events()
                    )))
                } else {
                    Ok(0)
                };
            }
        };
        match published.agrees(&self.log).await? {
            Agreed::Yes => Ok(published.position.number),
            Agreed::Beyond(found) | Agreed::No(found) => Err(Failure::Contradiction(found)),
        }
    }
}

/// Calls the producer, which blocks.
async fn on(
    publisher: &Arc<Publisher>,
    call: impl FnOnce(&Publisher) -> Result<(), KafkaFault> + Send + 'static,
) -> Result<(), Failure> {
    let publisher = Arc::clone(publisher);
    let called = tokio::task::spawn_blocking(move || {
        call(&publisher).map_err(|fault| {
            if publisher.is_fenced() { Failure::Fenced(fault) } else { fault.into() }
        })
    });
    called.await?
}

/// Whether a log has behind it what was published of it.
pub(crate) enum Agreed {
    Yes,
    /// The log ends before it: the log was restored, or is of an earlier epoch.
    Beyond(String),
    /// It is another history.
    No(String),
}

impl Published {
    /// Compares with the log's row at that position: it bears the epoch it was appended in.
    pub(crate) async fn agrees(self, log: &PgLog) -> Result<Agreed, DbError> {
        let (checkpoint, head) = (self.position, log.head().await?);
        let says = |differs: &str| {
            format!("the checkpoint {checkpoint} {differs}; the log stands at {head}")
        };
        if checkpoint.log_id != head.log_id {
            return Ok(Agreed::No(says("is another log's")));
        }
        if checkpoint.number > head.number {
            return Ok(Agreed::Beyond(says("lies beyond the log's end")));
        }
        let row = log.read(checkpoint.number.saturating_sub(1), 1).await?;
        let own = row.first().map(|event: &Recorded| (event.event_id, event.position.epoch));
        Ok(match own {
            Some((event_id, _)) if event_id != self.event_id => Agreed::No(format!(
                "event {} was published at position {}, but the log holds {event_id} there",
                self.event_id, checkpoint.number
            )),
            Some((_, epoch)) if epoch == checkpoint.epoch => Agreed::Yes,
            _ => Agreed::No(says("is of another epoch")),
        })
    }
}

/// Whether anything was ever published on a topic, as far as can be known: where its beginning was cut
/// off, something may have been. What an aborted transaction left does not count: a relay that is
/// killed inside its first one leaves such records and no checkpoint.
fn holds_records(cluster: &Cluster, topic: &str) -> Result<bool, KafkaFault> {
    let mut holds = false;
    let is_whole = scan(cluster, topic, |_| {
        holds = true;
        false
    })?;
    Ok(holds || !is_whole)
}
