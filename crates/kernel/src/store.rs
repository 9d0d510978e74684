use std::{any::Any, future::Future, sync::Arc};

use crate::{Cause, NewEvent, Position, Recorded, StreamId, Timestamp, Version};

/// The answer to a command: where its effect stands in the log. The same for every retry, for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The stream the command acted on.
    pub stream: StreamId,
    /// The stream's version after it.
    pub version: Version,
    /// Place of its last event; of the log's head at that moment where it had none.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// An accepted append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The answer.
    pub receipt: Receipt,
    /// False where the command was carried out before and this is its first receipt.
    pub is_new: bool,
}

/// A folded aggregate kept between commands.
#[derive(Clone)]
pub struct Folded {
    /// Version of the stream that `state` stands for.
    pub version: Version,
    /// The aggregate; a store never looks inside.
    pub state: Arc<dyn Any + Send + Sync>,
}

/// Why the store did not append.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Someone else appended first; look again.
    #[error("the stream stands at version {actual}")]
    Conflict {
        /// The version it stands at.
        actual: Version,
    },
    /// The same issuer used this command id for another content.
    #[error("the command id was used for another request")]
    CommandReused,
    /// The event cannot be published; refused before it was queued.
    #[error("{field} cannot be stored: {reason}")]
    Unstorable {
        /// Which part of the event.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// More is waiting than the store takes; nothing was written, try later.
    #[error("too many commands are waiting")]
    Overloaded,
    /// The store could not be reached or refused. The outcome may be unknown: retry with the same
    /// command id.
    #[error("the event log failed")]
    Fault(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The storage port.
pub trait EventStore: Send + Sync {
    /// Held while one command decides on a stream.
    type Turn: Send;

    /// Waits until no other command of this process decides on the stream. It saves lost races; no
    /// invariant rests on it.
    fn turn(&self, stream: &StreamId) -> impl Future<Output = Self::Turn> + Send;

    /// The receipt of a command that was carried out before, if any.
    fn receipt(
        &self,
        cause: &Cause,
    ) -> impl Future<Output = Result<Option<Receipt>, StoreError>> + Send;

    /// The events of a stream above a version, in order.
    fn load(
        &self,
        stream: &StreamId,
        above: Version,
    ) -> impl Future<Output = Result<Vec<Recorded>, StoreError>> + Send;

    /// All of `events` or none, with the command id, in one commit. A command id seen before is
    /// answered before the version is looked at: it changes nothing and gets its first receipt.
    /// `expected` is the version the decision was based on; there is no "any version".
    fn append(
        &self,
        stream: &StreamId,
        expected: Version,
        cause: &Cause,
        events: Vec<NewEvent>,
    ) -> impl Future<Output = Result<Appended, StoreError>> + Send;

    /// The state kept from an earlier command; may be stale, since others append too.
    fn recall(&self, stream: &StreamId) -> Option<Folded>;

    /// Keeps a state for the next command.
    fn remember(&self, stream: &StreamId, folded: Folded);

    /// Drops what was kept.
    fn forget(&self, stream: &StreamId);
}
