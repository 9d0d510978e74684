//! What hazard says of overdue dangers becomes clues, and nothing more.

use onenet_chassis::testing::{
    elsewhere::{self, Registered},
    uscc,
};
use onenet_kernel::{Key, NewEvent, StreamId};
use onenet_proto::{
    common::v1::{Obligation, ObligationState, Receipt},
    enforcement::v1::{
        Clue, GetClueRequest, ListCasesRequest, ListCluesRequest,
        clue_service_client::ClueServiceClient,
    },
    enterprise::v1::Tier,
    hazard::v1::{
        Criterion, Finding, HiddenDangerEscalated, HiddenDangerGrade, HiddenDangerOverdue,
        HiddenDangerReported, OverdueDanger,
    },
};
use prost::Message;
use tonic::{Code, transport::Channel};

use crate::support::{World, new_id, organ, party, refused, register};

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
    let city = Registered::body(&uscc(2), Tier::City, "4101");
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
    let escalated = HiddenDangerEscalated {
        danger: Some(danger(&id)),
        organ: uscc(2),
        from_organ: organ(),
        level: 1,
        rectification: Some(deadline()),
        escalation: Some(deadline()),
        next: None,
    };
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

#[tokio::test]
async fn a_clue_that_nobody_recorded() {
    let world = World::new().await;
    let get = || GetClueRequest { clue_id: new_id(), ..Default::default() };
    let (code, reason, _) = refused(world.clues(&organ()).get_clue(get()).await);
    assert_eq!((code, reason.as_str()), (Code::NotFound, "CLUE_UNKNOWN"));
    let (code, reason, _) = refused(world.clues(&party()).get_clue(get()).await);
    assert_eq!((code, reason.as_str()), (Code::PermissionDenied, "NOT_AUTHORISED"));
}
