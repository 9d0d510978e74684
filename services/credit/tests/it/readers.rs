//! Readers of the listings topic: what they acknowledge, what is open until then, and how both sides
//! find the first fact in which they differ.

use std::collections::BTreeMap;

use onenet_chassis::{
    day,
    testing::{elsewhere, uscc},
};
use onenet_kernel::{Position as KernelPosition, Recorded};
use onenet_proto::{
    common::v1::{PageRequest, Position, Receipt},
    credit::v1::{
        AckListingsRequest, ListOpenRemovalsRequest, ListOpenRemovalsResponse, ListingRange,
        ReconcileListingsRequest, ReconcileListingsResponse, RemovalReason,
        reconcile_listings_request::Facts,
    },
};
use sha2::{Digest as _, Sha256};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::support::{World, effect, new_id, organ, other_platform, platform, refused, subject};

const SPRING: [&str; 3] = ["2026-03-06", "2026-03-16", "2026-03-20"];

/// So many listings, of which the first ones are removed; the facts as a reader has them.
async fn facts(world: &World, listed: usize, removed: usize) -> Vec<Recorded> {
    let mut cases = Vec::new();
    for _ in 0..listed {
        let case = world.opened(&effect()).await;
        world.list(&case, SPRING).await;
        cases.push(case);
    }
    for case in cases.iter().take(removed) {
        world.remove(case, RemovalReason::PenaltyRevoked, "2026-06-01").await.unwrap();
    }
    let topic = elsewhere::topics(&world.node, "credit").beside("listings");
    elsewhere::published(&world.node, topic, listed + removed).await.unwrap()
}

/// The digest as a reader computes it, from the headers alone.
fn digest(facts: &[Recorded]) -> String {
    let line = |fact: &Recorded| {
        format!("{} {} {}\n", fact.position.number, fact.event_id, hex::encode(fact.leaf))
    };
    hex::encode(Sha256::digest(facts.iter().map(line).collect::<String>()))
}

fn at(KernelPosition { log_id, epoch, number }: KernelPosition) -> Position {
    Position { log_id: log_id.to_string(), epoch, number }
}

/// Everything above a number, as held.
fn acknowledging(after: u64, held: &[Recorded]) -> AckListingsRequest {
    AckListingsRequest {
        command_id: new_id(),
        after,
        upto: held.last().map(|fact| at(fact.position)),
        digest: digest(held),
        ..Default::default()
    }
}

async fn acknowledge(
    world: &World,
    by: &str,
    request: AckListingsRequest,
) -> Result<Receipt, Status> {
    let answer = world.blacklist(by).ack_listings(request).await?;
    Ok(answer.into_inner().receipt.unwrap())
}

fn assert_refused(outcome: Result<Receipt, Status>, code: Code, reason: &str, beside: &str) {
    let details = outcome.as_ref().unwrap_err().get_error_details();
    let (actual, said, _) = refused(outcome);
    assert_eq!((actual, said.as_str()), (code, reason));
    let metadata = &details.error_info().unwrap().metadata;
    assert!(beside.is_empty() || metadata.values().any(|value| value == beside), "{metadata:?}");
}

