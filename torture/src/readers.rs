mod feed;
pub(crate) mod list;
mod rest;
pub(crate) mod topic;
mod views;

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, Result};
use onenet_chassis::tools;
use onenet_eventstore::PgLog;
use onenet_kernel::Recorded;
use tokio::task::JoinSet;

pub(crate) use self::rest::Growth;
use crate::{
    blacklist::Blacklist,
    history::Place,
    inbox::Inboxes,
    names::Names,
    node::Node,
    seen::{About, Content, Context, Event, Published, Reader, Seen},
};

const PAGE: u32 = 1_000;

/// What each reader sees once nothing moves any more. What does not come to rest in time is answered beside it,
/// by name: it may explain what is then found.
pub(crate) async fn read(
    node: &Node,
    inboxes: &Inboxes,
    names: &Arc<Names>,
    growth: &mut Growth,
) -> Result<(Seen, Vec<String>)> {
    let mut late = rest::reactions_and_clocks(node).await?;
    late.extend(rest::fed(node, inboxes, growth).await?);
    let mut seen = Seen { projected: views::KINDS.map(str::to_owned).to_vec(), ..Seen::default() };
    let (mut newest, mut topics_read) = (BTreeMap::new(), JoinSet::new());
    for context in Context::ALL {
        let (log, cluster, topics) = tools(&described(context), node.private.settings()).await?;
        let cluster = cluster.context("a node without Kafka")?;
        if !rest::published(&log, &cluster, &topics).await? {
            late.push(format!("发布未赶上 / the relay of {context} did not catch up with the log"));
        }
        if context == Context::Credit {
            seen.blacklist.rested = log.db().now().await?;
        }
        let mut reading = Reading { list: &mut seen.blacklist, names };
        let (events, last) = reading.whole(&log).await?;
        log.db().close().await;
        newest.extend(last.map(|last| (context, last)));
        // side by side: each is waited for until it says nothing more
        let mut read = |reader, topic, count| {
            let reading = topic::topic(cluster.clone(), topic, count, Arc::clone(names));
            topics_read.spawn(async move { reading.await.map(|sightings| (reader, sightings)) });
        };
        read(Reader::Topic(context), topics.events(), events.len());
        if context == Context::Credit {
            read(Reader::Listings, topics.beside("listings"), seen.blacklist.facts.len());
            list::records(&mut seen.blacklist, &cluster, &topics).await?;
        }
        seen.contexts.insert(context, Published { log: events, topic: Vec::new() });
    }
    for (&agency, inbox) in inboxes {
        seen.subscriptions.insert(agency, inbox.take());
    }
    seen.feed = feed::feed(node).await?;
    while let Some(read) = topics_read.join_next().await {
        match read?? {
            (Reader::Topic(context), sightings) => {
                seen.contexts.entry(context).or_default().topic = sightings;
            }
            (_, sightings) => seen.blacklist.listings = sightings,
        }
    }
    seen.projection = views::read_models(node, &newest, names).await?;
    list::calls(&mut seen.blacklist, node, newest.get(&Context::Credit), names).await?;
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
    names: &'a Names,
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

    fn event(&self, recorded: &Recorded) -> Event {
        Event {
            id: recorded.event_id,
            place: place(recorded, self.names),
            command: recorded.command_id,
            ordinal: recorded.ordinal,
            led_by: recorded.causation_id,
            event_type: self.names.of(&recorded.event_type),
            about: About {
                subject: self.names.of(&recorded.key.subject),
                division: self.names.of(&recorded.key.division),
                industry: self.names.of(&recorded.key.industry),
            },
            content: Content::of(&recorded.payload),
        }
    }
}

fn place(recorded: &Recorded, names: &Names) -> Place {
    Place {
        stream: names.of(recorded.stream.as_str()),
        version: recorded.version.0,
        position: recorded.position.number,
    }
}
