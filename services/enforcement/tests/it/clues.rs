//! What hazard says of overdue dangers becomes clues, and nothing more.

use onenet_chassis::testing::{
    elsewhere::{self, Registered},
    uscc,
};
use onenet_kernel::{Key, NewEvent, Recorded, StreamId};
use onenet_proto::{
    common::v1::{Obligation, ObligationState, Receipt},
    enforcement::v1::{
        Clue, ClueAddressingGround as Ground, ClueRecorded, GetClueRequest, ListCasesRequest,
        ListCluesRequest, clue_service_client::ClueServiceClient,
    },
    enterprise::v1::{
        Division, DivisionKind, DivisionLevel, Organisation, OrganisationFunction, Tier,
    },
    hazard::v1::{
        Criterion, Finding, HiddenDangerEscalated, HiddenDangerGrade, HiddenDangerOverdue,
        HiddenDangerReported, OverdueDanger,
    },
};
use prost::Message;
use tonic::{Code, transport::Channel};

use crate::support::{World, empowered, new_id, organ, party, refused, register};

fn danger(id: &str) -> OverdueDanger {
    OverdueDanger {
        hidden_danger_id: id.to_owned(),
        enterprise: party(),
        division: "410102001".to_owned(),
        industry: "2614".to_owned(),
        grade: HiddenDangerGrade::Major.into(),
        criterion: Some(Criterion { code: Some("CHEM-06".to_owned()), ..Criterion::default() }),
        finding: Some(Finding {
            description: "未设注水措施".to_owned(), ..Finding::default()
        }),
        document_number: "（郑中）应急责改〔2026〕7号".to_owned(),
        ordered_by: organ(),
    }
}

/// The danger went from the organ to the city's.
fn escalated_once(id: &str) -> HiddenDangerEscalated {
    HiddenDangerEscalated {
        danger: Some(danger(id)),
        organ: uscc(2),
        from_organ: organ(),
        level: 1,
        rectification: Some(deadline()),
        escalation: Some(deadline()),
        next: None,
    }
}

fn deadline() -> Obligation {
    Obligation {
        id: new_id(),
        organ: organ(),
        kind: "hazard.rectification".to_owned(),
        legal_basis: "安全生产法第一百零二条".to_owned(),
        // 24:00 of 2 April 2026 in Beijing
        due_at: Some(onenet_chassis::timestamp(onenet_kernel::Timestamp::from_micros(
            1_775_145_600_000_000,
        ))),
        state: ObligationState::Passed.into(),
        ..Obligation::default()
    }
}

impl World {
    fn clues(&self, uscc: &str) -> ClueServiceClient<Channel> {
        ClueServiceClient::new(self.connect(uscc))
    }

    /// Hazard says something of a danger.
    async fn hears(&self, id: &str, name: &str, event: &impl Message) -> Receipt {
        let event = NewEvent {
            event_type: format!("onenet.hazard.v1.{name}").into(),
            payload: event.encode_to_vec().into(),
            key: Key {
                subject: party(),
                division: "410102001".to_owned(),
                industry: "2614".to_owned(),
            },
        };
        let stream = StreamId::new("hidden_danger", id);
        let said = elsewhere::say(&self.node, "hazard", &stream, event).await.unwrap();
        onenet_chassis::receipt_to_wire(&said)
    }

    /// The first clues that were recorded.
    async fn recorded(&self, count: usize) -> Vec<Clue> {
        let topic = elsewhere::topics(&self.node, "enforcement").events();
        let events = elsewhere::published(&self.node, topic, count).await.unwrap();
        let clue = |event: &Recorded| ClueRecorded::decode(event.payload.clone()).unwrap().clue;
        events.iter().map(|event| clue(event).unwrap()).collect()
    }

    async fn listed(&self, by: &str, request: ListCluesRequest) -> Vec<Clue> {
        let answer = self.clues(by).list_clues(request).await.unwrap().into_inner();
        assert!(!answer.incomplete);
        answer.clues
    }
}

