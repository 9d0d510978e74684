use onenet_kernel::Digest;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// An event on the listings topic, as far as both sides compare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingFact {
    /// Number of its position.
    pub number: u64,
    /// Its id.
    pub event_id: Uuid,
    /// Its leaf.
    pub leaf: Digest,
}

/// Count and digest of the listing facts of a range: equal on two sides if and only if both hold the
/// same facts at the same positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactsDigest {
    /// How many.
    pub count: u64,
    /// SHA-256 over a line for each, in the order of positions.
    pub digest: Digest,
}

impl FactsDigest {
    /// Of these facts, which stand in the order of their positions. The lines are a contract
    /// (`blacklist_service.proto`): any reader makes them from the headers of the topic.
    #[must_use]
    pub fn of(facts: &[ListingFact]) -> Self {
        let mut hash = Sha256::new();
        for ListingFact { number, event_id, leaf } in facts {
            hash.update(format!("{number} {event_id} {}\n", hex::encode(leaf)));
        }
        Self { count: facts.len() as u64, digest: hash.finalize().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = include_str!("../../../../docs/blacklist-feed.md");

    /// The facts and the digest that the document works out.
    fn worked_example() -> (Vec<ListingFact>, String) {
        let block = DOCUMENT.split("```").find(|block| block.starts_with("digest\n")).unwrap();
        let mut lines = block.trim().lines().skip(1);
        let mut facts = Vec::new();
        for line in lines.by_ref().take_while(|line| !line.is_empty()) {
            let mut words = line.split(' ');
            let mut leaf = Digest::default();
            let (number, id) = (words.next().unwrap(), words.next().unwrap());
            hex::decode_to_slice(words.next().unwrap(), &mut leaf).unwrap();
            facts.push(ListingFact {
                number: number.parse().unwrap(),
                event_id: id.parse().unwrap(),
                leaf,
            });
        }
        (facts, lines.next().unwrap().to_owned())
    }

    #[test]
    fn the_digest_is_the_one_the_document_works_out() {
        let (facts, digest) = worked_example();
        let computed = FactsDigest::of(&facts);
        assert_eq!((computed.count, hex::encode(computed.digest)), (3, digest));
    }

    #[test]
    fn a_fact_that_is_lost_changed_or_elsewhere_changes_the_digest() {
        let (facts, _) = worked_example();
        let whole = FactsDigest::of(&facts);
        assert_ne!(FactsDigest::of(&facts[1..]), whole);
        for change in [
            |fact: &mut ListingFact| fact.number += 1,
            |fact: &mut ListingFact| fact.event_id = Uuid::nil(),
            |fact: &mut ListingFact| fact.leaf[31] ^= 1,
        ] {
            let mut changed = facts.clone();
            change(&mut changed[1]);
            assert_ne!(FactsDigest::of(&changed), whole);
        }
        let nothing = FactsDigest::of(&[]);
        assert_eq!(nothing.count, 0);
        assert!(hex::encode(nothing.digest).starts_with("e3b0c442"), "SHA-256 of nothing");
    }
}
