//! A major hazard from its identification to its filing.

use onenet_chassis::testing::{
    elsewhere::{self, Registered},
    uscc,
};
use onenet_proto::{
    common::v1::{Fraction, PageRequest},
    enterprise::v1::Tier,
    hazard::v1::{
        FilingState, IdentifyMajorHazardRequest, ListMajorHazardsRequest, MajorHazardFiled,
        MajorHazardIdentified, MajorHazardLevel,
    },
};
use prost::Message as _;
use tonic::Code;

use crate::support::{
    World, chlorine, county, enterprise, filing, on_behalf, plant, refused, tanks,
};

fn fraction(numerator: &str, denominator: &str) -> Fraction {
    let (numerator, denominator) = (numerator.to_owned(), denominator.to_owned());
    Fraction { numerator, denominator }
}

#[tokio::test]
async fn an_enterprise_identifies_its_unit_and_the_county_files_it() {
    let world = World::new().await;
    let identified = world.identify().await;
    let (id, receipt) = (identified.hazard_id, identified.receipt.unwrap());
    assert_eq!((receipt.stream_id.clone(), receipt.version), (format!("major_hazard-{id}"), 1));
    let view = world.hazard(&id, receipt).await;
    assert_eq!((view.filing_state(), view.version), (FilingState::Unfiled, 1));
    assert_eq!((view.hazard_id.as_str(), view.enterprise.as_str()), (&*id, &*enterprise()));
    assert_eq!((view.division, view.industry), (plant(5).division, plant(5).industry));
    assert_eq!((view.unit, view.identified_by), (tanks().unit, enterprise()));
    assert_eq!(view.filing, None);
    let assessment = view.assessment.unwrap();
    assert_eq!(assessment.level(), MajorHazardLevel::Three);
    let figures = [assessment.s, assessment.alpha, assessment.r].map(Option::unwrap);
    assert_eq!(figures, [fraction("5", "2"), fraction("1", "1"), fraction("10", "1")]);
    assert_eq!(assessment.rules_version, "GB18218-2018");
    let assessed = &assessment.substances[0];
    assert_eq!((assessed.threshold_t.as_str(), assessed.beta.as_str()), ("5", "4"));
    assert_eq!(assessed.substance, Some(chlorine("12.5")));

    let receipt = world.file(&county(), &id).await.unwrap();
    let view = world.hazard(&id, receipt).await;
    assert_eq!((view.filing_state(), view.version), (FilingState::Filed, 2));
    let filed = view.filing.unwrap();
    assert_eq!((filed.filed_by, filed.filed_on.as_str()), (county(), "2026-06-15"));
    assert_eq!(filed.number, filing(&id).filing_number);
}

#[tokio::test]
async fn an_authority_enters_a_unit_on_behalf_of_its_enterprise() {
    let world = World::new().await;
    let request = IdentifyMajorHazardRequest { on_behalf: Some(on_behalf()), ..tanks() };
    let mut client = world.hazards(&county());
    let answer = client.identify_major_hazard(request).await.unwrap().into_inner();
    let view = world.hazard(&answer.hazard_id, answer.receipt.unwrap()).await;
    assert_eq!((view.enterprise, view.identified_by), (enterprise(), county()));
    assert_eq!(view.on_behalf, Some(on_behalf()));
}

#[tokio::test]
async fn a_retry_gets_its_first_receipt_and_each_command_is_a_major_hazard_of_its_own() {
    let world = World::new().await;
    let mut client = world.hazards(&enterprise());
    let request = tanks();
    let first = client.identify_major_hazard(request.clone()).await.unwrap().into_inner();
    world.file(&county(), &first.hazard_id).await.unwrap();
    let retried = client.identify_major_hazard(request).await.unwrap().into_inner();
    assert_eq!(first, retried, "though it is filed by now");
    assert_ne!(world.identify().await.hazard_id, first.hazard_id, "nothing is merged");

    let request = filing(&first.hazard_id);
    let mut client = world.hazards(&county());
    let filed = client.file_major_hazard(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.file_major_hazard(request).await.unwrap().into_inner(), filed);
    assert_eq!(filed.receipt.unwrap().version, 2, "the same filing again changes nothing");
}

