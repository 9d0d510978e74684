//! Each reason of the contract, with what it promises beside it, and that a refused command changes
//! nothing.

use std::fmt::Debug;

use onenet_chassis::testing::uscc;
use onenet_proto::{
    credit::v1::{
        CreditCaseState, DecideListingRequest, GetBlacklistEntryRequest, GetCreditCaseRequest,
        GetPenaltyJudgementRequest, ListingDecision, ListingOutcome, Measure,
        ProposeListingRequest, Removal, RemovalReason, RemoveListingRequest,
    },
    enforcement::v1::PenaltyTookEffect,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    steps::{deciding, decision, noticing, proposing, removing},
    support::{World, effect, effect_of, new_id, organ, refused},
};

fn assert_refused<T: Debug>(outcome: Result<T, Status>, code: Code, reason: &str) {
    let (actual_code, actual_reason, _) = refused(outcome);
    assert_eq!((actual_code, actual_reason.as_str()), (code, reason));
}

/// Refused because of where the case stands; answers what is promised beside the reason.
fn precondition<T: Debug>(
    outcome: Result<T, Status>,
    reason: &str,
    beside: Option<&str>,
) -> String {
    let details = outcome.as_ref().unwrap_err().get_error_details();
    assert_refused(outcome, Code::FailedPrecondition, reason);
    let metadata = &details.error_info().unwrap().metadata;
    beside.map(|key| metadata[key].clone()).unwrap_or_default()
}

#[tokio::test]
async fn what_nobody_has_heard_of() {
    let world = World::without_clock().await;
    let mut client = world.credit(&organ());
    let proposal = proposing(&new_id(), "MEM11-B1");
    assert_refused(client.propose_listing(proposal).await, Code::NotFound, "PENALTY_UNKNOWN");
    let get = GetPenaltyJudgementRequest { penalty_case_id: new_id(), ..Default::default() };
    assert_refused(client.get_penalty_judgement(get).await, Code::NotFound, "PENALTY_UNKNOWN");
    let unknown = "CREDIT_CASE_UNKNOWN";
    assert_refused(world.notice(&new_id(), "2026-03-06").await, Code::NotFound, unknown);
    let get = GetCreditCaseRequest { credit_case_id: new_id(), ..Default::default() };
    assert_refused(client.get_credit_case(get).await, Code::NotFound, unknown);
    let get = GetBlacklistEntryRequest { subject: uscc(5), ..Default::default() };
    assert_refused(client.get_blacklist_entry(get).await, Code::NotFound, "NEVER_LISTED");
}

#[tokio::test]
async fn an_officer_proposes_only_what_the_rule_set_of_the_day_knows() {
    let world = World::without_clock().await;
    let mut client = world.credit(&organ());
    let older = PenaltyTookEffect { effective_on: "2020-05-08".to_owned(), ..effect() };
    world.judged(&older).await;
    let outcome = client.propose_listing(proposing(&older.case_id, "AZ49-J02")).await;
    let rule_set = precondition(outcome, "NO_EXECUTABLE_RULE_SET", Some("rule_set"));
    assert_eq!(rule_set, "AZ2017-49");

    let training = effect_of("V-TRAINING");
    world.judged(&training).await;
    let outcome = client.propose_listing(proposing(&training.case_id, "MEM11-B9")).await;
    assert_refused(outcome, Code::InvalidArgument, "TRIGGER_UNKNOWN");
    let outcome = client.propose_listing(proposing(&training.case_id, "MEM11-B2")).await;
    precondition(outcome, "TRIGGER_NOT_FOR_SUBJECT", None);

    let opened = effect();
    let case = world.opened(&opened).await;
    let outcome = client.propose_listing(proposing(&opened.case_id, "MEM11-B1")).await;
    let open = precondition(outcome, "CASE_ALREADY_OPEN", Some("credit_case_id"));
    assert_eq!(open, case);
}

#[tokio::test]
async fn a_case_refuses_what_does_not_follow_from_where_it_stands() {
    let world = World::without_clock().await;
    let case = world.opened(&effect()).await;
    let list = |decided_on| decision(ListingOutcome::List, decided_on);
    precondition(world.state(&case, "2026-03-10").await, "NOTICE_NOT_SERVED", None);
    precondition(world.decide(&case, list("2026-03-16")).await, "NOTICE_NOT_SERVED", None);
    let earliest = |outcome| precondition(outcome, "DATE_TOO_EARLY", Some("earliest"));
    assert_eq!(earliest(world.notice(&case, "2026-03-01").await), "2026-03-02");
    // working days of 2023 are not known
    assert_eq!(earliest(world.notice(&case, "2023-12-29").await), "2024-01-01");
    world.notice(&case, "2026-03-06").await.unwrap();
    precondition(world.notice(&case, "2026-03-09").await, "NOTICE_ALREADY_SERVED", None);

    let outcome = world.state(&case, "2026-03-14").await;
    assert_eq!(precondition(outcome, "STATEMENT_TOO_LATE", Some("latest")), "2026-03-13");
    assert_eq!(earliest(world.state(&case, "2026-03-05").await), "2026-03-06");
    let outcome = world.decide(&case, list("2026-03-13")).await;
    let due_at = precondition(outcome, "STATEMENT_PERIOD_OPEN", Some("due_at"));
    assert_eq!(due_at, "2026-03-13T16:00:00Z");
    precondition(world.serve(&case, "2026-03-20").await, "NOT_DECIDED", None);

    world.decide(&case, list("2026-03-16")).await.unwrap();
    precondition(world.decide(&case, list("2026-03-17")).await, "ALREADY_DECIDED", None);
    precondition(world.state(&case, "2026-03-10").await, "ALREADY_DECIDED", None);
    let revoked = RemovalReason::DecisionRevoked;
    precondition(world.remove(&case, revoked, "2026-06-01").await, "NOT_IN_FORCE", None);
    assert_eq!(earliest(world.serve(&case, "2026-03-15").await), "2026-03-16");

    world.serve(&case, "2026-03-20").await.unwrap();
    precondition(world.serve(&case, "2026-03-21").await, "ALREADY_LISTED", None);
    let exit = world.remove(&case, RemovalReason::EarlyExit, "2026-11-01").await;
    assert_eq!(precondition(exit, "EARLY_EXIT_TOO_SOON", Some("earliest")), "2027-03-20");
    assert_eq!(earliest(world.remove(&case, revoked, "2026-03-19").await), "2026-03-20");
    let again = world.serve(&case, "2026-03-20").await.unwrap();
    assert_eq!(again.version, 5, "the refused commands changed nothing");

    let spared = world.opened(&effect()).await;
    world.notice(&spared, "2026-03-06").await.unwrap();
    let not_to_list = decision(ListingOutcome::DoNotList, "2026-03-16");
    world.decide(&spared, not_to_list).await.unwrap();
    precondition(world.serve(&spared, "2026-03-20").await, "DECIDED_NOT_TO_LIST", None);
}

