use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use onenet_chassis::timestamp;
use onenet_eventstore::{DbError, PgLog};
use onenet_kernel::{Issuer, Recorded};
use onenet_proto::{
    Delivery,
    cloudevents::v1::{
        CloudEvent,
        cloud_event::{CloudEventAttributeValue as Value, Data, cloud_event_attribute_value::Attr},
    },
};
use prost::{Message as _, bytes::Bytes};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::feed::{Directory, SHARED, corrections::Correction};

/// Events of one read.
const PAGE: u32 = 500;
/// Pages kept for subscribers that are a little behind; who is further behind pages by itself.
const PAGES_KEPT: usize = 64;
/// How long an idle tail waits before it looks by itself.
const SLOW_POLL: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(500);

/// An event of the feed, made ready once for every subscriber.
#[derive(Debug)]
pub struct FeedEvent {
    /// Its place in the feed; never told to anybody.
    pub position: u64,
    /// Its own id.
    pub(crate) id: Uuid,
    /// Full protobuf name.
    pub event_type: String,
    /// What it is about.
    pub subject: String,
    /// Its division and all above it.
    pub chain: Vec<String>,
    /// Its industry; empty where none.
    pub industry: String,
    /// Whether its type leaves the node.
    pub is_shared: bool,
    /// What is sent, as it is on the wire: encoded once, for every subscriber.
    encoded: Bytes,
    /// What it corrects or withdraws.
    pub(crate) correction: Option<Correction>,
}

impl FeedEvent {
    /// From the feed's row: `chain` is its division and all above it, `node` where it came from.
    #[must_use]
    pub fn new(row: Recorded, chain: Vec<String>, node: &str) -> Self {
        // the feed's streams are named `<context>/<origin stream>`
        let context = row.stream.as_str().split('/').next().unwrap_or_default();
        let text = |text: &str| Value { attr: Some(Attr::CeString(text.to_owned())) };
        let time = Value { attr: Some(Attr::CeTimestamp(timestamp(row.occurred_at))) };
        let mut attributes = HashMap::from([
            ("subject".to_owned(), text(&row.key.subject)),
            ("time".to_owned(), time),
            ("datacontenttype".to_owned(), text("application/protobuf")),
            ("division".to_owned(), text(&row.key.division)),
            ("actor".to_owned(), text(&row.actor.organisation)),
        ]);
        for (name, value) in [("industry", &row.key.industry), ("rulesversion", &row.rules_version)]
        {
            if !value.is_empty() {
                attributes.insert(name.to_owned(), text(value));
            }
        }
        let cloud = CloudEvent {
            id: row.command_id.to_string(),
            source: format!("/{node}/{context}"),
            spec_version: "1.0".to_owned(),
            r#type: row.event_type.clone(),
            attributes,
            data: Some(Data::BinaryData(row.payload)),
        };
        Self {
            position: row.position.number,
            // by which the feed knows it as a command
            id: row.command_id,
            is_shared: SHARED.contains(&row.event_type.as_str()),
            event_type: row.event_type,
            subject: row.key.subject,
            chain,
            industry: row.key.industry,
            encoded: cloud.encode_to_vec().into(),
            correction: Correction::of(&cloud),
        }
    }

    /// What a subscriber gets of it.
    #[must_use]
    pub fn delivery(&self, sequence: u64) -> Delivery {
        Delivery { sequence, encoded: self.encoded.clone(), event: None }
    }
}

/// Consecutive events of the feed.
pub(crate) type Page = Arc<[Arc<FeedEvent>]>;

/// Reads the feed's end once for all live subscribers.
#[derive(Clone)]
pub struct Tail {
    feed: PgLog,
    directory: Directory,
    pages: broadcast::Sender<Page>,
    head: Arc<watch::Sender<Option<u64>>>,
    reads: Arc<AtomicU64>,
    reads_alone: Arc<AtomicU64>,
}

