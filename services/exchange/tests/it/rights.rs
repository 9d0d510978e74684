//! What a subscriber may have is what it gets, and nothing else is hinted at.

use onenet_chassis::testing::{elsewhere::Registered, refusal, uscc};
use onenet_proto::exchange::v1::RevokeGrantRequest;
use tonic::Code;

use crate::support::{
    BUREAU, FILED, IDENTIFIED, Subscriber, World, beginning, new_id, resume, terms,
};

const CHEMICAL: u32 = 10;
const MINING: u32 = 11;
const PLANT: u32 = 20;
const OTHER_PLANT: u32 = 21;

#[tokio::test]
async fn a_department_sees_its_industry_another_nothing_and_an_enterprise_itself() {
    let world = World::new().await;
    for plant in [PLANT, OTHER_PLANT] {
        let plant = onenet_proto::enterprise::v1::Enterprise {
            division: "410102".to_owned(),
            ..Registered::plant(&uscc(plant))
        };
        world.register(Registered::Enterprise(plant)).await;
    }
    world.register_agency(CHEMICAL).await;
    world.register_agency(MINING).await;
    world.grant(CHEMICAL, terms("41", &["26"])).await;
    world.grant(MINING, terms("41", &["06"])).await;
    let mut chemical = world.subscribe(CHEMICAL).await;
    let mut mining = world.subscribe(MINING).await;
    let mut itself = world.subscribe(PLANT).await;

    world.hazard(1, IDENTIFIED, &uscc(PLANT), ("410102", "2614")).await;
    world.hazard(2, IDENTIFIED, &uscc(OTHER_PLANT), ("410102", "2614")).await;
    world.hazard(1, FILED, &uscc(PLANT), ("410102", "2614")).await;

    let hazard = |name: &str, id| (name.to_owned(), format!("hazard {id}"));
    let mut seen = chemical.deliveries(3).await;
    seen.sort();
    assert_eq!(seen, [hazard(FILED, 1), hazard(IDENTIFIED, 1), hazard(IDENTIFIED, 2)]);
    // what the register says about the plant itself comes first
    let own = itself.deliveries(3).await;
    assert_eq!(own[0].0, "onenet.enterprise.v1.EnterpriseRegistered");
    assert_eq!(own[1..], [hazard(IDENTIFIED, 1), hazard(FILED, 1)]);
    mining.progress().await;
    assert_eq!(mining.sequence, 0, "another industry's department sees nothing");
}

#[tokio::test]
async fn a_grant_opens_its_subtree_and_no_more() {
    let world = World::new().await;
    world.register_agency(CHEMICAL).await;
    world.grant(CHEMICAL, terms("4102", &[])).await;
    let mut subscriber = world.subscribe(CHEMICAL).await;
    world.hazard(1, IDENTIFIED, &uscc(PLANT), ("410102", "2614")).await;
    world.hazard(2, IDENTIFIED, &uscc(PLANT), ("4102", "0610")).await;
    // a type that leaves the node, and is not in the grant
    world.hazard(3, "onenet.credit.v1.SubjectListed", &uscc(PLANT), ("4102", "0610")).await;
    world.hazard(4, IDENTIFIED, &uscc(PLANT), ("4102", "2614")).await;
    let mut seen = subscriber.deliveries(2).await;
    seen.sort();
    let payloads: Vec<_> = seen.into_iter().map(|(_, payload)| payload).collect();
    assert_eq!(payloads, ["hazard 2", "hazard 4"]);
}

#[tokio::test]
async fn a_type_that_never_leaves_the_node_is_not_even_sent_to_whom_it_is_about() {
    let world = World::new().await;
    let plant = onenet_proto::enterprise::v1::Enterprise {
        division: "410102".to_owned(),
        ..Registered::plant(&uscc(PLANT))
    };
    world.register(Registered::Enterprise(plant)).await;
    let mut itself = world.subscribe(PLANT).await;
    itself.deliveries(1).await;
    world.hazard(1, "onenet.credit.v1.CreditCaseOpened", &uscc(PLANT), ("410102", "2614")).await;
    world.hazard(2, FILED, &uscc(PLANT), ("410102", "2614")).await;
    assert_eq!(itself.deliveries(1).await, [(FILED.to_owned(), "hazard 2".to_owned())]);
}

#[tokio::test]
async fn a_grant_that_is_revoked_ends_a_running_stream() {
    let world = World::new().await;
    world.register_agency(CHEMICAL).await;
    let grant_id = world.grant(CHEMICAL, terms("41", &[])).await;
    let mut subscriber = world.subscribe(CHEMICAL).await;
    let revoke = RevokeGrantRequest {
        command_id: new_id(),
        grant_id,
        reason: "用途变更".to_owned(),
        ..Default::default()
    };
    world.client(BUREAU).revoke_grant(revoke).await.unwrap();
    let (code, reason, _) = refusal(&subscriber.end().await);
    assert_eq!(code, Code::PermissionDenied);
    assert_eq!(reason, "EXCHANGE_ERROR_REASON_NO_GRANT_IN_FORCE");
}

#[tokio::test]
async fn a_certificate_that_is_replaced_ends_a_running_stream_and_its_successor_goes_on() {
    let world = World::new().await;
    let (own, spare) = (world.fingerprint(CHEMICAL), "ab".repeat(32));
    world.register_agency(CHEMICAL).await;
    world.grant(CHEMICAL, terms("41", &[])).await;
    let mut subscriber = world.subscribe(CHEMICAL).await;
    world.hazard(1, IDENTIFIED, &uscc(PLANT), ("410102", "2614")).await;
    subscriber.deliveries(1).await;

    let both = world.replace_certificates(CHEMICAL, [&own, &spare]).await.unwrap();
    let same = world.replace_certificates(CHEMICAL, [&spare, &own]).await.unwrap();
    assert_eq!((same.version, same.position), (both.version, both.position), "the same set");
    world.hazard(2, IDENTIFIED, &uscc(PLANT), ("410102", "2614")).await;
    subscriber.deliveries(1).await;

    world.replace_certificates(CHEMICAL, [&spare]).await.unwrap();
    let (code, reason, _) = refusal(&subscriber.end().await);
    assert_eq!(code, Code::PermissionDenied);
    assert_eq!(reason, "EXCHANGE_ERROR_REASON_CERTIFICATE_NOT_REGISTERED");
    let stolen = Subscriber::open(world.client(CHEMICAL), resume(&subscriber.token)).await;
    let Err(refused) = stolen else { unreachable!("a removed certificate opens a stream") };
    assert_eq!(refusal(&refused).1, "EXCHANGE_ERROR_REASON_CERTIFICATE_NOT_REGISTERED");

    world.replace_certificates(CHEMICAL, [&own]).await.unwrap();
    world.hazard(3, IDENTIFIED, &uscc(PLANT), ("410102", "2614")).await;
    let mut again = None;
    world
        .patiently(async || {
            let request = resume(&subscriber.token);
            again = Some(Subscriber::open(world.client(CHEMICAL), request).await?);
            Ok(())
        })
        .await;
    let mut again = again.unwrap();
    again.sequence = subscriber.sequence;
    assert_eq!(again.deliveries(1).await, [(IDENTIFIED.to_owned(), "hazard 3".to_owned())]);
    let fresh = Subscriber::open(world.client(CHEMICAL), beginning()).await;
    assert_eq!(fresh.unwrap().deliveries(3).await.len(), 3);
}
