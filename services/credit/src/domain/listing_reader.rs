use onenet_kernel::{Aggregate, Digest, Key, Position};
use onenet_standards::Uscc;

use super::FactsDigest;

/// A reader of the listings topic (失信联合惩戒平台) and how far it has applied what stands there. Its
/// ranges follow each other without a gap, so the last one says everything.
#[derive(Clone, Debug, Default)]
pub struct ListingReader {
    last: Option<Acknowledgement>,
}

/// A range of listing facts that a reader has applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The reader.
    pub reader: Uscc,
    /// Its division, as its agency is registered.
    pub division: String,
    /// Facts above this number.
    pub after: u64,
    /// The last fact of the range.
    pub upto: Position,
    /// What the range holds.
    pub facts: FactsDigest,
}

/// A reader says that it has applied a range.
#[derive(Clone, Debug)]
pub struct AcknowledgeListings {
    /// The range, and what the log holds of it.
    pub held: Acknowledgement,
    /// What the reader holds of it.
    pub digest: Digest,
}

/// What happens to a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListingReaderEvent {
    /// It has applied a range of facts.
    ListingsAcknowledged(Acknowledgement),
}

/// Why nothing is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListingReaderRejection {
    /// The range overlaps with what is acknowledged, or leaves a gap.
    #[error("the range does not begin where the last one ended, at {acknowledged}")]
    NotNextRange {
        /// Where it ended.
        acknowledged: u64,
    },
    /// The reader does not hold what the log holds.
    #[error("the digest is not that of the {count} facts of the range")]
    DigestDiffers {
        /// How many facts the log holds.
        count: u64,
    },
}

impl Aggregate for ListingReader {
    const CATEGORY: &'static str = "listing_reader";
    type Command = AcknowledgeListings;
    type Event = ListingReaderEvent;
    type Rejection = ListingReaderRejection;

    /// The first range may begin anywhere: what came before, the reader knows from the blacklist.
    fn decide(
        &self,
        command: &AcknowledgeListings,
    ) -> Result<Vec<ListingReaderEvent>, ListingReaderRejection> {
        let AcknowledgeListings { held, digest } = command;
        if let Some(last) = &self.last {
            let is_same_range = (last.after, last.upto) == (held.after, held.upto);
            if is_same_range && last.facts.digest == *digest {
                return Ok(vec![]);
            }
            let acknowledged = last.upto.number;
            if held.after != acknowledged {
                return Err(ListingReaderRejection::NotNextRange { acknowledged });
            }
        }
        if held.facts.digest != *digest {
            return Err(ListingReaderRejection::DigestDiffers { count: held.facts.count });
        }
        Ok(vec![ListingReaderEvent::ListingsAcknowledged(held.clone())])
    }

    fn evolve(&mut self, event: &ListingReaderEvent) {
        let ListingReaderEvent::ListingsAcknowledged(acknowledgement) = event;
        self.last = Some(acknowledgement.clone());
    }

    fn key(&self) -> Key {
        self.last.as_ref().map_or_else(Key::default, |last| Key {
            subject: last.reader.to_string(),
            division: last.division.clone(),
            industry: String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use onenet_kernel::testing::given;
    use uuid::Uuid;

    use super::*;

    fn range(after: u64, upto: u64) -> Acknowledgement {
        Acknowledgement {
            reader: "91230500MA1B3N1N2M".parse().unwrap(),
            division: "41".to_owned(),
            after,
            upto: Position { log_id: Uuid::from_u128(1), epoch: 1, number: upto },
            facts: FactsDigest { count: 3, digest: [7; 32] },
        }
    }

    fn acknowledged(after: u64, upto: u64) -> ListingReaderEvent {
        ListingReaderEvent::ListingsAcknowledged(range(after, upto))
    }

    fn acknowledge(after: u64, upto: u64) -> AcknowledgeListings {
        AcknowledgeListings { held: range(after, upto), digest: [7; 32] }
    }

    #[test]
    fn ranges_follow_each_other_wherever_the_first_begins() {
        let reader = given::<ListingReader>([])
            .when(&acknowledge(40, 47))
            .then([acknowledged(40, 47)])
            .when(&acknowledge(47, 60))
            .then([acknowledged(47, 60)])
            .state();
        assert_eq!(
            (reader.key().subject.as_str(), reader.key().division.as_str()),
            ("91230500MA1B3N1N2M", "41")
        );
    }

    #[test]
    fn the_last_range_again_changes_nothing() {
        given::<ListingReader>([acknowledged(0, 47)]).when(&acknowledge(0, 47)).then_nothing();
    }

    #[test]
    fn a_range_that_overlaps_or_leaves_a_gap_is_refused() {
        let refused = ListingReaderRejection::NotNextRange { acknowledged: 47 };
        for (after, upto) in [(0, 40), (0, 60), (46, 60), (48, 60), (40, 47)] {
            given::<ListingReader>([acknowledged(0, 47)])
                .when(&acknowledge(after, upto))
                .then_rejected(&refused);
        }
    }

    #[test]
    fn another_digest_than_the_logs_is_refused_at_first_and_later() {
        let wrong =
            |after, upto| AcknowledgeListings { digest: [8; 32], ..acknowledge(after, upto) };
        let refused = ListingReaderRejection::DigestDiffers { count: 3 };
        given::<ListingReader>([]).when(&wrong(0, 47)).then_rejected(&refused);
        given::<ListingReader>([acknowledged(0, 47)]).when(&wrong(47, 60)).then_rejected(&refused);
        // not even of the range that was acknowledged
        given::<ListingReader>([acknowledged(0, 47)])
            .when(&wrong(0, 47))
            .then_rejected(&ListingReaderRejection::NotNextRange { acknowledged: 47 });
    }
}
