//! The order in which the exchange serves what all contexts have recorded.

use anyhow::{Result, bail};
use bytes::Bytes;
use onenet_chassis::{day::SystemClock, open_log};
use onenet_kernel::{Clock as _, Recorded};
use onenet_proto::hazard::v1::{HiddenDangerCorrected, HiddenDangerWithdrawn};
use prost::Message;

use super::PAGE;
use crate::{
    node::Node,
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
            feed.events.push(Fed { event, at: recorded.recorded_at, content });
            feed.corrections.extend(correction(recorded)?.map(|correction| (event, correction)));
        }
    }
    log.db().close().await;
    feed.ended = SystemClock.now();
    Ok(feed)
}

/// What an event undoes, and what is left of it where no grant lets it pass.
fn correction(recorded: &Recorded) -> Result<Option<Correction>> {
    let payload = recorded.payload.clone();
    let (corrects, reduced) = match recorded.event_type.as_str() {
        "onenet.hazard.v1.HiddenDangerCorrected" => {
            let HiddenDangerCorrected { hidden_danger_id, corrects, reason, .. } =
                HiddenDangerCorrected::decode(payload)?;
            let corrected = corrects.clone();
            let left = HiddenDangerCorrected {
                hidden_danger_id,
                corrects,
                reason,
                ..HiddenDangerCorrected::default()
            };
            (corrected, bytes(&left))
        }
        "onenet.hazard.v1.HiddenDangerWithdrawn" => {
            let HiddenDangerWithdrawn { hidden_danger_id, corrects, reason, .. } =
                HiddenDangerWithdrawn::decode(payload)?;
            let corrected = corrects.clone();
            let left = HiddenDangerWithdrawn {
                hidden_danger_id,
                corrects,
                reason,
                ..HiddenDangerWithdrawn::default()
            };
            (corrected, bytes(&left))
        }
        "onenet.hazard.v1.TreatmentReportCorrected" => bail!("nobody asks for such a correction"),
        _ => return Ok(None),
    };
    let corrects = corrects.iter().map(|id| id.parse()).collect::<Result<_, _>>()?;
    Ok(Some(Correction { corrects, reduced: Content::of(&reduced) }))
}

fn bytes(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}
