use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use uuid::Uuid;

use crate::Place;

/// Who reads a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// The event log, by position.
    Log,
    /// A read-committed consumer of the topic.
    Topic,
    /// A subscription of an agency, over all its resumptions.
    Subscription,
    /// The read model, through a call.
    Projection,
}

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: Uuid,
    /// Where it stands.
    pub place: Place,
    /// The command it is an effect of.
    pub command: Uuid,
    /// Its place among the effects of that command.
    pub ordinal: u32,
    /// Full protobuf name.
    pub event_type: String,
    /// Its stored bytes.
    pub content: Bytes,
}

/// An event as a reader saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Its id.
    pub event: Uuid,
    /// Where it stands, if the reader is told.
    pub place: Option<Place>,
    /// Its bytes.
    pub content: Bytes,
}

/// An event as a subscription was sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// 1, 2, 3 …
    pub sequence: u64,
    /// The event.
    pub sighting: Sighting,
}

/// What every reader saw in the end, each in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The whole log.
    pub log: Vec<Event>,
    /// The whole topic, each key in its order.
    pub topic: Vec<Sighting>,
    /// All that the subscriber was sent.
    pub subscription: Vec<Delivered>,
    /// Types that the subscriber has a grant for.
    pub granted: Vec<String>,
    /// The version of each stream that the read model shows.
    pub projection: BTreeMap<String, u64>,
    /// In front of the key of each stream that the read model shows.
    pub projected: String,
}

impl Reader {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Log => "日志 / log",
            Self::Topic => "主题 / topic",
            Self::Subscription => "订阅 / subscription",
            Self::Projection => "视图 / read model",
        }
    }
}

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
