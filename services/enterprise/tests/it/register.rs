//! What is registered stands, once, and can be read by those who waited for it.

use onenet_chassis::testing::{OPERATOR, uscc};
use onenet_proto::common::v1::PageRequest;
use onenet_proto::enterprise::v1::{
    ConfirmEnterpriseRequest, DesignateKeyEnterpriseRequest, EnterpriseState, GetEnterpriseRequest,
    ListDivisionsRequest, ListEnterprisesRequest, Tier,
};

use crate::support::{World, body, new_id, plant, registration};

#[tokio::test]
async fn an_enterprise_is_proposed_confirmed_and_put_under_key_supervision() {
    let world = World::new().await;
    let (county, township, enterprise) = (uscc(1), uscc(2), uscc(3));
    world.organisation(body(&county, Tier::County, "410102")).await.unwrap();
    world.organisation(body(&township, Tier::Township, "410102001")).await.unwrap();

    let proposed = world.enterprise(&township, plant(&enterprise)).await.unwrap();
    assert_eq!(
        (proposed.version, proposed.stream_id.as_str()),
        (1, format!("enterprise-{enterprise}").as_str())
    );
    let mut client = world.enterprises(&county);
    let get = GetEnterpriseRequest { fresh_as: vec![proposed], uscc: enterprise.clone() };
    let view = client.get_enterprise(get).await.unwrap().into_inner().enterprise.unwrap();
    assert_eq!(view.state(), EnterpriseState::Proposed);
    assert_eq!(view.proposed_by.as_deref(), Some(township.as_str()));

    let confirm = ConfirmEnterpriseRequest {
        command_id: new_id(),
        enterprise: enterprise.clone(),
        ..Default::default()
    };
    client.confirm_enterprise(confirm).await.unwrap();
    let designate = DesignateKeyEnterpriseRequest {
        command_id: new_id(),
        enterprise: enterprise.clone(),
        basis: "豫安委〔2026〕3号".to_owned(),
        ..Default::default()
    };
    let designated =
        client.designate_key_enterprise(designate).await.unwrap().into_inner().receipt.unwrap();
    assert_eq!(designated.version, 3);

    let get = GetEnterpriseRequest { fresh_as: vec![designated], uscc: enterprise.clone() };
    let answer = client.get_enterprise(get).await.unwrap().into_inner();
    let view = answer.enterprise.unwrap();
    assert!(!answer.incomplete);
    assert_eq!(view.state(), EnterpriseState::Registered);
    assert_eq!(view.registered_by.as_deref(), Some(county.as_str()));
    assert_eq!(view.key_supervision.unwrap().designated_by, county);
    assert_eq!((view.version, view.enterprise.unwrap()), (3, plant(&enterprise)));
}

#[tokio::test]
async fn a_retry_gets_its_first_receipt_and_the_same_again_changes_nothing() {
    let world = World::new().await;
    let county = uscc(1);
    world.organisation(body(&county, Tier::County, "410102")).await.unwrap();
    let mut client = world.enterprises(&county);
    let request = registration(plant(&uscc(3)));
    let first = client.register_enterprise(request.clone()).await.unwrap().into_inner().receipt;
    let retried = client.register_enterprise(request.clone()).await.unwrap().into_inner().receipt;
    assert_eq!(first, retried);
    let again = world.enterprise(&county, plant(&uscc(3))).await.unwrap();
    assert_eq!(again.version, 1, "nothing was appended");
    // the envelope is not the content: a retry may wait for more than the first try did
    let patient = onenet_proto::enterprise::v1::RegisterEnterpriseRequest {
        fresh_as: vec![first.clone().unwrap()],
        ..request
    };
    let waited = client.register_enterprise(patient).await.unwrap().into_inner().receipt;
    assert_eq!(first, waited);
}

#[tokio::test]
async fn lists_are_paged_and_narrowed() {
    let world = World::new().await;
    let (city, chemical) = (uscc(1), uscc(2));
    world.organisation(body(&city, Tier::City, "4101")).await.unwrap();
    let mut department = body(&chemical, Tier::City, "4101");
    department.industries = vec!["26".to_owned()];
    world.organisation(department).await.unwrap();
    let mut newest = None;
    for serial in 10..15 {
        let mut enterprise = plant(&uscc(serial));
        if serial % 2 == 0 {
            (enterprise.industry, enterprise.division) = ("0610".to_owned(), "410103".to_owned());
        }
        newest = Some(world.enterprise(&city, enterprise).await.unwrap());
    }
    let list = |page_size, page_token: &str| ListEnterprisesRequest {
        fresh_as: newest.clone().into_iter().collect(),
        page: Some(PageRequest { page_size, page_token: page_token.to_owned() }),
        ..Default::default()
    };
    let mut client = world.enterprises(&city);
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let answer = client.list_enterprises(list(2, &token)).await.unwrap().into_inner();
        seen.extend(answer.enterprises.into_iter().map(|view| view.enterprise.unwrap().uscc));
        token = answer.page.unwrap().next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let mut all: Vec<String> = (10..15).map(uscc).collect();
    all.sort();
    assert_eq!(seen, all, "each once, in the order of their codes");

    let count =
        |answer: onenet_proto::enterprise::v1::ListEnterprisesResponse| answer.enterprises.len();
    let narrowed = ListEnterprisesRequest { subtree: Some("410103".to_owned()), ..list(0, "") };
    assert_eq!(count(client.list_enterprises(narrowed).await.unwrap().into_inner()), 3);
    let narrowed = ListEnterprisesRequest { industry: Some("26".to_owned()), ..list(0, "") };
    assert_eq!(count(client.list_enterprises(narrowed).await.unwrap().into_inner()), 2);
    let narrowed = ListEnterprisesRequest { key_only: true, ..list(0, "") };
    assert_eq!(count(client.list_enterprises(narrowed).await.unwrap().into_inner()), 0);
    let of_its_industry = world.enterprises(&chemical).list_enterprises(list(0, "")).await.unwrap();
    assert_eq!(count(of_its_industry.into_inner()), 2, "a department sees its own industry");

    let all = ListDivisionsRequest { subtree: Some("4101".to_owned()), ..Default::default() };
    let answer = world.divisions(OPERATOR).list_divisions(all).await.unwrap().into_inner();
    let codes: Vec<_> = answer.divisions.into_iter().map(|division| division.code).collect();
    assert_eq!(codes, ["4101", "410102", "410102001", "410103"]);
}