#[tokio::test]
async fn an_overdue_danger_is_a_clue_for_the_organ_it_is_with_and_no_case() {
    let world = World::whole().await;
    world.knows(register()).await;
    let city = empowered(Registered::body(&uscc(2), Tier::City, "4101"), "2020-01-01", None);
    let neighbour = Registered::body(&uscc(3), Tier::County, "410103");
    world.knows([city, neighbour].map(Registered::Organisation)).await;
    let id = new_id();
    // what is no overdue danger is heard and leads to nothing
    world.hears(&id, "HiddenDangerReported", &HiddenDangerReported::default()).await;
    let overdue = HiddenDangerOverdue {
        danger: Some(danger(&id)),
        organ: organ(),
        rectification: Some(deadline()),
        escalation: None,
    };
    world.hears(&id, "HiddenDangerOverdue", &overdue).await;
    let escalated = escalated_once(&id);
    let newest = world.hears(&id, "HiddenDangerEscalated", &escalated).await;

    let topic = elsewhere::topics(&world.node, "enforcement").events();
    let events = elsewhere::published(&world.node, topic, 2).await.unwrap();
    assert!(events.iter().all(|event| event.event_type == "onenet.enforcement.v1.ClueRecorded"));
    assert_eq!(events[0].issuer.as_str(), "reaction:clues");
    // the read model follows the own log, so what is published is waited for by its receipt
    let fresh_as = events.iter().map(|event| Receipt {
        stream_id: event.stream.to_string(),
        version: event.version.0,
        position: Some(onenet_chassis::position(event.position)),
        recorded_at: None,
    });
    let all = || ListCluesRequest {
        fresh_as: fresh_as.clone().chain([newest.clone()]).collect(),
        ..Default::default()
    };
    let of = |organ: String| ListCluesRequest { organ: Some(organ), ..all() };
    let own = world.listed(&organ(), of(organ())).await;
    assert_eq!(own.len(), 1);
    assert_eq!((own[0].escalation_level, own[0].hidden_danger_id.as_str()), (0, id.as_str()));
    assert_eq!((own[0].enterprise.as_str(), own[0].criterion()), (&*party(), "CHEM-06"));
    assert_eq!(own[0].due_at, deadline().due_at);
    assert_eq!((own[0].legal_basis.as_str(), own[0].major), ("安全生产法第一百零二条", true));
    assert_eq!(own[0].event_id, events[0].causation_id.unwrap().to_string());
    let addressing = own[0].addressing.clone().unwrap();
    assert_eq!(
        (addressing.danger_organ.as_str(), addressing.ground()),
        (&*organ(), Ground::OwnPower)
    );
    let of_city = world.listed(&uscc(2), of(uscc(2))).await;
    assert_eq!((of_city.len(), of_city[0].escalation_level), (1, 1));
    assert_eq!(world.listed(&uscc(2), all()).await.len(), 2);
    assert_eq!(world.listed(&uscc(3), all()).await.len(), 0, "the neighbouring county");
    let subtree = ListCluesRequest { subtree: Some("410103".to_owned()), ..all() };
    assert_eq!(world.listed(&uscc(2), subtree).await.len(), 0);
    let enterprise = ListCluesRequest { enterprise: Some(party()), ..all() };
    assert_eq!(world.listed(&uscc(2), enterprise).await.len(), 2);

    let get = || GetClueRequest { clue_id: own[0].clue_id.clone(), fresh_as: vec![] };
    let got = world.clues(&organ()).get_clue(get()).await.unwrap().into_inner();
    assert_eq!(got.clue, Some(own[0].clone()));
    for by in [uscc(3), party()] {
        let (code, ..) = refused(world.clues(&by).get_clue(get()).await);
        assert_eq!(code, Code::PermissionDenied, "{by}");
    }
    // a penalty is an officer's to decide
    let cases = world.cases(&organ()).list_cases(ListCasesRequest::default()).await.unwrap();
    assert_eq!(cases.into_inner().cases, []);
}

fn body(serial: u32, tier: Tier, division: &str) -> Organisation {
    Registered::body(&uscc(serial), tier, division)
}

fn with_power(body: Organisation) -> Organisation {
    empowered(body, "2020-01-01", None)
}

fn sector(body: Organisation, industries: &[&str]) -> Organisation {
    let industries = industries.iter().map(|&prefix| prefix.to_owned()).collect();
    Organisation { functions: vec![OrganisationFunction::Industry.into()], industries, ..body }
}

