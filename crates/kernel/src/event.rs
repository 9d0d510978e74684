use std::borrow::Cow;

use bytes::Bytes;
use uuid::Uuid;

use crate::{Actor, Digest, Issuer, Origin, Position, StreamId, Timestamp, Version};

/// What an event is about, for partitioning, rights and filters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// The business key events are ordered by; fixed by a stream's first event.
    pub subject: String,
    /// Division code (行政区划代码).
    pub division: String,
    /// GB/T 4754 code as the context knows it; empty where none.
    pub industry: String,
}

/// The written form of an event; implemented beside prost, never in the domain.
pub trait WireEvent: Sized {
    /// Full protobuf name, frozen once released.
    fn event_type(&self) -> &'static str;
    /// Protobuf bytes.
    fn encode(&self) -> Vec<u8>;
    /// Reads every version ever written: upcasting happens here and nowhere else.
    fn decode(event_type: &str, payload: &[u8]) -> Result<Self, Corrupt>;
}

/// Our own data does not decode. Somebody has to look.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event_type} does not decode: {reason}")]
pub struct Corrupt {
    /// The type the event claims to be.
    pub event_type: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Corrupt {
    /// A payload of `event_type` that cannot be read.
    pub fn new(event_type: &str, reason: impl std::fmt::Display) -> Self {
        Self { event_type: event_type.to_owned(), reason: reason.to_string() }
    }

    /// A type that this reader should handle and does not know.
    #[must_use]
    pub fn unknown_type(event_type: &str) -> Self {
        Self::new(event_type, "unknown event type")
    }
}

/// An event without a place in the log yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// Full protobuf name; of an event that is repeated from elsewhere, whatever it was there.
    pub event_type: Cow<'static, str>,
    /// Protobuf bytes.
    pub payload: Bytes,
    /// What it is about.
    pub key: Key,
}

/// An event with its place in the log: every column of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Place in the log.
    pub position: Position,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Place in that stream.
    pub version: Version,
    /// Unique for ever, also outside this node.
    pub event_id: Uuid,
    /// Full protobuf name.
    pub event_type: String,
    /// Protobuf bytes, as they were appended.
    pub payload: Bytes,
    /// What it is about.
    pub key: Key,
    /// When the fact happened.
    pub occurred_at: Timestamp,
    /// When it was appended; never runs backwards within a log.
    pub recorded_at: Timestamp,
    /// Who sent the command.
    pub issuer: Issuer,
    /// The command.
    pub command_id: Uuid,
    /// Its place among the events of that command, from 0.
    pub ordinal: u32,
    /// The command's content.
    pub digest: Digest,
    /// On whose behalf.
    pub actor: Actor,
    /// The journey.
    pub correlation_id: Uuid,
    /// The event that led to the command.
    pub causation_id: Option<Uuid>,
    /// The rule version it was decided under.
    pub rules_version: String,
    /// W3C trace context.
    pub traceparent: String,
    /// Where it was first recorded, if elsewhere.
    pub origin: Option<Origin>,
    /// SHA-256 of the row without its place and time in this log, see [`leaf`](crate::leaf).
    pub leaf: Digest,
}
