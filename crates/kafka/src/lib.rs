//! The log's way to Kafka and back: the only crate that names rdkafka.
//!
//! * [`Relay`] publishes a log exactly once and in order: the events and its checkpoint are records
//!   of one Kafka transaction. What a crash leaves half done is aborted, a predecessor that is still
//!   alive is fenced, and what contradicts the log stops the relay before it publishes anything.
//! * [`KafkaSource`] reads a topic for a [`Follower`](onenet_eventstore::Follower), at the offsets
//!   that the follower keeps in its own database. No consumer group is joined.
//! * [`EmbeddedSource`] reads another context's log through the relay's mapping, where one process
//!   holds the whole node and there is no Kafka.
//! * Every event travels as a CloudEvent 1.0 in Kafka's binary mode, with every column of the log
//!   ([`encode`], [`decode`]), so that a log can be recovered from its topic.
//! * [`examine`] compares a log that was restored with its topic and hands out what the log has lost.
//! * [`Topics`] names a context's topics; [`Topics::ensure`] creates and checks them.
//!
//! What must never happen here: a read of records that were not committed; a start from zero because
//! no checkpoint was found; a producer that goes on after an error.
#![warn(missing_docs)]

mod checkpoint;
mod client;
mod cloud_event;
mod embedded;
mod operate;
mod publisher;
mod read;
mod recover;
mod relay;
mod source;
mod topics;

pub use client::{Cluster, KafkaFault, Tls};
pub use cloud_event::{MalformedEvent, decode, encode};
pub use embedded::EmbeddedSource;
pub use operate::{OperateError, RelayStatus, relay_status, republish};
pub use read::{ReadRecord, read_topic};
pub use recover::{Examined, Finding, RelayPlace, examine};
pub use relay::{Relay, RelayError};
pub use source::{KafkaSource, Unread};
pub use topics::{Beside, TopicError, Topics};

use onenet_kernel::{Corrupt, Recorded};

/// What is published for an event: one record, or several that become visible together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Full name of the topic.
    pub topic: String,
    /// Orders records: those of one key stay in one partition.
    pub key: String,
    /// In the order they are written.
    pub headers: Vec<(&'static str, String)>,
    /// `None` is a tombstone.
    pub value: Option<bytes::Bytes>,
}

/// Which records an event becomes: a pure function of the event. A context that publishes state
/// beside its events has a mapping of its own; where an event does not say what that state is, the
/// relay stops in front of it, since half of what it makes public would be a lie.
pub type Mapping = fn(&Topics, &Recorded) -> Result<Vec<Record>, Corrupt>;

/// Each event as its CloudEvent on the context's event topic.
pub fn events_only(topics: &Topics, event: &Recorded) -> Result<Vec<Record>, Corrupt> {
    Ok(vec![encode(topics, event)])
}