#[tokio::test]
async fn what_the_register_says_is_waited_for_and_what_is_decided_is_published() {
    let world = World::whole().await;
    let heard = world.register_speaks().await;
    let request = IdentifyMajorHazardRequest { fresh_as: heard, ..tanks() };
    let mut client = world.hazards(&enterprise());
    let identified = client.identify_major_hazard(request).await.unwrap().into_inner();
    world.file(&county(), &identified.hazard_id).await.unwrap();

    let topic = elsewhere::topics(&world.node, "hazard").events();
    let events = elsewhere::published(&world.node, topic, 2).await.unwrap();
    let types: Vec<_> = events.iter().map(|event| event.event_type.as_str()).collect();
    let named = ["MajorHazardIdentified", "MajorHazardFiled"];
    assert_eq!(types, named.map(|name| format!("onenet.hazard.v1.{name}")));
    assert_eq!([&*events[0].rules_version, &*events[1].rules_version], ["GB18218-2018", ""]);
    assert_eq!(events[1].occurred_at.to_string(), "2026-06-14T16:00:00Z", "midnight in Beijing");
    let fact = MajorHazardIdentified::decode(events[0].payload.clone()).unwrap();
    assert_eq!(fact.filing_state(), FilingState::Unfiled);
    let fact = MajorHazardFiled::decode(events[1].payload.clone()).unwrap();
    assert_eq!((fact.filing_state(), fact.level()), (FilingState::Filed, MajorHazardLevel::Three));
}

#[tokio::test]
async fn lists_are_paged_and_narrowed() {
    let world = World::new().await;
    let (city, department) = (uscc(2), uscc(3));
    let mut of_mines = Registered::body(&department, Tier::City, "4101");
    of_mines.industries = vec!["06".to_owned()];
    let mut pit = plant(6);
    (pit.division, pit.industry) = ("410103".to_owned(), "0610".to_owned());
    world
        .knows([
            Registered::Organisation(Registered::body(&city, Tier::City, "4101")),
            Registered::Organisation(of_mines),
            Registered::Enterprise(pit),
        ])
        .await;
    let first = world.identify().await.hazard_id;
    world.identify().await;
    let larger = IdentifyMajorHazardRequest {
        enterprise: uscc(6),
        substances: vec![chlorine("125")],
        ..tanks()
    };
    world.hazards(&uscc(6)).identify_major_hazard(larger).await.unwrap();
    let newest = world.file(&county(), &first).await.unwrap();

    let page = |page_size, page_token: String| ListMajorHazardsRequest {
        fresh_as: vec![newest.clone()],
        page: Some(PageRequest { page_size, page_token }),
        ..Default::default()
    };
    let mut client = world.hazards(&city);
    let begin = client.list_major_hazards(page(2, String::new())).await.unwrap().into_inner();
    let token = begin.page.unwrap().next_page_token;
    let rest = client.list_major_hazards(page(2, token)).await.unwrap().into_inner();
    assert_eq!(rest.page.unwrap().next_page_token, "");
    let ids = begin.hazards.into_iter().chain(rest.hazards).map(|view| view.hazard_id);
    let ids: Vec<_> = ids.collect();
    assert_eq!((ids.len(), ids.is_sorted()), (3, true));

    let all = || page(0, String::new());
    let subtree = |code: &str| ListMajorHazardsRequest { subtree: Some(code.to_owned()), ..all() };
    let industry =
        |code: &str| ListMajorHazardsRequest { industry: Some(code.to_owned()), ..all() };
    let level = |level: MajorHazardLevel| ListMajorHazardsRequest { level: level.into(), ..all() };
    let filing =
        |state: FilingState| ListMajorHazardsRequest { filing_state: state.into(), ..all() };
    for (by, request, count) in [
        (&city, subtree("410103"), 1),
        (&city, subtree("410102"), 2),
        (&city, industry("26"), 2),
        (&city, ListMajorHazardsRequest { enterprise: Some(uscc(6)), ..all() }, 1),
        (&city, level(MajorHazardLevel::One), 1),
        (&city, level(MajorHazardLevel::Three), 2),
        (&city, filing(FilingState::Filed), 1),
        (&city, filing(FilingState::Unfiled), 2),
        (&department, all(), 1),
        (&county(), all(), 2),
        (&enterprise(), all(), 2),
        (&uscc(6), all(), 1),
        (&uscc(9), all(), 0),
    ] {
        let answer = world.hazards(by).list_major_hazards(request.clone()).await;
        assert_eq!(answer.unwrap().into_inner().hazards.len(), count, "{by}: {request:?}");
    }
    for (request, reason, field) in [
        (subtree("41-01"), "FIELD_MALFORMED", "subtree"),
        (industry("99"), "INDUSTRY_UNKNOWN", "industry"),
    ] {
        let outcome = refused(client.list_major_hazards(request).await);
        assert_eq!(outcome, (Code::InvalidArgument, reason.to_owned(), field.to_owned()));
    }
}
