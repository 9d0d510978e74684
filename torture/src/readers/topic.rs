//! An event topic as a follower reads it, page by page.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, bail};
use onenet_eventstore::{Checkpoint, Delivery, Source as _, SourceError};
use onenet_kafka::{Cluster, KafkaFault, KafkaSource};

use super::place;
use crate::{
    names::Names,
    seen::{Content, Sighting},
};

/// What a topic may take until all is read that it has to hold.
const READ_WITHIN: Duration = Duration::from_mins(5);
/// Pages without a record, one after the other, behind which nothing more stands: a page waits for half a second,
/// and what stands there comes at once.
const EMPTY_PAGES: u32 = 6;

/// Every committed record of an event topic that holds so many at least, each partition in its order.
pub(super) async fn topic(
    cluster: Cluster,
    topic: String,
    count: usize,
    names: Arc<Names>,
) -> Result<Vec<Sighting>> {
    let mut records = Records::of(&cluster, topic)?;
    let deadline = tokio::time::Instant::now() + READ_WITHIN;
    let (mut sightings, mut empty) = (Vec::new(), 0);
    // what it lacks after all that time is for the checker to say
    while empty < EMPTY_PAGES && tokio::time::Instant::now() < deadline {
        let page = match records.next().await {
            Ok(page) => page,
            Err(SourceError::Passing { .. }) => continue,
            Err(error @ SourceError::Broken(_)) => bail!(error),
        };
        empty = if page.is_empty() && sightings.len() >= count { empty + 1 } else { 0 };
        sightings.extend(page.into_iter().map(|delivery| Sighting {
            event: delivery.event.event_id,
            place: Some(place(&delivery.event, &names)),
            content: Content::of(&delivery.event.payload),
        }));
    }
    Ok(sightings)
}

/// A topic, read from where each partition begins.
pub(crate) struct Records {
    source: KafkaSource,
    is_assigned: bool,
}

impl Records {
    pub(crate) fn of(cluster: &Cluster, topic: String) -> Result<Self, KafkaFault> {
        let source = KafkaSource::new(cluster, "torture", topic)?;
        Ok(Self { source, is_assigned: false })
    }

    /// The next page; an empty one comes after half a second.
    pub(crate) async fn next(&mut self) -> Result<Vec<Delivery>, SourceError> {
        if !self.is_assigned {
            let partitions = self.source.partitions().await?.into_iter();
            let beginning = Checkpoint { next_offset: 0, last: None };
            self.source.assign(&partitions.map(|it| (it, beginning)).collect::<Vec<_>>()).await?;
            self.is_assigned = true;
        }
        self.source.poll().await
    }
}
