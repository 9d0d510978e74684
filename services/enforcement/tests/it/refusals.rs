//! Each reason of the contract, and that a refused command changes nothing.

use onenet_chassis::testing::{elsewhere::Registered, uscc};
use onenet_proto::{
    common::v1::Money,
    enforcement::v1::{GetCaseRequest, OpenCaseRequest, Penalty, PenaltyKind},
};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::support::{World, deciding, new_id, opening, organ, penalty, plant, refused, serving};

#[tokio::test]
async fn a_party_that_is_not_registered_and_a_case_that_was_not_opened() {
    let world = World::new().await;
    let mut client = world.cases(&organ());
    let nobody = OpenCaseRequest { party: uscc(77), ..opening() };
    let (code, reason, _) = refused(client.open_case(nobody).await);
    assert_eq!((code, reason.as_str()), (Code::NotFound, "ENTERPRISE_UNKNOWN"));
    // heard of a moment ago, the same command succeeds
    world.knows([Registered::Enterprise(plant(77))]).await;
    let known = OpenCaseRequest { party: uscc(77), ..opening() };
    assert!(client.open_case(known).await.is_ok());

    let nowhere = new_id();
    let get = GetCaseRequest { case_id: nowhere.clone(), ..Default::default() };
    for (code, reason, _) in [
        refused(client.decide_penalty(deciding(&nowhere, penalty())).await),
        refused(client.serve_penalty(serving(&nowhere, "2026-10-12")).await),
        refused(client.get_case(get).await),
    ] {
        assert_eq!((code, reason.as_str()), (Code::NotFound, "CASE_UNKNOWN"));
    }
}

#[tokio::test]
async fn a_case_refuses_what_does_not_follow_from_where_it_stands() {
    let world = World::new().await;
    let case_id = world.open().await.case_id;
    let precondition = |(code, reason, _): (Code, String, String)| {
        assert_eq!(code, Code::FailedPrecondition, "{reason}");
        reason
    };
    let outcome = world.serve(&case_id, "2026-10-12").await;
    assert_eq!(precondition(refused(outcome)), "PENALTY_NOT_DECIDED");

    let early = Penalty { decided_on: "2026-08-31".to_owned(), ..penalty() };
    let outcome = world.decide(&case_id, early).await;
    let details = outcome.as_ref().unwrap_err().get_error_details();
    assert_eq!(details.error_info().unwrap().metadata["earliest"], "2026-09-01");
    assert_eq!(precondition(refused(outcome)), "DATE_TOO_EARLY");

    world.decide(&case_id, penalty()).await.unwrap();
    let other = Penalty { summary: "别的事实".to_owned(), ..penalty() };
    let outcome = world.decide(&case_id, other).await;
    assert_eq!(precondition(refused(outcome)), "PENALTY_ALREADY_DECIDED");
    let outcome = world.serve(&case_id, "2026-10-08").await;
    assert_eq!(precondition(refused(outcome)), "DATE_TOO_EARLY");

    world.serve(&case_id, "2026-10-12").await.unwrap();
    let outcome = world.serve(&case_id, "2026-10-13").await;
    assert_eq!(precondition(refused(outcome)), "PENALTY_ALREADY_SERVED");
    let again = world.serve(&case_id, "2026-10-12").await.unwrap();
    assert_eq!(again.version, 3, "the refused commands changed nothing");
}

#[tokio::test]
async fn a_bad_field_is_named() {
    let world = World::new().await;
    let mut client = world.cases(&organ());
    let filed = |filed_on: &str| OpenCaseRequest { filed_on: filed_on.to_owned(), ..opening() };
    for (request, reason, field) in [
        (filed("2026-11-25"), "DATE_IN_FUTURE", "filed_on"),
        (filed("2026-9-1"), "FIELD_MALFORMED", "filed_on"),
        (OpenCaseRequest { cause: "长".repeat(2_001), ..opening() }, "TEXT_TOO_LONG", "cause"),
        (OpenCaseRequest { party: String::new(), ..opening() }, "FIELD_MISSING", "party"),
    ] {
        let outcome = refused(client.open_case(request).await);
        assert_eq!(outcome, (Code::InvalidArgument, reason.to_owned(), field.to_owned()));
    }

    let case_id = world.open().await.case_id;
    let warned = |fine, fine_multiple: Option<&str>| Penalty {
        kinds: vec![PenaltyKind::Warning.into()],
        fine,
        fine_multiple: fine_multiple.map(str::to_owned),
        ..penalty()
    };
    let violations = |codes: &[&str]| Penalty {
        violations: codes.iter().map(|&code| code.to_owned()).collect(),
        ..penalty()
    };
    let twice = vec![PenaltyKind::Fine.into(), PenaltyKind::Fine.into()];
    let multiple = |text: &str| Penalty { fine_multiple: Some(text.to_owned()), ..penalty() };
    let zero = Penalty { fine: Some(Money { fen: 0 }), ..penalty() };
    for (penalty, reason, field) in [
        (violations(&["V-UNKNOWN"]), "VIOLATION_UNKNOWN", "violations[0]"),
        (violations(&["V-UNLICENSED", ""]), "FIELD_MISSING", "violations[1]"),
        (violations(&["V-TRAINING", "V-TRAINING"]), "FIELD_MALFORMED", "violations[1]"),
        (violations(&["V-TRAINING"; 51]), "LIST_TOO_LONG", "violations"),
        (violations(&[]), "FIELD_MISSING", "violations"),
        (Penalty { kinds: vec![], ..penalty() }, "FIELD_MISSING", "kinds"),
        (Penalty { kinds: vec![99], ..penalty() }, "ENUM_UNKNOWN", "kinds[0]"),
        (Penalty { kinds: twice, ..penalty() }, "FIELD_MALFORMED", "kinds[1]"),
        (Penalty { fine: None, fine_multiple: None, ..penalty() }, "FIELD_MISSING", "fine"),
        (zero, "NUMBER_OUT_OF_RANGE", "fine.fen"),
        (warned(Some(Money { fen: 1 }), None), "FIELD_NOT_ALLOWED", "fine"),
        (warned(None, Some("2")), "FIELD_NOT_ALLOWED", "fine_multiple"),
        (multiple("0"), "NUMBER_OUT_OF_RANGE", "fine_multiple"),
        (multiple("2,5"), "FIELD_MALFORMED", "fine_multiple"),
        (
            Penalty { decided_on: "2027-01-01".to_owned(), ..penalty() },
            "DATE_IN_FUTURE",
            "decided_on",
        ),
        (Penalty { legal_basis: " ".to_owned(), ..penalty() }, "FIELD_MISSING", "legal_basis"),
        (Penalty { summary: "字".repeat(4_001), ..penalty() }, "TEXT_TOO_LONG", "summary"),
    ] {
        let outcome = refused(world.decide(&case_id, penalty).await);
        let field = format!("penalty.{field}");
        assert_eq!(outcome, (Code::InvalidArgument, reason.to_owned(), field));
    }
}
