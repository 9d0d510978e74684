use std::fmt;

use uuid::Uuid;

use crate::Timestamp;

/// SHA-256 over a request's name and content: tells a retry from a reuse of its command id.
pub type Digest = [u8; 32];

/// Who sent a command. Command ids are unique per issuer, so nobody can occupy another's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer(String);

impl Issuer {
    /// An authenticated organisation.
    #[must_use]
    pub fn organisation(uscc: &str) -> Self {
        Self(format!("org:{uscc}"))
    }

    /// A reaction of this context to an event of another.
    #[must_use]
    pub fn reaction(name: &str) -> Self {
        Self(format!("reaction:{name}"))
    }

    /// The clock.
    #[must_use]
    pub fn timer() -> Self {
        Self("timer".to_owned())
    }

    /// The exchange feed, which repeats the events of all contexts.
    #[must_use]
    pub fn feed() -> Self {
        Self("feed".to_owned())
    }

    /// An issuer that was written before.
    #[must_use]
    pub fn from_stored(name: String) -> Self {
        Self(name)
    }

    /// The written form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// For whom a fact was recorded: the acting organisation and, where known, one of its people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Unified social credit code (统一社会信用代码) of the organisation.
    pub organisation: String,
    /// A sealed reference to a person; never a name or a citizen id.
    pub person: Option<String>,
}

/// Where an event was first recorded, for events that came from another log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The node whose log decided the event.
    pub node: String,
    /// That log, its epoch and the place in it.
    pub position: crate::Position,
}

/// Everything about a command but its content: what the envelope of its events will say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Who sent it.
    pub issuer: Issuer,
    /// The issuer's own id of it; the same for every retry.
    pub command_id: Uuid,
    /// What it asked for.
    pub digest: Digest,
    /// On whose behalf.
    pub actor: Actor,
    /// The journey it belongs to; the command id where it starts one.
    pub correlation_id: Uuid,
    /// The event that led to it, if one did.
    pub causation_id: Option<Uuid>,
    /// When the facts happened, which may be long before they are recorded.
    pub occurred_at: Timestamp,
    /// The rule version it is decided under; empty where no rule set applies.
    pub rules_version: String,
    /// W3C trace context; empty where nothing is traced.
    pub traceparent: String,
    /// Set for events that another log has decided.
    pub origin: Option<Origin>,
}
