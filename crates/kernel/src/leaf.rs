use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{Cause, Digest, NewEvent, Recorded, StreamId, Version};

/// Names the form, so that no other hash of ours can be taken for a leaf.
const DOMAIN: &[u8] = b"onenet.leaf.v1";

/// The fingerprint of an event's row: SHA-256 over every column that the decision fixed, each with
/// its length in front. Position, epoch and `recorded_at` are left out: they are given by the log at
/// commit, and evidence about the order is built from leaves in that order.
#[must_use]
pub fn leaf(
    stream: &StreamId,
    version: Version,
    event_id: Uuid,
    ordinal: u32,
    cause: &Cause,
    event: &NewEvent,
) -> Digest {
    let mut row = Row(Sha256::new());
    row.field(DOMAIN);
    row.field(stream.as_str().as_bytes());
    row.field(&version.0.to_be_bytes());
    row.field(event_id.as_bytes());
    row.field(event.event_type.as_bytes());
    row.field(&event.payload);
    row.field(event.key.subject.as_bytes());
    row.field(event.key.division.as_bytes());
    row.field(event.key.industry.as_bytes());
    row.field(&cause.occurred_at.as_micros().to_be_bytes());
    row.field(cause.issuer.as_str().as_bytes());
    row.field(cause.command_id.as_bytes());
    row.field(&ordinal.to_be_bytes());
    row.field(&cause.digest);
    row.field(cause.actor.organisation.as_bytes());
    row.optional(cause.actor.person.as_deref().map(str::as_bytes));
    row.field(cause.correlation_id.as_bytes());
    row.optional(cause.causation_id.as_ref().map(|id| id.as_bytes().as_slice()));
    row.field(cause.rules_version.as_bytes());
    row.field(cause.traceparent.as_bytes());
    match &cause.origin {
        None => row.optional(None),
        Some(origin) => {
            row.optional(Some(origin.node.as_bytes()));
            row.field(origin.position.log_id.as_bytes());
            row.field(&origin.position.epoch.to_be_bytes());
            row.field(&origin.position.number.to_be_bytes());
        }
    }
    row.0.finalize().into()
}

/// The fingerprint that a recorded event ought to bear: what its leaf is compared with.
#[must_use]
pub fn leaf_of(recorded: &Recorded) -> Digest {
    let cause = Cause {
        issuer: recorded.issuer.clone(),
        command_id: recorded.command_id,
        digest: recorded.digest,
        actor: recorded.actor.clone(),
        correlation_id: recorded.correlation_id,
        causation_id: recorded.causation_id,
        occurred_at: recorded.occurred_at,
        rules_version: recorded.rules_version.clone(),
        traceparent: recorded.traceparent.clone(),
        origin: recorded.origin.clone(),
    };
    let event = NewEvent {
        event_type: recorded.event_type.clone().into(),
        payload: recorded.payload.clone(),
        key: recorded.key.clone(),
    };
    let Recorded { stream, version, event_id, ordinal, .. } = recorded;
    leaf(stream, *version, *event_id, *ordinal, &cause, &event)
}

struct Row(Sha256);

impl Row {
    fn field(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    /// Absent and empty are different things.
    fn optional(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            None => self.0.update([0]),
            Some(bytes) => {
                self.0.update([1]);
                self.field(bytes);
            }
        }
    }
}
