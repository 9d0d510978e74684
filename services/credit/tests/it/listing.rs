//! A credit case from the penalty to the end of its listing.

use onenet_chassis::testing::elsewhere;
use onenet_proto::credit::v1::{
    CreditCaseState, ListingOutcome, NothingInForce, RemovalReason, blacklist_record::State,
};

use crate::{
    steps::decision,
    support::{World, effect, organ, subject},
};

/// The days of a listing in the spring of 2026: notice, decision, listing.
const SPRING: [&str; 3] = ["2026-03-06", "2026-03-16", "2026-03-20"];

fn listings(state: Option<State>) -> Vec<String> {
    match state {
        Some(State::Entry(entry)) => {
            entry.in_force.into_iter().map(|listing| listing.listing_id).collect()
        }
        _ => vec![],
    }
}

#[tokio::test]
async fn a_penalty_leads_to_a_listing_and_a_decision_ends_it() {
    let world = World::new().await;
    let case = world.opened(&effect()).await;
    let view = world.case(&case, &[]).await;
    assert_eq!((view.state(), view.version), (CreditCaseState::Open, 1));
    assert_eq!((view.rule_set.as_str(), view.trigger.as_str()), ("MEM-11", "MEM11-B1"));
    assert_eq!((view.subject.unwrap().uscc, view.penalty.unwrap().organ), (subject(), organ()));

    world.notice(&case, "2026-03-06").await.unwrap();
    // five working days later is long ago, and the clock says so
    let view = world.until(&case, CreditCaseState::ToBeDecided).await;
    assert_eq!(view.obligation, None);
    let stated = world.state(&case, "2026-03-10").await.unwrap();
    let view = world.case(&case, &[stated]).await;
    assert_eq!((view.statements.len(), view.state()), (1, CreditCaseState::ToBeDecided));

    let decided = decision(ListingOutcome::List, "2026-03-16");
    let receipt = world.decide(&case, decided.clone()).await.unwrap();
    let view = world.case(&case, &[receipt]).await;
    assert_eq!((view.state(), view.decision), (CreditCaseState::DecidedToList, Some(decided)));

    let receipt = world.serve(&case, "2026-03-20").await.unwrap();
    let view = world.case(&case, std::slice::from_ref(&receipt)).await;
    assert_eq!(view.state(), CreditCaseState::Listed);
    assert_eq!(view.listed_on.as_deref(), Some("2026-03-20"));
    assert_eq!(view.expires_on.as_deref(), Some("2029-03-20"));
    let expiry = view.obligation.unwrap();
    assert_eq!((expiry.kind.as_str(), expiry.organ), ("credit.listing_expiry", organ()));
    let record = world.on_the_list(std::slice::from_ref(&receipt)).await;
    assert_eq!((record.subject, record.position), (subject(), receipt.position));
    assert_eq!(listings(record.state), [case.as_str()]);

    let reason = RemovalReason::DecisionRevoked;
    let receipt = world.remove(&case, reason, "2026-06-01").await.unwrap();
    let view = world.case(&case, std::slice::from_ref(&receipt)).await;
    assert_eq!((view.state(), view.obligation), (CreditCaseState::Removed, None));
    assert_eq!(view.removal.unwrap().reason(), reason);
    let record = world.on_the_list(&[receipt]).await;
    let nothing = NothingInForce { reason: reason.into() };
    assert_eq!(record.state, Some(State::NothingInForce(nothing)));
}

#[tokio::test]
async fn the_end_of_one_listing_leaves_the_other_in_force() {
    let world = World::new().await;
    let first = world.opened(&effect()).await;
    world.list(&first, SPRING).await;
    let second = world.opened(&effect()).await;
    let listed = world.list(&second, ["2026-05-06", "2026-06-01", "2026-06-03"]).await;
    let record = world.on_the_list(&[listed]).await;
    assert_eq!(listings(record.state), [first.clone(), second.clone()], "oldest first");

    let reason = RemovalReason::PenaltyRevoked;
    let removed = world.remove(&first, reason, "2026-07-01").await.unwrap();
    let record = world.on_the_list(std::slice::from_ref(&removed)).await;
    assert_eq!(listings(record.state), [second.as_str()]);
    // both cases show where their subject's stream stands, so that either may go on from it
    let views = [world.case(&first, &[]).await, world.case(&second, &[]).await];
    assert_eq!(views.each_ref().map(|view| view.version), [removed.version; 2]);
    assert_eq!(views.map(|view| view.state()), [CreditCaseState::Removed, CreditCaseState::Listed]);

    let removed = world.remove(&second, reason, "2026-07-02").await.unwrap();
    let record = world.on_the_list(&[removed]).await;
    assert!(matches!(record.state, Some(State::NothingInForce(_))));
}

#[tokio::test]
async fn a_case_that_another_process_has_opened_is_known_at_once() {
    let world = World::in_two().await;
    let first = world.opened(&effect()).await;
    world.notice(&first, "2026-03-06").await.unwrap();
    // what the answering process keeps of the subject ends with the notice
    let second = world.opened(&effect()).await;
    assert_eq!(world.case(&second, &[]).await.state(), CreditCaseState::Open);
    world.notice(&second, "2026-03-09").await.unwrap();
    let topic = elsewhere::topics(&world.node, "credit").events();
    let events = elsewhere::published(&world.node, topic, 4).await.unwrap();
    assert!(events.iter().all(|event| event.rules_version == "MEM-11"));
}

