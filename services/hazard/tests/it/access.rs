//! Who may do what.

use std::fmt::Debug;

use jiff::civil::date;
use onenet_chassis::{
    Caller, Matter, Policies,
    testing::{elsewhere::Registered, uscc},
};
use onenet_proto::{
    enterprise::v1::{OrganisationFunction, Tier},
    hazard::v1::{GetHiddenDangerRequest, GetMajorHazardRequest, IdentifyMajorHazardRequest},
};
use tonic::{Code, Status};

use crate::steps::{
    accepting, correcting_treatment, order, ordering, rectifying, reporting, treating, treatment,
};
use crate::support::{World, county, enterprise, filing, new_id, on_behalf, plant, refused, tanks};

fn assert_not_authorised<T: Debug>(outcome: Result<T, Status>, who: &str) {
    let (code, reason, _) = refused(outcome);
    assert_eq!((code, reason.as_str()), (Code::PermissionDenied, "NOT_AUTHORISED"), "{who}");
}

#[test]
fn the_policies_fit_the_contract_and_every_call_is_permitted_to_somebody() {
    let policies = Policies::read("hazard", include_str!("../../access.cedar")).unwrap();
    let caller = Caller {
        uscc: county().parse().unwrap(),
        is_operator: false,
        office: Some(Registered::body(&county(), Tier::County, "410102")),
        agency: None,
        certificate_sha256: [0; 32],
    };
    let (chain, subject) = (vec!["410102".to_owned()], enterprise());
    let matter = Matter { chain, industry: "2614", subject: Some(&subject), organ: None };
    let itself = Caller { uscc: subject.parse().unwrap(), office: None, ..caller.clone() };
    assert_eq!(policies.actions().count(), 16);
    for action in policies.actions() {
        let decided =
            [&caller, &itself].map(|it| policies.decide(it, action, &matter, date(2026, 11, 24)));
        assert!(decided.iter().any(Result::is_ok), "{action}");
    }
}

/// The city's bureau (2), the neighbouring county's (3), the county's miners (4) and its service
/// centre (7), a township's office (8); another plant of the county (6).
async fn world() -> World {
    let world = World::new().await;
    let body = |serial, tier, division| Registered::body(&uscc(serial), tier, division);
    let mut of_mines = body(4, Tier::County, "410102");
    of_mines.industries = vec!["06".to_owned()];
    let mut supports = body(7, Tier::County, "410102");
    supports.functions = vec![OrganisationFunction::Support.into()];
    let bodies = [
        body(2, Tier::City, "4101"),
        body(3, Tier::County, "410103"),
        of_mines,
        supports,
        body(8, Tier::Township, "410102001"),
    ];
    world.knows(bodies.map(Registered::Organisation)).await;
    world.knows([Registered::Enterprise(plant(6))]).await;
    world
}

#[tokio::test]
async fn a_unit_is_identified_by_its_enterprise_or_by_a_supervisor_of_area_and_industry() {
    let world = world().await;
    let request = || IdentifyMajorHazardRequest { on_behalf: Some(on_behalf()), ..tanks() };
    for by in [uscc(3), uscc(4), uscc(7), uscc(6), uscc(9)] {
        let outcome = world.hazards(&by).identify_major_hazard(request()).await;
        assert_not_authorised(outcome, &by);
    }
    for by in [county(), uscc(2), uscc(8)] {
        assert!(world.hazards(&by).identify_major_hazard(request()).await.is_ok(), "{by}");
    }
    // another enterprise does not learn which there are
    let of_nobody = IdentifyMajorHazardRequest { enterprise: uscc(77), ..tanks() };
    let outcome = world.hazards(&uscc(6)).identify_major_hazard(of_nobody).await;
    assert_not_authorised(outcome, "no such enterprise");
}

#[tokio::test]
async fn a_major_hazard_is_filed_by_the_county_and_nobody_else() {
    let world = world().await;
    let id = world.identify().await.hazard_id;
    for by in [uscc(2), uscc(3), uscc(4), uscc(7), uscc(8), enterprise(), uscc(9)] {
        assert_not_authorised(world.file(&by, &id).await, &by);
    }
    assert!(world.file(&county(), &id).await.is_ok());
    let nowhere = world.hazards(&enterprise()).file_major_hazard(filing(&new_id())).await;
    assert_not_authorised(nowhere, "no such major hazard");
}

#[tokio::test]
async fn a_major_hazard_is_read_by_the_bodies_of_its_area_and_industry_and_by_its_enterprise() {
    let world = world().await;
    let identified = world.identify().await;
    let get = || GetMajorHazardRequest {
        fresh_as: identified.receipt.clone().into_iter().collect(),
        hazard_id: identified.hazard_id.clone(),
    };
    for by in [county(), uscc(2), uscc(7), uscc(8), enterprise()] {
        assert!(world.hazards(&by).get_major_hazard(get()).await.is_ok(), "{by}");
    }
    for by in [uscc(3), uscc(4), uscc(6), uscc(9)] {
        assert_not_authorised(world.hazards(&by).get_major_hazard(get()).await, &by);
    }
}

#[tokio::test]
async fn a_hidden_danger_is_the_business_of_its_enterprise_and_of_supervisors_of_area_and_industry()
{
    let world = world().await;
    for by in [uscc(3), uscc(4), uscc(7), uscc(6), uscc(9)] {
        let outcome = world.dangers(&by).report_hidden_danger(reporting()).await;
        assert_not_authorised(outcome, &by);
    }
    for by in [county(), uscc(2), uscc(8), enterprise()] {
        assert!(world.dangers(&by).report_hidden_danger(reporting()).await.is_ok(), "{by}");
    }
    let id = world.graded(&enterprise(), None).await;
    // no enterprise orders, and no department treats
    let ordering = ordering(&id, order("2026-03-31"));
    assert_not_authorised(world.dangers(&enterprise()).order_rectification(ordering).await, "own");
    let treating = treating(&id, treatment("2026-03-10"));
    assert_not_authorised(world.dangers(&county()).report_treatment(treating).await, "county");
    let correcting = correcting_treatment(&id, treatment("2026-03-10"));
    assert_not_authorised(
        world.dangers(&county()).correct_treatment_report(correcting).await,
        "county",
    );
    let rectifying = rectifying(&id, "2026-03-10");
    assert_not_authorised(
        world.dangers(&county()).rectify_hidden_danger(rectifying).await,
        "county",
    );
    // whose business it is among those permitted, the danger itself says
    let rectified = world.rectify(&id, "2026-03-10").await.unwrap();
    let accepting = accepting(&id, None);
    assert_not_authorised(world.dangers(&county()).accept_rectification(accepting).await, "county");

    let get = || GetHiddenDangerRequest {
        fresh_as: vec![rectified.clone()],
        hidden_danger_id: id.clone(),
    };
    for by in [county(), uscc(2), uscc(7), uscc(8), enterprise()] {
        assert!(world.dangers(&by).get_hidden_danger(get()).await.is_ok(), "{by}");
    }
    for by in [uscc(3), uscc(4), uscc(6), uscc(9)] {
        assert_not_authorised(world.dangers(&by).get_hidden_danger(get()).await, &by);
    }
    let nothing = GetHiddenDangerRequest { hidden_danger_id: new_id(), ..Default::default() };
    assert_not_authorised(world.dangers(&uscc(9)).get_hidden_danger(nothing).await, "no such");
}
