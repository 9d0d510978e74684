use onenet_kernel::{Position, Receipt, StreamId, Timestamp, Version};
use onenet_proto::common::v1 as wire;
use prost_types::Timestamp as WireTimestamp;

use crate::{Refusal, field};

/// An instant as it is written on the wire.
#[must_use]
pub fn timestamp(at: Timestamp) -> WireTimestamp {
    let (seconds, micros) =
        (at.as_micros().div_euclid(1_000_000), at.as_micros().rem_euclid(1_000_000));
    WireTimestamp { seconds, nanos: i32::try_from(micros * 1_000).unwrap_or_default() }
}

/// An instant from the wire, to the microsecond.
#[must_use]
pub fn instant(at: &WireTimestamp) -> Timestamp {
    Timestamp::from_micros(
        at.seconds.saturating_mul(1_000_000).saturating_add(i64::from(at.nanos) / 1_000),
    )
}

/// A place in a log as it is written on the wire.
#[must_use]
pub fn position(at: Position) -> wire::Position {
    wire::Position { log_id: at.log_id.to_string(), epoch: at.epoch, number: at.number }
}

/// A receipt as it is written on the wire.
#[must_use]
pub fn to_wire(receipt: &Receipt) -> wire::Receipt {
    wire::Receipt {
        stream_id: receipt.stream.to_string(),
        version: receipt.version.0,
        position: Some(position(receipt.position)),
        recorded_at: Some(timestamp(receipt.recorded_at)),
    }
}

/// A receipt that a caller sends back.
pub(crate) fn from_wire(path: &str, receipt: &wire::Receipt) -> Result<Receipt, Refusal> {
    let position = field::required(&format!("{path}.position"), receipt.position.as_ref())?;
    let log_id = field::uuid(&format!("{path}.position.log_id"), &position.log_id)?;
    Ok(Receipt {
        stream: StreamId::from_stored(field::text(
            &format!("{path}.stream_id"),
            &receipt.stream_id,
            field::NAME,
        )?),
        version: Version(receipt.version),
        position: Position { log_id, epoch: position.epoch, number: position.number },
        recorded_at: receipt.recorded_at.as_ref().map(instant).unwrap_or_default(),
    })
}