/// Working days of 2023 around the day 令第11号 came into force.
const OF_2023: &str = "date,kind
2023-01-01,holiday
2023-10-02,holiday
2023-10-03,holiday
2023-10-04,holiday
2023-10-05,holiday
2023-10-06,holiday
2023-10-07,workday
2023-10-08,workday
";

#[tokio::test]
async fn the_clock_ends_a_listing_whose_term_is_over_and_no_other() {
    let world = World::with_holidays(OF_2023).await;
    let mut of_2023 = effect();
    of_2023.effective_on = "2023-10-01".to_owned();
    let old = world.opened(&of_2023).await;
    // the fifth working day after 1 October was the 11th
    world.list(&old, ["2023-10-01", "2023-10-12", "2023-10-18"]).await;
    let young = world.opened(&effect()).await;
    let listed = world.list(&young, SPRING).await;

    let view = world.until(&old, CreditCaseState::Removed).await;
    let removal = view.removal.unwrap();
    assert_eq!((removal.reason(), removal.document_number), (RemovalReason::Expired, None));
    assert_eq!(removal.removed_on, "2026-10-18");
    let view = world.case(&young, std::slice::from_ref(&listed)).await;
    assert_eq!(view.state(), CreditCaseState::Listed);
    let record = world.on_the_list(&[listed]).await;
    assert_eq!(listings(record.state), [young]);
}

#[tokio::test]
async fn a_holiday_notice_moves_a_statement_period_that_was_counted_beyond_the_last_one() {
    // long enough to end in years without notices, whatever the present day
    let days = 5_000;
    let world = World::with_statement_days(days).await;
    let case = world.opened(&effect()).await;
    let receipt = world.notice(&case, "2026-03-06").await.unwrap();
    let before = world.case(&case, &[receipt]).await.obligation.unwrap();
    assert!(before.calendar_version.starts_with("CN-2026-") && before.provisional);
    let built_in = include_str!("../../../../crates/standards/data/holidays.csv");
    let notices = format!(
        "{built_in}2027-01-01,holiday,元旦,-\n2027-02-08,holiday,春节,-\n\
             2027-02-09,holiday,春节,-\n2027-10-01,holiday,国庆节,-\n"
    );
    let _counting = world.counting_by(&notices, days);
    let view = world.until_version(&case, 3).await;
    let after = view.obligation.unwrap();
    assert_eq!(after.id, before.id);
    assert!(after.calendar_version.starts_with("CN-2027-"), "{}", after.calendar_version);
    let [before, after] = [before.due_at, after.due_at].map(|due_at| due_at.unwrap().seconds);
    assert!(after >= before + 2 * 86_400, "two days off that were not foreseen: {before} {after}");
}

#[tokio::test]
async fn the_statement_period_is_an_obligation_that_says_what_it_rests_on() {
    let world = World::without_clock().await;
    let case = world.opened(&effect()).await;
    let receipt = world.notice(&case, "2026-03-06").await.unwrap();
    let view = world.case(&case, &[receipt]).await;
    assert_eq!(view.state(), CreditCaseState::NoticeServed);
    let period = view.obligation.unwrap();
    assert_eq!((period.kind.as_str(), period.organ), ("credit.listing_statement", organ()));
    assert_eq!(period.due_at.unwrap().to_string(), "2026-03-13T16:00:00Z");
    assert!(period.calendar_version.starts_with("CN-2026-") && !period.provisional);
    assert!(period.legal_basis.contains("令第11号未规定"), "{}", period.legal_basis);
    // a decision after its last day needs no clock
    let decided = decision(ListingOutcome::DoNotList, "2026-03-16");
    let receipt = world.decide(&case, decided).await.unwrap();
    let view = world.case(&case, &[receipt]).await;
    assert_eq!((view.state(), view.obligation), (CreditCaseState::NotListed, None));
}

#[tokio::test]
async fn a_retry_gets_its_first_receipt_and_the_same_step_again_changes_nothing() {
    use crate::steps::{deciding, noticing, removing, serving, stating};

    let world = World::without_clock().await;
    let case = world.opened(&effect()).await;
    let mut client = world.credit(&organ());
    macro_rules! thrice {
        ($call:ident, $request:expr) => {{
            let request = $request();
            let first = client.$call(request.clone()).await.unwrap().into_inner();
            assert_eq!(client.$call(request).await.unwrap().into_inner(), first);
            let again = client.$call($request()).await.unwrap().into_inner().receipt.unwrap();
            assert_eq!(again.version, first.receipt.unwrap().version, "nothing was appended");
        }};
    }
    let noticed = || noticing(&case, "2026-03-06");
    thrice!(serve_listing_notice, noticed);
    let stated = || stating(&case, "2026-03-10");
    thrice!(record_statement, stated);
    let decided = || deciding(&case, decision(ListingOutcome::List, "2026-03-16"));
    thrice!(decide_listing, decided);
    let served = || serving(&case, "2026-03-20");
    thrice!(serve_listing_decision, served);
    let removed = || removing(&case, RemovalReason::DecisionRevoked, "2026-06-01");
    thrice!(remove_listing, removed);
}