#[tokio::test]
async fn a_reader_acknowledges_what_it_holds_range_by_range() {
    let world = World::without_clock().await;
    world.knows_agency(&platform()).await;
    let facts = facts(&world, 2, 1).await;
    let (first, rest) = (&facts[..1], &facts[1..]);
    let ends = facts.iter().map(|fact| fact.position.number).collect::<Vec<_>>();

    let said = acknowledge(&world, &platform(), acknowledging(0, first)).await.unwrap();
    assert_eq!(said.stream_id, format!("listing_reader-{}", platform()));
    let again = acknowledge(&world, &platform(), acknowledging(0, first)).await.unwrap();
    assert_eq!((again.version, &again.position), (1, &said.position), "it changes nothing");
    for after in [0, ends[0] + 1] {
        let other = acknowledging(after, rest);
        let outcome = acknowledge(&world, &platform(), other).await;
        assert_refused(outcome, Code::FailedPrecondition, "NOT_NEXT_RANGE", &ends[0].to_string());
    }
    let said = acknowledge(&world, &platform(), acknowledging(ends[0], rest)).await.unwrap();
    assert_eq!(said.version, 2);
    // what lies below is acknowledged for good
    let outcome = acknowledge(&world, &platform(), acknowledging(0, first)).await;
    assert_refused(outcome, Code::FailedPrecondition, "NOT_NEXT_RANGE", &ends[2].to_string());

    // a reader that begins later says from where
    world.knows_agency(&other_platform()).await;
    let late = acknowledging(ends[1], &facts[2..]);
    assert_eq!(acknowledge(&world, &other_platform(), late).await.unwrap().version, 1);
    // the fact stays inside, with the reader as its subject
    let topics = elsewhere::topics(&world.node, "credit");
    let history = elsewhere::published(&world.node, topics.events(), 14).await.unwrap();
    let acknowledged = |event: &&Recorded| event.event_type.ends_with("ListingsAcknowledged");
    let said: Vec<_> = history.iter().filter(acknowledged).collect();
    assert_eq!(said.len(), 3);
    assert!(
        said.iter().all(|event| event.key.division == "41"),
        "what its agency is registered in"
    );
}

#[tokio::test]
async fn what_is_not_what_the_log_holds_is_refused_each_for_its_reason() {
    let world = World::without_clock().await;
    let facts = facts(&world, 1, 1).await;
    let good = || acknowledging(0, &facts);
    for by in [organ(), subject(), platform()] {
        let outcome = acknowledge(&world, &by, good()).await;
        assert_refused(outcome, Code::PermissionDenied, "NOT_AUTHORISED", "");
    }
    let registered = world.registers(&uscc(22), &["ab".repeat(32)]).await;
    let other = AckListingsRequest { fresh_as: vec![registered], ..good() };
    let outcome = acknowledge(&world, &uscc(22), other).await;
    assert_refused(outcome, Code::PermissionDenied, "CERTIFICATE_NOT_REGISTERED", "");

    world.knows_agency(&platform()).await;
    let last = facts[1].position;
    let upto = |upto| AckListingsRequest { upto: Some(upto), ..good() };
    let by = async |request| acknowledge(&world, &platform(), request).await;
    let elsewhere = upto(Position { log_id: new_id(), ..at(last) });
    let outcome = by(elsewhere).await;
    assert_refused(outcome, Code::FailedPrecondition, "OTHER_LOG", &last.log_id.to_string());
    let outcome = by(upto(Position { epoch: 2, ..at(last) })).await;
    assert_refused(outcome, Code::FailedPrecondition, "OTHER_EPOCH", "1");
    for number in [1, last.number + 1_000_000] {
        let outcome = by(upto(Position { number, ..at(last) })).await;
        assert_refused(outcome, Code::NotFound, "LISTING_FACT_UNKNOWN", "");
    }
    let incomplete = AckListingsRequest { digest: digest(&facts[1..]), ..good() };
    let outcome = by(incomplete).await;
    assert_refused(outcome, Code::FailedPrecondition, "DIGEST_DIFFERS", "2");

    let shapes = [
        (AckListingsRequest { upto: None, ..good() }, "upto"),
        (upto(Position { log_id: "一".to_owned(), ..at(last) }), "upto.log_id"),
        (AckListingsRequest { after: last.number, ..good() }, "upto.number"),
        (AckListingsRequest { digest: "AB".repeat(32), ..good() }, "digest"),
        (AckListingsRequest { digest: String::new(), ..good() }, "digest"),
    ];
    for (request, path) in shapes {
        let (code, _, field) = refused(by(request).await);
        assert_eq!((code, field.as_str()), (Code::InvalidArgument, path));
    }
    assert_eq!(by(good()).await.unwrap().version, 1, "nothing of all this was kept");
}

