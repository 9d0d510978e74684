use onenet_eventstore::ReadAhead;
use onenet_kernel::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Failure, Relay};
use crate::{Record, checkpoint::Published};

/// Events that are read at once.
const PAGE: u32 = 2_000;

/// What the log holds above a position.
pub(super) enum Next {
    Page(Page),
    /// Nothing more, as far as this look could see; `is_last` where the relay was to stop before it.
    Nothing {
        is_last: bool,
    },
}

/// Events of the log and the records they become, as far as they can be mapped.
pub(super) struct Page {
    pub(super) records: Vec<Record>,
    pub(super) spans: Vec<tracing::Span>,
    pub(super) reached: Published,
    pub(super) oldest: Timestamp,
    pub(super) events: usize,
    pub(super) has_more: bool,
}

impl Relay {
    /// The log's events, page by page.
    pub(super) fn pages(&self) -> ReadAhead {
        ReadAhead::new(self.log.clone(), PAGE)
    }

    /// What comes next. Fails in front of an event that cannot be mapped.
    pub(super) async fn next(
        &self,
        pages: &mut ReadAhead,
        above: u64,
        stop: &CancellationToken,
    ) -> Result<Next, Failure> {
        let is_last = stop.is_cancelled();
        let events = pages.read(above).await?;
        let (mut records, mut mapped) = (Vec::with_capacity(events.len()), 0);
        for event in &events {
            match (self.mapping)(&self.topics, event) {
                Ok(of_event) => records.extend(of_event),
                Err(corrupt) if mapped == 0 => {
                    return Err(Failure::Unmappable(event.position, corrupt));
                }
                Err(_) => break,
            }
            mapped += 1;
        }
        let has_more = mapped < events.len() || events.len() == PAGE as usize;
        let (mapped, _) = events.split_at(mapped);
        let (Some(oldest), Some(newest)) = (mapped.first(), mapped.last()) else {
            return Ok(Next::Nothing { is_last });
        };
        Ok(Next::Page(Page {
            records,
            spans: mapped.iter().map(self.span).collect(),
            reached: Published { position: newest.position, event_id: newest.event_id },
            oldest: oldest.recorded_at,
            events: mapped.len(),
            has_more,
        }))
    }
}
