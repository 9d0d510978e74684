//! A case from its filing to the effect of its penalty.

use onenet_chassis::testing::{
    elsewhere::{self, Registered},
    uscc,
};
use onenet_kernel::StreamId;
use onenet_proto::{
    common::v1::{PageRequest, Receipt},
    enforcement::v1::{CaseState, ListCasesRequest, OpenCaseRequest, PenaltyTookEffect},
    enterprise::v1::Tier,
};
use prost::Message as _;
use tonic::Code;

use crate::support::{
    World, empowered, opening, organ, party, penalty, plant, refused, register, serving,
};

#[tokio::test]
async fn a_case_is_opened_decided_and_takes_effect_by_service() {
    let world = World::new().await;
    let opened = world.open().await;
    let (case_id, receipt) = (opened.case_id, opened.receipt.unwrap());
    assert_eq!((receipt.stream_id.clone(), receipt.version), (format!("case-{case_id}"), 1));
    let view = world.case(&case_id, receipt).await;
    assert_eq!((view.state(), view.case_id.as_str()), (CaseState::Open, case_id.as_str()));
    assert_eq!((view.organ, view.filed_on.as_str()), (organ(), "2026-09-01"));
    let about = view.party.unwrap();
    assert_eq!(
        (about.uscc, about.division, about.industry),
        (party(), plant(5).division, plant(5).industry)
    );
    assert_eq!((view.penalty, view.effective_on, view.version), (None, None, 1));

    let receipt = world.decide(&case_id, penalty()).await.unwrap();
    let view = world.case(&case_id, receipt).await;
    assert_eq!((view.state(), view.version), (CaseState::Decided, 2));
    assert_eq!((view.penalty, view.effective_on), (Some(penalty()), None));

    let receipt = world.serve(&case_id, "2026-10-12").await.unwrap();
    let view = world.case(&case_id, receipt).await;
    assert_eq!((view.state(), view.version), (CaseState::InEffect, 3));
    assert_eq!(view.effective_on.as_deref(), Some("2026-10-12"));
}

#[tokio::test]
async fn a_retry_gets_its_first_receipt_and_the_same_step_again_changes_nothing() {
    let world = World::new().await;
    let mut client = world.cases(&organ());
    let request = opening();
    let first = client.open_case(request.clone()).await.unwrap().into_inner();
    let case_id = first.case_id.clone();
    world.decide(&case_id, penalty()).await.unwrap();
    let retried = client.open_case(request).await.unwrap().into_inner();
    assert_eq!(first, retried, "though the case has moved on");

    let again = world.decide(&case_id, penalty()).await.unwrap();
    assert_eq!(again.version, 2, "nothing was appended");
    let serving = serving(&case_id, "2026-10-12");
    let served = client.serve_penalty(serving.clone()).await.unwrap().into_inner();
    assert_eq!(client.serve_penalty(serving).await.unwrap().into_inner(), served);
    assert_eq!(world.serve(&case_id, "2026-10-12").await.unwrap().version, 3);
}

#[tokio::test]
async fn what_the_register_says_is_waited_for_and_what_is_decided_is_published() {
    let world = World::whole().await;
    let mut heard: Vec<Receipt> = Vec::new();
    for known in register() {
        let stream: StreamId = known.stream();
        let said = elsewhere::say(&world.node, "enterprise", &stream, known.event()).await;
        heard.push(onenet_chassis::receipt_to_wire(&said.unwrap()));
    }
    let request = OpenCaseRequest { fresh_as: heard, ..opening() };
    let opened = world.cases(&organ()).open_case(request).await.unwrap().into_inner();
    world.decide(&opened.case_id, penalty()).await.unwrap();
    world.serve(&opened.case_id, "2026-10-12").await.unwrap();

    let topic = elsewhere::topics(&world.node, "enforcement").events();
    let events = elsewhere::published(&world.node, topic, 3).await.unwrap();
    let types: Vec<_> = events.iter().map(|event| event.event_type.as_str()).collect();
    let named = ["CaseOpened", "PenaltyDecided", "PenaltyTookEffect"]
        .map(|name| format!("onenet.enforcement.v1.{name}"));
    assert_eq!(types, named);
    let last = events.last().unwrap();
    let effect = PenaltyTookEffect::decode(last.payload.clone()).unwrap();
    assert_eq!((effect.organ, effect.penalty), (organ(), Some(penalty())));
    assert_eq!(effect.party.unwrap().uscc, last.key.subject);
    assert_eq!(last.occurred_at.to_string(), "2026-10-11T16:00:00Z", "midnight in Beijing");
}

#[tokio::test]
async fn lists_are_paged_and_narrowed() {
    let world = World::new().await;
    let (city, department) = (uscc(2), uscc(3));
    let city_body = Registered::body(&city, Tier::City, "4101");
    let mut of_mines = Registered::body(&department, Tier::City, "4101");
    of_mines.industries = vec!["06".to_owned()];
    let mut pit = plant(6);
    (pit.division, pit.industry) = ("410103".to_owned(), "0610".to_owned());
    world
        .knows([
            Registered::Organisation(empowered(city_body, "2020-01-01", None)),
            Registered::Organisation(of_mines),
            Registered::Enterprise(pit),
        ])
        .await;
    let first = world.open().await.case_id;
    for _ in 0..3 {
        world.open().await;
    }
    let against_the_pit = OpenCaseRequest { party: uscc(6), ..opening() };
    world.cases(&city).open_case(against_the_pit).await.unwrap();
    let newest = world.decide(&first, penalty()).await.unwrap();

    let list = |page_size, page_token: &str| ListCasesRequest {
        fresh_as: vec![newest.clone()],
        page: Some(PageRequest { page_size, page_token: page_token.to_owned() }),
        ..Default::default()
    };
    let mut client = world.cases(&city);
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let answer = client.list_cases(list(2, &token)).await.unwrap().into_inner();
        seen.extend(answer.cases.into_iter().map(|view| view.case_id));
        token = answer.page.unwrap().next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted(), "in the order of their ids");

    let subtree = |code: &str| ListCasesRequest { subtree: Some(code.to_owned()), ..list(0, "") };
    let decided = ListCasesRequest { state: CaseState::Decided.into(), ..list(0, "") };
    for (by, request, count) in [
        (&city, subtree("410103"), 1),
        (&city, subtree("410102"), 4),
        (&city, ListCasesRequest { party: Some(uscc(6)), ..list(0, "") }, 1),
        (&city, ListCasesRequest { organ: Some(organ()), ..list(0, "") }, 4),
        (&city, decided, 1),
        (&organ(), list(0, ""), 4),
        (&department, list(0, ""), 1),
        (&party(), list(0, ""), 4),
        (&uscc(6), list(0, ""), 1),
        (&uscc(9), list(0, ""), 0),
    ] {
        let answer = world.cases(by).list_cases(request.clone()).await.unwrap().into_inner();
        assert_eq!(answer.cases.len(), count, "{by}: {request:?}");
    }
    let (code, reason, field) = refused(client.list_cases(subtree("41-01")).await);
    assert_eq!(
        (code, reason.as_str(), field.as_str()),
        (Code::InvalidArgument, "FIELD_MALFORMED", "subtree")
    );
}
