//! Who may do what.

use std::fmt::Debug;

use jiff::civil::date;
use onenet_chassis::{
    AgencyStanding, Caller, Matter, Policies,
    testing::{elsewhere::Registered, uscc},
};
use onenet_proto::{
    credit::v1::{
        GetBlacklistEntryRequest, GetCreditCaseRequest, GetPenaltyJudgementRequest, ListingOutcome,
        RemovalReason,
    },
    enterprise::v1::Tier,
};
use tonic::{Code, Status};

use crate::{
    steps::{deciding, decision, noticing, proposing, removing, serving, stating},
    support::{World, effect, effect_of, new_id, organ, other_organ, refused, subject},
};

fn assert_not_authorised<T: Debug>(outcome: Result<T, Status>, who: &str) {
    let (code, reason, _) = refused(outcome);
    assert_eq!((code, reason.as_str()), (Code::PermissionDenied, "NOT_AUTHORISED"), "{who}");
}

#[test]
fn the_policies_fit_the_contract_and_every_call_is_permitted_to_somebody() {
    let policies = Policies::read("credit", include_str!("../../access.cedar")).unwrap();
    let caller = Caller {
        uscc: organ().parse().unwrap(),
        is_operator: false,
        office: Some(Registered::body(&organ(), Tier::County, "41")),
        agency: Some(AgencyStanding { division: "41".to_owned(), is_certificate_registered: true }),
        certificate_sha256: [0; 32],
    };
    let subject = subject();
    let chain = vec!["41".to_owned()];
    let matter = Matter { chain, industry: "2614", subject: Some(&subject), organ: None };
    assert_eq!(policies.actions().count(), 15);
    for action in policies.actions() {
        let decided = policies.decide(&caller, action, &matter, date(2026, 11, 24));
        assert!(decided.is_ok(), "{action}");
    }
}

#[tokio::test]
async fn every_step_is_refused_to_anybody_but_the_organ_of_the_penalty() {
    let world = World::without_clock().await;
    let left_open = effect_of("V-TRAINING");
    world.judged(&left_open).await;
    let case = world.opened(&effect()).await;
    let list = || decision(ListingOutcome::List, "2026-03-16");
    // another body has an office and no say; the subject and strangers have not even that
    for by in [other_organ(), subject(), uscc(9)] {
        let mut client = world.credit(&by);
        let request = proposing(&left_open.case_id, "MEM11-B4");
        assert_not_authorised(client.propose_listing(request).await, &by);
        let request = noticing(&case, "2026-03-06");
        assert_not_authorised(client.serve_listing_notice(request).await, &by);
        let request = stating(&case, "2026-03-10");
        assert_not_authorised(client.record_statement(request).await, &by);
        let request = deciding(&case, list());
        assert_not_authorised(client.decide_listing(request).await, &by);
        let request = serving(&case, "2026-03-20");
        assert_not_authorised(client.serve_listing_decision(request).await, &by);
        let request = removing(&case, RemovalReason::PenaltyRevoked, "2026-06-01");
        assert_not_authorised(client.remove_listing(request).await, &by);
    }
    // not even once there is something to serve and to remove
    world.list(&case, ["2026-03-06", "2026-03-16", "2026-03-20"]).await;
    let mut client = world.credit(&other_organ());
    let request = serving(&case, "2026-03-20");
    assert_not_authorised(client.serve_listing_decision(request).await, "served again");
    let request = removing(&case, RemovalReason::PenaltyRevoked, "2026-06-01");
    assert_not_authorised(client.remove_listing(request).await, "removed");
}

#[tokio::test]
async fn cases_are_read_by_the_bodies_of_their_area_and_industry_and_by_their_subject() {
    let world = World::without_clock().await;
    let body = |serial, tier, division| Registered::body(&uscc(serial), tier, division);
    let mut of_mines = body(4, Tier::City, "4101");
    of_mines.industries = vec!["06".to_owned()];
    let elsewhere = body(3, Tier::County, "410103");
    world.knows([elsewhere, of_mines].map(Registered::Organisation)).await;
    let effect = effect();
    let case = world.opened(&effect).await;
    let listed = world.list(&case, ["2026-03-06", "2026-03-16", "2026-03-20"]).await;
    let get_case = |id: &str| GetCreditCaseRequest {
        fresh_as: vec![listed.clone()],
        credit_case_id: id.to_owned(),
    };
    let get_judgement = |id: &str| GetPenaltyJudgementRequest {
        penalty_case_id: id.to_owned(),
        ..Default::default()
    };
    let get_entry = || GetBlacklistEntryRequest { subject: subject(), ..Default::default() };
    for by in [organ(), other_organ(), subject()] {
        let mut client = world.credit(&by);
        assert!(client.get_credit_case(get_case(&case)).await.is_ok(), "{by}");
        let judgement = get_judgement(&effect.case_id);
        assert!(client.get_penalty_judgement(judgement).await.is_ok(), "{by}");
        assert!(client.get_blacklist_entry(get_entry()).await.is_ok(), "{by}");
    }
    for by in [uscc(3), uscc(4), uscc(6)] {
        let mut client = world.credit(&by);
        assert_not_authorised(client.get_credit_case(get_case(&case)).await, &by);
        let judgement = get_judgement(&effect.case_id);
        assert_not_authorised(client.get_penalty_judgement(judgement).await, &by);
    }
    // the list is every body's business; another enterprise learns nothing
    for by in [uscc(3), uscc(4)] {
        assert!(world.credit(&by).get_blacklist_entry(get_entry()).await.is_ok(), "{by}");
    }
    let mut stranger = world.credit(&uscc(6));
    assert_not_authorised(stranger.get_blacklist_entry(get_entry()).await, "the entry");
    assert_not_authorised(stranger.get_credit_case(get_case(&new_id())).await, "no such case");
    let judgement = get_judgement(&new_id());
    assert_not_authorised(stranger.get_penalty_judgement(judgement).await, "no such penalty");
}