async fn open(
    world: &World,
    by: &str,
    request: ListOpenRemovalsRequest,
) -> Result<ListOpenRemovalsResponse, Status> {
    let answer = world.blacklist(by).list_open_removals(request).await?;
    Ok(answer.into_inner())
}

#[tokio::test]
async fn a_removal_is_open_until_every_configured_reader_has_acknowledged_it() {
    let world = World::without_clock().await;
    let facts = facts(&world, 2, 2).await;
    let (first, second) = (facts[2].position.number, facts[3].position.number);
    for reader in [platform(), other_platform(), uscc(22)] {
        world.knows_agency(&reader).await;
    }
    let all = ListOpenRemovalsRequest::default;
    let place = |it: &ListOpenRemovalsResponse| -> Vec<(String, u64)> {
        let place = |removal: &onenet_proto::credit::v1::OpenRemoval| {
            assert_eq!(removal.subject, subject());
            (removal.reader.clone(), removal.position.as_ref().unwrap().number)
        };
        it.removals.iter().map(place).collect()
    };
    let mut readers = [platform(), other_platform()];
    readers.sort();
    let [one, other] = readers;
    let answer = open(&world, &organ(), all()).await.unwrap();
    let everything =
        [(one.clone(), first), (other.clone(), first), (one.clone(), second), (other, second)];
    assert_eq!(place(&answer), everything);
    assert_eq!(
        answer.removals[0].open_since_at,
        facts[2..].first().map(|fact| onenet_chassis::timestamp(fact.recorded_at))
    );
    let states = |it: &ListOpenRemovalsResponse| -> Vec<(u64, bool, Option<u64>)> {
        let state = |state: &onenet_proto::credit::v1::ReaderState| {
            let acknowledged = state.acknowledged.as_ref().map(|at| at.number);
            (state.open_removals, state.oldest_open_seconds.is_some(), acknowledged)
        };
        it.readers.iter().map(state).collect()
    };
    assert_eq!(states(&answer), [(2, true, None), (2, true, None)]);

    // page by page
    let mut pages = Vec::new();
    let mut page_token = String::new();
    loop {
        let page = Some(PageRequest { page_size: 3, page_token });
        let answer = open(&world, &organ(), ListOpenRemovalsRequest { page, ..all() }).await;
        let answer = answer.unwrap();
        pages.push(place(&answer));
        page_token = answer.page.unwrap().next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(pages.concat(), everything);
    let page = Some(PageRequest { page_size: 3, page_token: "x".to_owned() });
    let outcome = open(&world, &organ(), ListOpenRemovalsRequest { page, ..all() }).await;
    assert_eq!(refused(outcome).1, "PAGE_TOKEN_INVALID");

    // a reader closes its own
    let said = acknowledge(&world, &platform(), acknowledging(0, &facts[..3])).await.unwrap();
    let after = || ListOpenRemovalsRequest { fresh_as: vec![said.clone()], ..Default::default() };
    let own = open(&world, &platform(), after()).await.unwrap();
    assert_eq!(place(&own), [(platform(), second)]);
    assert_eq!(states(&own), [(1, true, Some(first))]);
    let rest = acknowledging(first, &facts[3..]);
    let said = acknowledge(&world, &platform(), rest).await.unwrap();
    let after = || ListOpenRemovalsRequest { fresh_as: vec![said.clone()], ..Default::default() };
    let own = open(&world, &platform(), after()).await.unwrap();
    assert_eq!((place(&own), states(&own)), (vec![], vec![(0, false, Some(second))]));
    let others = open(&world, &organ(), after()).await.unwrap();
    assert_eq!(place(&others), [(other_platform(), first), (other_platform(), second)]);

    // of one subject, of one reader
    let nobody = ListOpenRemovalsRequest { subject: Some(uscc(6)), ..after() };
    assert_eq!(place(&open(&world, &organ(), nobody).await.unwrap()), []);
    let of = |reader| ListOpenRemovalsRequest { reader: Some(reader), ..after() };
    let answer = open(&world, &organ(), of(other_platform())).await.unwrap();
    assert_eq!(states(&answer), [(2, true, None)]);
    assert_eq!(open(&world, &organ(), of(uscc(22))).await.unwrap().readers, [], "not configured");
    for by in [platform(), subject()] {
        let outcome = open(&world, &by, of(other_platform())).await;
        assert_eq!(refused(outcome).1, "NOT_AUTHORISED", "{by}");
    }
}

async fn reconcile(world: &World, by: &str, facts: Facts) -> ReconcileListingsResponse {
    let request = ReconcileListingsRequest { facts: Some(facts), ..Default::default() };
    let answer = world.blacklist(by).reconcile_listings(request).await.unwrap().into_inner();
    assert!(!answer.incomplete);
    answer
}

#[tokio::test]
async fn a_reader_halves_a_range_down_to_the_first_fact_that_differs() {
    let world = World::without_clock().await;
    let facts = facts(&world, 3, 2).await;
    world.knows_agency(&platform()).await;
    for planted in 0..facts.len() {
        let mut held = facts.clone();
        held[planted].leaf[0] ^= 1;
        if let Some(also) = held.get_mut(planted + 2) {
            also.leaf[0] ^= 1;
        }
        // the log and the reader agree up to `after` and differ by `upto`
        let (mut after, mut upto) = (0, facts.last().unwrap().position.number);
        let mut asked = 0;
        while upto - after > 1 {
            let middle = after + (upto - after) / 2;
            let own: Vec<_> = held
                .iter()
                .filter(|fact| (after + 1..=middle).contains(&fact.position.number))
                .cloned()
                .collect();
            let range = ListingRange { after, upto: middle };
            let theirs = reconcile(&world, &platform(), Facts::Range(range)).await;
            assert_eq!((theirs.range, theirs.count), (Some(range), own.len() as u64));
            if theirs.digest == digest(&own) {
                after = middle;
            } else {
                upto = middle;
            }
            asked += 1;
        }
        assert_eq!(upto, facts[planted].position.number, "planted at {planted}");
        assert!(asked <= 6, "{asked} questions");
    }
}

#[tokio::test]
async fn a_day_is_the_range_of_what_was_recorded_on_it() {
    let world = World::today().await;
    let facts = facts(&world, 2, 1).await;
    let mut days: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
    for fact in facts {
        days.entry(day::of(fact.recorded_at).to_string()).or_default().push(fact);
    }
    let mut before = 0;
    for (day, held) in days {
        let theirs = reconcile(&world, &organ(), Facts::RecordedOn(day)).await;
        let upto = held.last().unwrap().position.number;
        assert_eq!(theirs.range, Some(ListingRange { after: before, upto }));
        assert_eq!((theirs.count, theirs.digest), (held.len() as u64, digest(&held)));
        assert!(theirs.known_at.unwrap().number >= upto);
        before = upto;
    }
    let quiet = reconcile(&world, &organ(), Facts::RecordedOn("2026-01-01".to_owned())).await;
    assert_eq!((quiet.count, quiet.digest), (0, digest(&[])));
    assert_eq!(quiet.range, Some(ListingRange { after: 0, upto: 0 }));

    let ask = async |by: &str, facts| {
        let request = ReconcileListingsRequest { facts, ..Default::default() };
        refused(world.blacklist(by).reconcile_listings(request).await)
    };
    let inverted = Some(Facts::Range(ListingRange { after: 7, upto: 7 }));
    for (facts, reason, path) in [
        (None, "FIELD_MISSING", "facts"),
        (Some(Facts::RecordedOn("3000-01-01".to_owned())), "DATE_IN_FUTURE", "recorded_on"),
        (inverted, "FIELD_MALFORMED", "range.upto"),
    ] {
        let (_, said, field) = ask(&organ(), facts).await;
        assert_eq!((said.as_str(), field.as_str()), (reason, path));
    }
    let quiet = Some(Facts::RecordedOn("2026-01-01".to_owned()));
    assert_eq!(ask(&subject(), quiet).await.1, "NOT_AUTHORISED");
}
