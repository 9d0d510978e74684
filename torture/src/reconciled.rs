//! What a reader of the list says that it holds, and what it is answered when it compares.

use onenet_kernel::Digest;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A listing fact as both sides compare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its place in the log.
    pub position: u64,
    /// The event.
    pub event: Uuid,
    /// Its leaf.
    pub leaf: Digest,
}

/// How many facts, and their digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub count: u64,
    /// 64 lower-case hexadecimal digits.
    pub digest: String,
}

/// An acknowledgement as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The event.
    pub event: Uuid,
    /// The reader (USCC).
    pub reader: String,
    /// It is of facts above this place,
    pub after: u64,
    /// up to this one.
    pub upto: u64,
    /// What the log held of them.
    pub count: Count,
}

/// A range that a reader said it holds, and what it was answered for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The place above which its facts are.
    pub after: u64,
    /// The place of the last of them.
    pub upto: u64,
    /// The digest of what the reader held.
    pub digest: String,
    /// None: it was taken.
    pub refused: Option<Refused>,
}

/// Why a range was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// As the contract names it.
    pub reason: String,
    /// The place up to which the node says the reader has acknowledged, where it says so.
    pub acknowledged: Option<u64>,
}

/// What was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Facts above a place, up to another.
    Range(u64, u64),
    /// Facts recorded on a day.
    Day(String),
}

/// What a reader was answered that compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// What it asked about.
    pub asked: Compared,
    /// The answer had to know the log up to here at least.
    pub fresh_as: u64,
    /// The range that the answer is about.
    pub range: (u64, u64),
    /// What the answer says of it.
    pub count: Count,
    /// The place in the log up to which the answer knows.
    pub known_at: u64,
}

/// Removals that a reader was told it has not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Where its acknowledgement stood.
    pub after: u64,
    /// The place of each removal, with its subject.
    pub removals: Vec<(u64, String)>,
}

impl Count {
    /// Of facts in the order of their places, as `docs/blacklist-feed.md` says.
    pub(crate) fn of<'a>(facts: impl Iterator<Item = &'a Line>) -> Self {
        let (mut hash, mut count) = (Sha256::new(), 0);
        for Line { position, event, leaf } in facts {
            hash.update(format!("{position} {event} {}\n", hex::encode(leaf)));
            count += 1;
        }
        Self { count, digest: hex::encode(hash.finalize()) }
    }
}
