//! Who may do what.

use jiff::civil::date;
use onenet_chassis::{
    Caller, Matter, Policies,
    testing::{elsewhere::Registered, uscc},
};
use onenet_proto::{
    enforcement::v1::{GetCaseRequest, OpenCaseRequest, Penalty},
    enterprise::v1::Tier,
};
use tonic::Code;

use crate::support::{
    World, deciding, empowered, opening, organ, party, penalty, plant, refused, serving,
};

fn assert_not_authorised<T: std::fmt::Debug>(outcome: Result<T, tonic::Status>, who: &str) {
    let (code, reason, _) = refused(outcome);
    assert_eq!((code, reason.as_str()), (Code::PermissionDenied, "NOT_AUTHORISED"), "{who}");
}

#[test]
fn the_policies_fit_the_contract_and_every_call_is_permitted_to_somebody() {
    let policies = Policies::read("enforcement", include_str!("../../access.cedar")).unwrap();
    let office = empowered(Registered::body(&organ(), Tier::County, "41"), "2020-01-01", None);
    let caller = Caller {
        uscc: organ().parse().unwrap(),
        is_operator: false,
        office: Some(office),
        agency: None,
        certificate_sha256: [0; 32],
    };
    let (organ, party) = (organ(), party());
    let matter = Matter {
        chain: vec!["41".to_owned()],
        industry: "2614",
        subject: Some(&party),
        organ: Some(&organ),
    };
    assert_eq!(policies.actions().count(), 7);
    for action in policies.actions() {
        let decided = policies.decide(&caller, action, &matter, date(2026, 11, 24));
        assert!(decided.is_ok(), "{action}");
    }
}

#[tokio::test]
async fn only_an_organ_with_power_over_area_and_industry_opens_a_case() {
    let world = World::new().await;
    let body = |serial, division| Registered::body(&uscc(serial), Tier::County, division);
    let mut of_mines = empowered(body(3, "410102"), "2020-01-01", None);
    of_mines.industries = vec!["06".to_owned()];
    let mut township = Registered::body(&uscc(4), Tier::Township, "410102001");
    world
        .knows([
            Registered::Organisation(empowered(body(2, "410103"), "2020-01-01", None)),
            Registered::Organisation(of_mines),
            Registered::Organisation(township.clone()),
        ])
        .await;
    for by in [uscc(2), uscc(3), uscc(4), party(), uscc(9)] {
        assert_not_authorised(world.cases(&by).open_case(opening()).await, &by);
    }
    // whom it may not act against, a stranger is not told apart from who is not there
    let nobody = OpenCaseRequest { party: uscc(77), ..opening() };
    assert_not_authorised(world.cases(&uscc(9)).open_case(nobody).await, "a stranger");
    // a township with delegated power (赋权) acts
    township = empowered(township, "2026-01-01", None);
    world.knows([Registered::Organisation(township)]).await;
    // naming any receipt, it has what it is read anew
    let opening =
        OpenCaseRequest { fresh_as: vec![world.open().await.receipt.unwrap()], ..opening() };
    assert!(world.cases(&uscc(4)).open_case(opening).await.is_ok());
}

#[tokio::test]
async fn the_power_has_to_cover_the_day_of_the_filing_and_of_the_decision() {
    let world = World::new().await;
    let organ = uscc(2);
    let body = Registered::body(&organ, Tier::County, "410102");
    let body = empowered(body, "2026-09-15", Some("2026-10-01"));
    world.knows([Registered::Organisation(body)]).await;
    let mut client = world.cases(&organ);
    let filed = |filed_on: &str| OpenCaseRequest { filed_on: filed_on.to_owned(), ..opening() };
    for day in ["2026-09-14", "2026-10-01"] {
        assert_not_authorised(client.open_case(filed(day)).await, day);
    }
    let opened = client.open_case(filed("2026-09-15")).await.unwrap().into_inner();
    let decided = |decided_on: &str| {
        let decided_on = decided_on.to_owned();
        deciding(&opened.case_id, Penalty { decided_on, ..penalty() })
    };
    assert_not_authorised(client.decide_penalty(decided("2026-10-01")).await, "decided late");
    client.decide_penalty(decided("2026-09-30")).await.unwrap();
    // what was decided in time is served without the power
    client.serve_penalty(serving(&opened.case_id, "2026-10-12")).await.unwrap();
}

#[tokio::test]
async fn a_case_is_the_business_of_its_own_organ() {
    let world = World::new().await;
    let city = uscc(2);
    let body = empowered(Registered::body(&city, Tier::City, "4101"), "2020-01-01", None);
    world.knows([Registered::Organisation(body)]).await;
    let case_id = world.open().await.case_id;
    let mut superior = world.cases(&city);
    let outcome = superior.decide_penalty(deciding(&case_id, penalty())).await;
    assert_not_authorised(outcome, "the city decides");
    world.decide(&case_id, penalty()).await.unwrap();
    let outcome = superior.serve_penalty(serving(&case_id, "2026-10-12")).await;
    assert_not_authorised(outcome, "the city serves");
}

#[tokio::test]
async fn a_case_is_read_by_the_bodies_of_its_area_and_industry_and_by_its_party() {
    let world = World::new().await;
    let body = |serial, tier, division| Registered::body(&uscc(serial), tier, division);
    let mut of_mines = body(4, Tier::City, "4101");
    of_mines.industries = vec!["06".to_owned()];
    world
        .knows([
            Registered::Organisation(body(2, Tier::City, "4101")),
            Registered::Organisation(body(3, Tier::County, "410103")),
            Registered::Organisation(of_mines),
            Registered::Enterprise(plant(6)),
        ])
        .await;
    let opened = world.open().await;
    let get = |case_id: &str| GetCaseRequest {
        fresh_as: opened.receipt.clone().into_iter().collect(),
        case_id: case_id.to_owned(),
    };
    for by in [organ(), uscc(2), party()] {
        assert!(world.cases(&by).get_case(get(&opened.case_id)).await.is_ok(), "{by}");
    }
    for by in [uscc(3), uscc(4), uscc(6)] {
        assert_not_authorised(world.cases(&by).get_case(get(&opened.case_id)).await, &by);
    }
    let none = crate::support::new_id();
    assert_not_authorised(world.cases(&party()).get_case(get(&none)).await, "no such case");
}
