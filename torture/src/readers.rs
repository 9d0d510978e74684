mod feed;
mod list;
mod rest;
mod views;

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, Result, bail};
use onenet_chassis::tools;
use onenet_eventstore::PgLog;
use onenet_kafka::{Cluster, ReadRecord, decode, read_topic};
use onenet_kernel::Recorded;

use crate::{
    blacklist::Blacklist,
    history::Place,
    node::Node,
    rights::Subscription,
    seen::{Agency, Content, Context, Event, Published, Reader, Seen, Sighting},
    subscriber::Inbox,
};

const PAGE: u32 = 1_000;

/// What each reader sees once nothing moves any more. What does not come to rest in time is answered beside it,
/// by name: it may explain what is then found.
pub(crate) async fn read(
    node: &Node,
    inboxes: &BTreeMap<Agency, Arc<Inbox>>,
) -> Result<(Seen, Vec<String>)> {
    let mut late = rest::reactions_and_clocks(node).await?;
    let mut seen = Seen { projected: views::KINDS.map(str::to_owned).to_vec(), ..Seen::default() };
    let mut newest = BTreeMap::new();
    for context in Context::ALL {
        let (log, cluster, topics) = tools(&described(context), node.private.settings()).await?;
        let cluster = cluster.context("a node without Kafka")?;
        if !rest::published(&log, &cluster, &topics).await? {
            late.push(format!("发布未赶上 / the relay of {context} did not catch up with the log"));
        }
        let mut reading = Reading { list: &mut seen.blacklist, types: BTreeMap::new() };
        let (events, last) = reading.whole(&log).await?;
        log.db().close().await;
        newest.extend(last.map(|last| (context, last)));
        let topic = events_of(&cluster, &topics.events()).await?;
        if context == Context::Credit {
            list::topics(&mut seen.blacklist, &cluster, &topics).await?;
        }
        seen.contexts.insert(context, Published { log: events, topic });
    }
    if !rest::fed(node).await? {
        late.push("汇流未赶上 / the feed did not catch up with the logs".to_owned());
    }
    for (&agency, inbox) in inboxes {
        if !rest::silent(inbox).await? {
            late.push(format!("订阅未静止 / no rest: {}", Reader::Subscription(agency)));
        }
        let (delivered, wishes) = inbox.received();
        let grants = Vec::new();
        seen.subscriptions.insert(agency, Subscription { grants, wishes, delivered });
    }
    seen.feed = feed::feed(node).await?;
    seen.projection = views::read_models(node, &newest).await?;
    list::calls(&mut seen.blacklist, node, newest.get(&Context::Credit)).await?;
    Ok((seen, late))
}

/// What a context is to the tools.
fn described(context: Context) -> onenet_chassis::Context {
    match context {
        Context::Enterprise => onenet_enterprise::context(),
        Context::Hazard => onenet_hazard::context(),
        Context::Enforcement => onenet_enforcement::context(),
        Context::Credit => onenet_credit::context(),
        Context::Exchange => onenet_exchange::context(),
    }
}

/// A log that is read from its beginning to its end.
struct Reading<'a> {
    list: &'a mut Blacklist,
    /// Their names are few, their events many.
    types: BTreeMap<String, Arc<str>>,
}

impl Reading<'_> {
    /// Every event, and the last as it was recorded.
    async fn whole(&mut self, log: &PgLog) -> Result<(Vec<Event>, Option<Recorded>)> {
        let (mut events, mut last) = (Vec::new(), None::<Recorded>);
        loop {
            let above = last.as_ref().map_or(0, |last| last.position.number);
            let page = log.read(above, PAGE).await?;
            if page.is_empty() {
                return Ok((events, last));
            }
            for recorded in &page {
                list::note(self.list, recorded)?;
                events.push(self.event(recorded));
            }
            last = page.into_iter().next_back();
        }
    }

    fn event(&mut self, recorded: &Recorded) -> Event {
        let name = &recorded.event_type;
        let new = || Arc::from(name.as_str());
        let event_type = Arc::clone(self.types.entry(name.clone()).or_insert_with(new));
        Event {
            id: recorded.event_id,
            place: place(recorded),
            command: recorded.command_id,
            ordinal: recorded.ordinal,
            led_by: recorded.causation_id,
            event_type,
            content: Content::of(&recorded.payload),
        }
    }
}

fn place(recorded: &Recorded) -> Place {
    Place {
        stream: recorded.stream.to_string(),
        version: recorded.version.0,
        position: recorded.position.number,
    }
}

/// The events of a topic.
async fn events_of(cluster: &Cluster, topic: &str) -> Result<Vec<Sighting>> {
    let records = read_topic(cluster, topic).await?;
    records.into_iter().map(published_event).collect()
}

fn published_event(ReadRecord { headers, value, .. }: ReadRecord) -> Result<Sighting> {
    let Some(value) = value else { bail!("a tombstone on an event topic") };
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let recorded = decode(headers, value)?;
    let place = Some(place(&recorded));
    Ok(Sighting { event: recorded.event_id, place, content: Content::of(&recorded.payload) })
}
