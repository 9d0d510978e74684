use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, bail};
use onenet_chassis::{receipt_to_wire, testing::uscc, tools};
use onenet_eventstore::PgLog;
use onenet_kafka::{Cluster, ReadRecord, Topics, decode, read_topic, relay_status};
use onenet_kernel::{Receipt, Recorded};
use onenet_proto::{
    common::v1::PageRequest,
    enterprise::v1::{ListEnterprisesRequest, ListEnterprisesResponse},
};

use crate::{
    ask::{Caller, timed},
    history::Place,
    node::Node,
    seen::{Event, Seen, Sighting},
    setup::{COUNTY, GRANTED, patiently},
    subscriber::Inbox,
};

/// What everything may take to come to rest after the last fault.
const AT_REST_WITHIN: Duration = Duration::from_mins(5);
const LOOK_EVERY: Duration = Duration::from_millis(200);
const PAGE: u32 = 1_000;

/// What each reader sees once nothing moves any more. What does not come to rest in time is answered beside it,
/// by name: it may explain what is then found.
pub(crate) async fn read(node: &Node, inbox: &Inbox) -> Result<(Seen, Vec<String>)> {
    let mut late = Vec::new();
    let (log, cluster, topics) =
        tools(&onenet_enterprise::context(), node.private.settings()).await?;
    let cluster = cluster.context("a node without Kafka")?;
    if !published(&log, &cluster, &topics).await? {
        late.push("发布未赶上 / the relay did not catch up with the log".to_owned());
    }
    let recorded = whole(&log).await?;
    log.db().close().await;
    let granted = GRANTED.map(str::to_owned).to_vec();
    let due = recorded.iter().filter(|event| granted.contains(&event.event_type)).count();
    if !until(async || Ok(inbox.is_at_rest(due))).await? {
        late.push("订阅未赶上 / the subscription did not catch up with the log".to_owned());
    }
    let newest = recorded.last().context("an empty log")?;
    let seen = Seen {
        topic: topic(&cluster, &topics).await?,
        subscription: inbox.received(),
        granted,
        projection: read_model(node, newest).await?,
        projected: "enterprise-".to_owned(),
        log: recorded.iter().map(event).collect(),
    };
    Ok((seen, late))
}

/// Waits until the relay has published all of the log; answers whether it has. While Kafka comes back, nobody
/// can tell.
async fn published(log: &PgLog, cluster: &Cluster, topics: &Topics) -> Result<bool> {
    until(async || {
        Ok(relay_status(log, cluster, topics).await.is_ok_and(|status| {
            status.published.is_some_and(|published| published.number >= status.head.number)
        }))
    })
    .await
}

/// Looks until it is so, or the time is over; answers whether it was.
async fn until(mut is_so: impl AsyncFnMut() -> Result<bool>) -> Result<bool> {
    let deadline = tokio::time::Instant::now() + AT_REST_WITHIN;
    while !is_so().await? {
        if tokio::time::Instant::now() >= deadline {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(true)
}

async fn whole(log: &PgLog) -> Result<Vec<Recorded>> {
    let (mut events, mut above) = (Vec::new(), 0);
    loop {
        let page = log.read(above, PAGE).await?;
        let Some(last) = page.last() else { return Ok(events) };
        above = last.position.number;
        events.extend(page);
    }
}

fn event(recorded: &Recorded) -> Event {
    Event {
        id: recorded.event_id,
        place: place(recorded),
        command: recorded.command_id,
        ordinal: recorded.ordinal,
        event_type: recorded.event_type.clone(),
        content: recorded.payload.clone(),
    }
}

fn place(recorded: &Recorded) -> Place {
    Place {
        stream: recorded.stream.to_string(),
        version: recorded.version.0,
        position: recorded.position.number,
    }
}

async fn topic(cluster: &Cluster, topics: &Topics) -> Result<Vec<Sighting>> {
    let records = read_topic(cluster, &topics.events()).await?;
    records.into_iter().map(published_event).collect()
}

fn published_event(ReadRecord { headers, value, .. }: ReadRecord) -> Result<Sighting> {
    let Some(value) = value else { bail!("a tombstone on an event topic") };
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let recorded = decode(headers, value)?;
    let place = Some(place(&recorded));
    Ok(Sighting { event: recorded.event_id, place, content: recorded.payload })
}

/// Every enterprise with its version, as fresh as the end of the log.
async fn read_model(node: &Node, newest: &Recorded) -> Result<BTreeMap<String, u64>> {
    let caller = Caller::new(node.enterprise(&uscc(COUNTY))?);
    let fresh_as = vec![receipt_to_wire(&Receipt {
        stream: newest.stream.clone(),
        version: newest.version,
        position: newest.position,
        recorded_at: newest.recorded_at,
    })];
    let (mut shown, mut page_token) = (BTreeMap::new(), String::new());
    loop {
        let ask = ListEnterprisesRequest {
            fresh_as: fresh_as.clone(),
            page: Some(PageRequest { page_size: PAGE, page_token }),
            ..ListEnterprisesRequest::default()
        };
        let listing = async || caller.enterprises().list_enterprises(timed(ask.clone())).await;
        let answer = patiently("a page of the read model", listing).await?.into_inner();
        let ListEnterprisesResponse { enterprises, page, .. } = answer;
        for view in enterprises {
            let uscc = view.enterprise.unwrap_or_default().uscc;
            shown.insert(format!("enterprise-{uscc}"), view.version);
        }
        page_token = page.unwrap_or_default().next_page_token;
        if page_token.is_empty() {
            return Ok(shown);
        }
    }
}