#[tokio::test]
async fn a_bad_field_is_named() {
    let world = World::without_clock().await;
    let case = world.opened(&effect()).await;
    let mut client = world.credit(&organ());
    let bad = |outcome: (Code, String, String), reason: &str, field: &str| {
        assert_eq!(outcome, (Code::InvalidArgument, reason.to_owned(), field.to_owned()));
    };
    let proposal =
        ProposeListingRequest { grounds: String::new(), ..proposing(&new_id(), "MEM11-B1") };
    bad(refused(client.propose_listing(proposal).await), "FIELD_MISSING", "grounds");
    let outcome = refused(world.notice(&case, "2026-11-25").await);
    bad(outcome, "DATE_IN_FUTURE", "notice.served_on");
    let outcome = refused(world.notice("case 1", "2026-03-06").await);
    bad(outcome, "FIELD_MALFORMED", "credit_case_id");
    let mut notice = noticing(&case, "2026-03-06");
    notice.notice.as_mut().unwrap().document_number = "号".repeat(129);
    let outcome = refused(client.serve_listing_notice(notice).await);
    bad(outcome, "TEXT_TOO_LONG", "notice.document_number");
    bad(refused(world.state(&case, "").await), "FIELD_MISSING", "statement.received_on");

    let list = || decision(ListingOutcome::List, "2026-03-16");
    let with = |change: fn(&mut Measure)| {
        let mut decision = list();
        decision.measures.iter_mut().for_each(change);
        decision
    };
    let spared = ListingDecision { outcome: ListingOutcome::DoNotList.into(), ..list() };
    let many = ListingDecision { measures: vec![Measure::default(); 51], ..list() };
    for (decision, reason, field) in [
        (ListingDecision { outcome: 0, ..list() }, "FIELD_MISSING", "outcome"),
        (ListingDecision { reasons: String::new(), ..list() }, "FIELD_MISSING", "reasons"),
        (spared, "FIELD_NOT_ALLOWED", "measures"),
        (many, "LIST_TOO_LONG", "measures"),
        (with(|it| it.legal_basis = String::new()), "FIELD_MISSING", "measures[0].legal_basis"),
        (with(|it| it.field = 99), "ENUM_UNKNOWN", "measures[0].field"),
        (with(|it| it.effect = 0), "FIELD_MISSING", "measures[0].effect"),
        (with(|it| it.executing_organ.clear()), "FIELD_MISSING", "measures[0].executing_organ"),
    ] {
        let outcome = refused(world.decide(&case, decision).await);
        bad(outcome, reason, &format!("decision.{field}"));
    }
    let nothing = DecideListingRequest { decision: None, ..deciding(&case, list()) };
    bad(refused(client.decide_listing(nothing).await), "FIELD_MISSING", "decision");

    let remove = |reason: RemovalReason| removing(&case, reason, "2026-06-01");
    let outcome = refused(client.remove_listing(remove(RemovalReason::Expired)).await);
    bad(outcome, "FIELD_NOT_ALLOWED", "removal.reason");
    let mut unnumbered = remove(RemovalReason::EarlyExit);
    unnumbered.removal = unnumbered.removal.map(|it| Removal { document_number: None, ..it });
    let outcome = refused(client.remove_listing(unnumbered).await);
    bad(outcome, "FIELD_MISSING", "removal.document_number");
    let nowhere =
        RemoveListingRequest { listing_id: String::new(), ..remove(RemovalReason::EarlyExit) };
    bad(refused(client.remove_listing(nowhere).await), "FIELD_MISSING", "listing_id");
}

#[tokio::test]
async fn a_decision_whose_event_could_not_be_published_is_refused() {
    let world = World::new().await;
    let case = world.opened(&effect()).await;
    world.notice(&case, "2026-03-06").await.unwrap();
    world.until(&case, CreditCaseState::ToBeDecided).await;
    let mut huge = decision(ListingOutcome::List, "2026-03-16");
    // each within its own bounds, and together beyond what one event may hold
    huge.measures[0].legal_basis = "法".repeat(2_048);
    huge.measures = vec![huge.measures[0].clone(); 50];
    let outcome = world.credit(&organ()).decide_listing(deciding(&case, huge)).await;
    let (code, reason, _) = refused(outcome);
    assert_eq!((code, reason.as_str()), (Code::ResourceExhausted, "EVENT_TOO_LARGE"));
    let view = world.case(&case, &[]).await;
    assert_eq!(view.state(), CreditCaseState::ToBeDecided, "nothing was decided");
}