impl Tail {
    /// At the feed's present end once it [runs](Self::run).
    #[must_use]
    pub fn new(feed: PgLog, directory: Directory) -> Self {
        let (pages, _) = broadcast::channel(PAGES_KEPT);
        let head = Arc::new(watch::Sender::new(None));
        let (reads, reads_alone) = (Arc::default(), Arc::default());
        Self { feed, directory, pages, head, reads, reads_alone }
    }

    /// Reads of the feed so far: those that all share, which grow with the events and not with the
    /// subscribers, and those of subscribers that were behind.
    #[must_use]
    pub fn reads(&self) -> (u64, u64) {
        (self.reads.load(Ordering::Relaxed), self.reads_alone.load(Ordering::Relaxed))
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    pub(crate) fn feed(&self) -> &PgLog {
        &self.feed
    }

    /// Pages from now on; what came before is read with [`page`](Self::page), up to
    /// [`head`](Self::head) as it is after this call.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Page> {
        self.pages.subscribe()
    }

    /// Waits until it has begun. Before that, nobody knows up to where to page alone, and what is handed out
    /// then comes after it.
    pub(crate) async fn begun(&self) {
        // the sender lives as long as this does
        self.head.subscribe().wait_for(Option::is_some).await.ok();
    }

    /// The last position handed out; none before it has [begun](Self::begun).
    pub(crate) fn head(&self) -> u64 {
        self.head.borrow().unwrap_or_default()
    }

    /// Reads and hands out until `stop`.
    pub async fn run(&self, stop: &CancellationToken) {
        while let Err(error) = self.begin().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the feed is read later");
            if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                return;
            }
        }
        while !stop.is_cancelled() {
            let above = self.head();
            self.reads.fetch_add(1, Ordering::Relaxed);
            match self.read(above).await {
                Ok(page) if page.is_empty() => {
                    stop.run_until_cancelled(self.feed.grown(above, SLOW_POLL)).await;
                }
                Ok(page) => {
                    let newest = page.last().map_or(above, |event| event.position);
                    // in this order: who subscribes between the two gets the page twice, not never
                    self.head.send_replace(Some(newest));
                    // nobody may be listening
                    self.pages.send(page).ok();
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the feed is read later"
                    );
                    stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
                }
            }
        }
    }

    async fn begin(&self) -> Result<(), DbError> {
        self.directory.read().await?;
        self.head.send_replace(Some(self.feed.head().await?.number));
        Ok(())
    }

    /// Events above a position, in order, for one subscriber that is behind; empty at the end.
    pub(crate) async fn page(&self, above: u64) -> Result<Page, DbError> {
        self.reads_alone.fetch_add(1, Ordering::Relaxed);
        self.read(above).await
    }

    /// Events by their own ids, in order.
    pub(crate) async fn events(&self, ids: &[Uuid]) -> Result<Page, DbError> {
        self.made_ready(self.feed.of_commands(&Issuer::feed(), ids).await?).await
    }

    async fn read(&self, above: u64) -> Result<Page, DbError> {
        self.made_ready(self.feed.read(above, PAGE).await?).await
    }

    async fn made_ready(&self, rows: Vec<Recorded>) -> Result<Page, DbError> {
        let mut snapshot = self.directory.snapshot();
        if rows.iter().any(|row| snapshot.chain(&row.key.division).is_none()) {
            // the feed takes an event only once the register knows its division: read again
            self.directory.read().await?;
            snapshot = self.directory.snapshot();
        }
        let node =
            rows.first().and_then(|row| row.origin.as_ref()).map(|origin| origin.node.clone());
        let node = node.unwrap_or_default();
        let events = rows.into_iter().map(|row| {
            let chain = snapshot.chain(&row.key.division);
            Arc::new(FeedEvent::new(row, chain.unwrap_or_default(), &node))
        });
        Ok(events.collect())
    }
}
