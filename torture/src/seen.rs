use std::{collections::BTreeMap, fmt, sync::Arc};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    Place,
    blacklist::Blacklist,
    rights::{Feed, Subscription},
};

/// A context of a node: each has a log and a topic of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    /// Divisions, public bodies, enterprises.
    Enterprise,
    /// Hidden dangers.
    Hazard,
    /// Cases, penalties, clues.
    Enforcement,
    /// Credit cases, and the blacklist.
    Credit,
    /// Agencies and grants.
    Exchange,
}

impl Context {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::Enterprise, Self::Hazard, Self::Enforcement, Self::Credit, Self::Exchange];

    /// Its name, which is that of its schema.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise",
            Self::Hazard => "hazard",
            Self::Enforcement => "enforcement",
            Self::Credit => "credit",
            Self::Exchange => "exchange",
        }
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An agency that subscribes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agency {
    /// Its grant stays as it is, and it wants everything.
    Steady,
    /// Its grant is revoked and given again, and it wants now this and now that.
    Changing,
}

/// Who reads a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// The log of a context, by position.
    Log(Context),
    /// A read-committed consumer of a context's topic.
    Topic(Context),
    /// A context that reacts to events of another.
    Reaction(Context),
    /// The exchange, which puts the events of all contexts into one order.
    Feed,
    /// A subscription of an agency, over all its resumptions.
    Subscription(Agency),
    /// The read models, through calls.
    Projection,
    /// A read-committed consumer of the listings topic: every listing and every removal.
    Listings,
    /// A read-committed consumer of the blacklist topic: each subject's state after each change.
    Blacklist,
    /// A caller of `GetBlacklistEntry`.
    Entry,
    /// A caller of `CheckSubjects`.
    Check,
    /// A caller of `ListOpenRemovals`.
    Open,
}

/// What of bytes is kept: enough to tell them from any others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content([u8; 16]);

impl Content {
    /// Of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        let mut content = [0; 16];
        content.copy_from_slice(&digest[..16]);
        Self(content)
    }
}

/// Whom and where an event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The subject, for most events a USCC.
    pub subject: Arc<str>,
    /// Code of the division.
    pub division: Arc<str>,
    /// Code of the industry; empty where there is none.
    pub industry: Arc<str>,
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
    /// The event that a reaction or the clock made it of; none where somebody asked for it.
    pub led_by: Option<Uuid>,
    /// Full protobuf name.
    pub event_type: Arc<str>,
    /// Whom and where it is about.
    pub about: About,
    /// Its stored bytes.
    pub content: Content,
}

/// An event as a reader saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Its id.
    pub event: Uuid,
    /// Where it stands, if the reader is told.
    pub place: Option<Place>,
    /// Its bytes.
    pub content: Content,
}

/// What a context has written and published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The whole log.
    pub log: Vec<Event>,
    /// The whole topic, each key in its order.
    pub topic: Vec<Sighting>,
}

/// What every reader saw in the end, each in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Of each context.
    pub contexts: BTreeMap<Context, Published>,
    /// The order of the exchange.
    pub feed: Feed,
    /// Of each agency.
    pub subscriptions: BTreeMap<Agency, Subscription>,
    /// The version of each stream that the read models show.
    pub projection: BTreeMap<Arc<str>, u64>,
    /// In front of the keys of the streams that the read models show.
    pub projected: Vec<String>,
    /// Who is listed.
    pub blacklist: Blacklist,
}

impl Seen {
    /// A context's log.
    pub(crate) fn log(&self, context: Context) -> &[Event] {
        self.contexts.get(&context).map(|published| published.log.as_slice()).unwrap_or_default()
    }

    /// The events of every log, each in its order.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        self.contexts.values().flat_map(|published| &published.log)
    }
}

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(context) => write!(f, "日志 / log of {context}"),
            Self::Topic(context) => write!(f, "主题 / topic of {context}"),
            Self::Reaction(context) => write!(f, "反应 / reaction of {context}"),
            Self::Feed => f.write_str("汇流 / feed"),
            Self::Subscription(Agency::Steady) => f.write_str("订阅 / subscription"),
            Self::Subscription(Agency::Changing) => f.write_str("变更订阅 / changing subscription"),
            Self::Projection => f.write_str("视图 / read models"),
            Self::Listings => f.write_str("列入移出主题 / listings topic"),
            Self::Blacklist => f.write_str("名单主题 / blacklist topic"),
            Self::Entry => f.write_str("名单查询 / GetBlacklistEntry"),
            Self::Check => f.write_str("名单核查 / CheckSubjects"),
            Self::Open => f.write_str("未闭环移出 / ListOpenRemovals"),
        }
    }
}
