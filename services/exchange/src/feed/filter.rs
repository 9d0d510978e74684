use onenet_proto::exchange::v1 as wire;
use prost::Message as _;

use crate::feed::FeedEvent;

/// What of all it may receive a subscriber wants: an event passes when each part that is set lets it
/// pass. It never widens a grant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter(wire::Filter);

impl Filter {
    /// From a request that was checked.
    #[must_use]
    pub fn new(sent: wire::Filter) -> Self {
        Self(sent)
    }

    /// Whether an event is wanted.
    #[must_use]
    pub fn passes(&self, event: &FeedEvent) -> bool {
        let wire::Filter { event_types, subtree, industries, subject } = &self.0;
        (event_types.is_empty() || event_types.contains(&event.event_type))
            && subtree.as_ref().is_none_or(|subtree| event.chain.contains(subtree))
            && (industries.is_empty()
                || industries.iter().any(|prefix| event.industry.starts_with(prefix.as_str())))
            && subject.as_ref().is_none_or(|subject| event.subject == *subject)
    }

    /// As it is kept beside what was delivered under it.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }
}