/// 济源 (419001) lies in the placeholder 4190 by code and below the province by jurisdiction.
fn jiyuan() -> [Registered; 2] {
    let division = |code: &str, level: DivisionLevel, kind: DivisionKind, parent: &str| Division {
        code: code.to_owned(),
        name: format!("区划{code}"),
        level: level.into(),
        kind: kind.into(),
        parent: Some(parent.to_owned()),
        jurisdiction_parent: Some("41".to_owned()),
        ..Division::default()
    };
    let (city, county) = (DivisionLevel::City, DivisionLevel::County);
    [
        division("4190", city, DivisionKind::Placeholder, "41"),
        division("419001", county, DivisionKind::Statutory, "4190"),
    ]
    .map(Registered::Division)
}

/// The county 410102 has a regulator with power (1); the county 410103 none (60), but a sector's (61)
/// and another sector's (62); the city's power has ended (63); the province has (64), as the national
/// body that acts there (59), and somebody in a placeholder (58).
#[tokio::test]
async fn a_clue_goes_to_the_nearest_organ_that_may_punish_it() {
    let world = World::whole().await;
    world.knows(register()).await;
    world.knows(jiyuan()).await;
    let ended = empowered(body(63, Tier::City, "4101"), "2020-01-01", Some("2021-01-01"));
    let bodies = [
        body(50, Tier::Township, "410102001"),
        body(60, Tier::County, "410103"),
        with_power(sector(body(61, Tier::County, "410103"), &["26"])),
        with_power(sector(body(62, Tier::County, "410103"), &["06"])),
        ended,
        with_power(body(59, Tier::National, "41")),
        with_power(body(64, Tier::Province, "41")),
        body(70, Tier::County, "419001"),
        with_power(body(58, Tier::City, "4190")),
    ];
    world.knows(bodies.map(Registered::Organisation)).await;
    let expected = [
        // a township has none of its own: the county's
        (50, 1, Ground::DivisionAbove),
        // the sector's of its division, and not the other sector's
        (60, 61, Ground::SameDivision),
        // power in another sector is none
        (62, 61, Ground::SameDivision),
        // ended
        (63, 64, Ground::DivisionAbove),
        // by jurisdiction to the province, never to a placeholder
        (70, 64, Ground::DivisionAbove),
        (58, 64, Ground::DivisionAbove),
        (64, 64, Ground::OwnPower),
    ];
    for (with, ..) in &expected {
        let id = new_id();
        let overdue = HiddenDangerOverdue {
            danger: Some(danger(&id)),
            organ: uscc(*with),
            rectification: Some(deadline()),
            escalation: None,
        };
        world.hears(&id, "HiddenDangerOverdue", &overdue).await;
    }
    let recorded = world.recorded(expected.len()).await;
    for (clue, (with, organ, ground)) in recorded.iter().zip(expected) {
        let addressing = clue.addressing.as_ref().unwrap();
        let outcome = (addressing.danger_organ.clone(), clue.organ.clone(), addressing.ground());
        assert_eq!(outcome, (uscc(with), uscc(organ), ground));
    }
}

#[tokio::test]
async fn a_clue_that_nobody_may_punish_says_so_and_stays_where_the_danger_is() {
    let world = World::whole().await;
    let divisions = ["41", "4101"].map(Registered::division);
    let city = Registered::Organisation(body(2, Tier::City, "4101"));
    let id = new_id();
    let escalated = escalated_once(&id);
    // heard before the register has told of the organ: it waits
    world.hears(&id, "HiddenDangerEscalated", &escalated).await;
    world.knows(divisions).await;
    world.knows([city]).await;
    let clue = world.recorded(1).await.remove(0);
    let addressing = clue.addressing.clone().unwrap();
    assert_eq!((clue.organ, clue.escalation_level), (uscc(2), 1));
    assert_eq!(
        (addressing.danger_organ.as_str(), addressing.ground()),
        (&*uscc(2), Ground::NoPowerKnown)
    );
}

#[tokio::test]
async fn a_clue_that_nobody_recorded() {
    let world = World::new().await;
    let get = || GetClueRequest { clue_id: new_id(), ..Default::default() };
    let (code, reason, _) = refused(world.clues(&organ()).get_clue(get()).await);
    assert_eq!((code, reason.as_str()), (Code::NotFound, "CLUE_UNKNOWN"));
    let (code, reason, _) = refused(world.clues(&party()).get_clue(get()).await);
    assert_eq!((code, reason.as_str()), (Code::PermissionDenied, "NOT_AUTHORISED"));
}
