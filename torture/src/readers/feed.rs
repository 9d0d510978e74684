//! The order in which the exchange serves what all contexts have recorded.

use anyhow::Result;
use bytes::Bytes;
use onenet_chassis::{day::SystemClock, open_log};
use onenet_kernel::{Clock as _, Timestamp};
use onenet_proto::hazard::v1::{
    HiddenDangerCorrected, HiddenDangerWithdrawn, TreatmentReportCorrected,
};
use prost::Message as _;

use super::PAGE;
use crate::{
    node::{Node, TERM},
    rights::{Correction, Fed, Feed},
    seen::Content,
};

/// The whole feed, once nothing more comes.
pub(super) async fn feed(node: &Node) -> Result<Feed> {
    let log = open_log(node.private.settings(), onenet_exchange::feed::FEED).await?;
    let (mut feed, mut above) = (Feed::default(), 0);
    loop {
        let page = log.read(above, PAGE).await?;
        let Some(last) = page.last() else { break };
        above = last.position.number;
        for recorded in &page {
            // the event's own id, by which the feed knows it as a command
            let event = recorded.command_id;
            let content = Content::of(&recorded.payload);
            feed.events.push(Fed { event, at: here(recorded.recorded_at), content });
            let correction = correction(&recorded.event_type, recorded.payload.clone())?;
            feed.corrections.extend(correction.map(|correction| (event, correction)));
        }
    }
    log.db().close().await;
    feed.ended = SystemClock.now();
    Ok(feed)
}

/// When it was by this machine's clock: the server's was as well, until it was set ahead.
fn here(at: Timestamp) -> Timestamp {
    if at <= SystemClock.now() {
        return at;
    }
    Timestamp::from_micros(at.as_micros() - TERM * 3_600_000_000)
}

/// What is read of a correction of a type: what it undoes, and what is left of it where no grant lets it pass.
macro_rules! undone {
    ($event:ident, $payload:expr) => {{
        let $event { hidden_danger_id, corrects, reason, .. } = $event::decode($payload)?;
        let left =
            $event { hidden_danger_id, corrects: corrects.clone(), reason, ..$event::default() };
        (corrects, left.encode_to_vec())
    }};
}

/// What an event undoes, if it does.
fn correction(event_type: &str, payload: Bytes) -> Result<Option<Correction>> {
    let (statement, (corrects, reduced)) = match event_type {
        "onenet.hazard.v1.HiddenDangerCorrected" => {
            (Some(0), undone!(HiddenDangerCorrected, payload))
        }
        "onenet.hazard.v1.TreatmentReportCorrected" => {
            let number = TreatmentReportCorrected::decode(payload.clone())?.report_no;
            (Some(number), undone!(TreatmentReportCorrected, payload))
        }
        "onenet.hazard.v1.HiddenDangerWithdrawn" => (None, undone!(HiddenDangerWithdrawn, payload)),
        _ => return Ok(None),
    };
    let corrects = corrects.iter().map(|id| id.parse()).collect::<Result<_, _>>()?;
    Ok(Some(Correction { corrects, statement, reduced: Content::of(&reduced) }))
}
