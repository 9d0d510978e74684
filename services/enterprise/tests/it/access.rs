//! Who may do what, and that refusals are written down.

use onenet_chassis::testing::{OPERATOR, refusal, uscc};
use onenet_eventstore::{Db, sqlx};
use onenet_proto::enterprise::v1::division_service_client::DivisionServiceClient;
use onenet_proto::enterprise::v1::{
    GetEnterpriseRequest, ListEnterprisesRequest, RegisterDivisionRequest, Tier,
};
use tonic::Code;

use crate::support::{World, body, division, new_id, plant};

const NOT_AUTHORISED: &str = "ERROR_REASON_NOT_AUTHORISED";

#[tokio::test]
async fn only_a_supervisor_of_area_and_industry_registers() {
    let world = World::new().await;
    let (other_county, miners, support) = (uscc(1), uscc(2), uscc(3));
    world.organisation(body(&other_county, Tier::County, "410103")).await.unwrap();
    let mut of_mines = body(&miners, Tier::City, "4101");
    of_mines.industries = vec!["06".to_owned()];
    world.organisation(of_mines).await.unwrap();
    let mut supports = body(&support, Tier::City, "4101");
    supports.functions = vec![onenet_proto::enterprise::v1::OrganisationFunction::Support.into()];
    world.organisation(supports).await.unwrap();
    for by in [&other_county, &miners, &support, &uscc(9), OPERATOR] {
        let refused = world.enterprise(by, plant(&uscc(5))).await.unwrap_err();
        let (code, reason, _) = refusal(&refused);
        assert_eq!((code, reason.as_str()), (Code::PermissionDenied, NOT_AUTHORISED), "{by}");
    }
}

#[tokio::test]
async fn only_the_operator_writes_the_register_of_divisions() {
    let world = World::new().await;
    world.organisation(body(&uscc(1), Tier::Province, "41")).await.unwrap();
    let request = RegisterDivisionRequest {
        command_id: new_id(),
        division: Some(division("4102")),
        ..Default::default()
    };
    let refused = world.divisions(&uscc(1)).register_division(request).await.unwrap_err();
    assert_eq!(refusal(&refused).1, NOT_AUTHORISED);
}

#[tokio::test]
async fn an_enterprise_sees_itself_and_learns_of_no_other() {
    let world = World::new().await;
    let (county, one, other) = (uscc(1), uscc(5), uscc(6));
    world.organisation(body(&county, Tier::County, "410102")).await.unwrap();
    world.enterprise(&county, plant(&one)).await.unwrap();
    let last = world.enterprise(&county, plant(&other)).await.unwrap();
    let mut client = world.enterprises(&one);
    let get =
        |uscc: &str| GetEnterpriseRequest { fresh_as: vec![last.clone()], uscc: uscc.to_owned() };
    assert!(client.get_enterprise(get(&one)).await.is_ok());
    let exists = client.get_enterprise(get(&other)).await.unwrap_err();
    let does_not = client.get_enterprise(get(&uscc(7))).await.unwrap_err();
    assert_eq!(refusal(&exists).1, NOT_AUTHORISED);
    assert_eq!(refusal(&exists).1, refusal(&does_not).1, "the two cannot be told apart");
    let answer = client.list_enterprises(ListEnterprisesRequest::default()).await.unwrap();
    let seen: Vec<_> = answer
        .into_inner()
        .enterprises
        .into_iter()
        .map(|view| view.enterprise.unwrap().uscc)
        .collect();
    assert_eq!(seen, [one]);
}

#[tokio::test]
async fn a_call_without_a_certificate_is_refused_and_audited_with_a_count() {
    let world = World::new().await;
    let mut nobody = DivisionServiceClient::new(world.channel(None));
    for _ in 0..3 {
        let request = RegisterDivisionRequest::default();
        let refused = nobody.register_division(request).await.unwrap_err();
        let (code, reason, _) = refusal(&refused);
        assert_eq!(
            (code, reason.as_str()),
            (Code::Unauthenticated, "ERROR_REASON_UNAUTHENTICATED")
        );
    }
    let settings = world.node.settings().database("enterprise").unwrap();
    let db = Db::connect(&settings).await.unwrap();
    for _ in 0..500 {
        let count: Option<i64> = sqlx::query_scalar(
            "select sum(count)::bigint from audited_refusals
             where caller = '127.0.0.1' and reason = 'ERROR_REASON_UNAUTHENTICATED'
                and rpc = '/onenet.enterprise.v1.DivisionService/RegisterDivision'",
        )
        .fetch_one(&mut *db.reader().await.unwrap())
        .await
        .unwrap();
        if count == Some(3) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    unreachable!("the refusals were not written down");
}
