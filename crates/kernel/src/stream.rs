use std::fmt;

use uuid::Uuid;

/// Name of a stream: `<category>-<key>`, for example `enterprise-91410100MA1B3N1N2M`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(String);

impl StreamId {
    /// The stream of an aggregate of `category` that is unique by `key`.
    #[must_use]
    pub fn new(category: &str, key: &str) -> Self {
        Self(format!("{category}-{key}"))
    }

    /// A stream name that was written before: from a row, a header or a receipt.
    #[must_use]
    pub fn from_stored(name: String) -> Self {
        Self(name)
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first half of the name.
    #[must_use]
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or(self.0.as_str(), |(category, _)| category)
    }

    /// The second half of the name: what makes the aggregate unique.
    #[must_use]
    pub fn key(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, key)| key)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Place of an event in its stream; the first event has version 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u64);

impl Version {
    /// "No stream yet": what the first append expects.
    pub const NONE: Self = Self(0);

    /// The version after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Place of an event in a log. Numbers are comparable within one log and epoch only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The log, an identity that survives moves and restores.
    pub log_id: Uuid,
    /// Raised whenever a restore may have forgotten positions that readers have seen.
    pub epoch: u32,
    /// 1, 2, 3 … without gaps, in commit order; 0 is before the first event.
    pub number: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.log_id, self.epoch, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_name_splits_at_the_first_hyphen() {
        let id = StreamId::new("major_hazard", "0190-77");
        assert_eq!((id.category(), id.key()), ("major_hazard", "0190-77"));
    }
}
