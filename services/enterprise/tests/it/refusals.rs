//! Each reason of the contract, and that a refused command changes nothing.

use onenet_chassis::testing::{OPERATOR, refusal, uscc};
use onenet_proto::{
    common::v1::{PageRequest, Position, Receipt},
    enterprise::v1::{
        ConfirmEnterpriseRequest, DesignateKeyEnterpriseRequest, GetDivisionRequest,
        GetEnterpriseRequest, GetOrganisationRequest, ListEnterprisesRequest, Organisation,
        RegisterEnterpriseRequest, Tier,
    },
};
use tonic::{Code, Status};

use crate::support::{World, body, division, new_id, plant, registration};

fn assert_refused<T: std::fmt::Debug>(
    outcome: Result<T, Status>,
    code: Code,
    reason: &str,
    field: Option<&str>,
) {
    let (actual_code, actual_reason, actual_field) = refusal(&outcome.unwrap_err());
    assert_eq!((actual_code, actual_reason.as_str()), (code, reason));
    if let Some(field) = field {
        assert_eq!(actual_field, field);
    }
}

#[tokio::test]
async fn the_register_of_divisions_refuses_what_does_not_fit_the_tree() {
    let world = World::new().await;
    let renamed =
        onenet_proto::enterprise::v1::Division { name: "别名".to_owned(), ..division("4101") };
    let reason = |name: &str| format!("ENTERPRISE_ERROR_REASON_{name}");
    assert_refused(
        world.division(renamed).await,
        Code::AlreadyExists,
        &reason("DIVISION_ALREADY_REGISTERED"),
        None,
    );
    assert_refused(
        world.division(division("410201")).await,
        Code::NotFound,
        &reason("DIVISION_UNKNOWN"),
        None,
    );
    let under_placeholder = division("419001");
    assert_refused(
        world.division(under_placeholder).await,
        Code::FailedPrecondition,
        &reason("DIVISION_IS_PLACEHOLDER"),
        None,
    );
    let mut jiyuan = division("419001");
    jiyuan.jurisdiction_parent = Some("41".to_owned());
    assert!(world.division(jiyuan).await.is_ok(), "a placeholder may group, but not supervise");
    let get = GetDivisionRequest { code: "4199".to_owned(), ..Default::default() };
    let got = world.divisions(OPERATOR).get_division(get).await;
    assert_refused(got, Code::NotFound, &reason("DIVISION_UNKNOWN"), None);
}

#[tokio::test]
async fn the_register_of_bodies_refuses_other_content_and_unknown_places() {
    let world = World::new().await;
    let reason = |name: &str| format!("ENTERPRISE_ERROR_REASON_{name}");
    let bureau = body(&uscc(1), Tier::County, "410102");
    world.organisation(bureau.clone()).await.unwrap();
    let renamed = Organisation { name: "别名".to_owned(), ..bureau.clone() };
    assert_refused(
        world.organisation(renamed).await,
        Code::AlreadyExists,
        &reason("ORGANISATION_ALREADY_REGISTERED"),
        None,
    );
    let nowhere = body(&uscc(2), Tier::County, "410999");
    assert_refused(
        world.organisation(nowhere).await,
        Code::NotFound,
        &reason("DIVISION_UNKNOWN"),
        None,
    );
    let grouped = body(&uscc(2), Tier::City, "4190");
    assert_refused(
        world.organisation(grouped).await,
        Code::FailedPrecondition,
        &reason("DIVISION_IS_PLACEHOLDER"),
        None,
    );
    let idle = Organisation { functions: vec![], ..body(&uscc(2), Tier::City, "4101") };
    assert_refused(
        world.organisation(idle).await,
        Code::InvalidArgument,
        "ERROR_REASON_FIELD_MISSING",
        Some("organisation.functions"),
    );
    let get = GetOrganisationRequest { uscc: uscc(3), ..Default::default() };
    let got = world.organisations(OPERATOR).get_organisation(get).await;
    assert_refused(got, Code::NotFound, &reason("ORGANISATION_UNKNOWN"), None);
}

#[tokio::test]
async fn the_register_of_enterprises_refuses_each_for_its_reason() {
    let world = World::new().await;
    let (county, township) = (uscc(1), uscc(2));
    world.organisation(body(&county, Tier::County, "410102")).await.unwrap();
    world.organisation(body(&township, Tier::Township, "410102001")).await.unwrap();
    let reason = |name: &str| format!("ENTERPRISE_ERROR_REASON_{name}");
    let mut client = world.enterprises(&county);
    let designate = |enterprise: String| DesignateKeyEnterpriseRequest {
        command_id: new_id(),
        enterprise,
        basis: "文件".to_owned(),
        ..Default::default()
    };

    let confirm = ConfirmEnterpriseRequest {
        command_id: new_id(),
        enterprise: uscc(5),
        ..Default::default()
    };
    let outcome = client.confirm_enterprise(confirm).await;
    assert_refused(outcome, Code::NotFound, &reason("ENTERPRISE_UNKNOWN"), None);
    let get = GetEnterpriseRequest { uscc: uscc(5), ..Default::default() };
    assert_refused(
        client.get_enterprise(get).await,
        Code::NotFound,
        &reason("ENTERPRISE_UNKNOWN"),
        None,
    );

    world.enterprise(&township, plant(&uscc(5))).await.unwrap();
    let mut elsewhere = plant(&uscc(5));
    elsewhere.address = "别处".to_owned();
    let outcome = world.enterprise(&township, elsewhere.clone()).await;
    assert_refused(outcome, Code::AlreadyExists, &reason("ENTERPRISE_ALREADY_PROPOSED"), None);
    let outcome = client.designate_key_enterprise(designate(uscc(5))).await;
    assert_refused(outcome, Code::FailedPrecondition, &reason("ENTERPRISE_NOT_REGISTERED"), None);
    let registered = world.enterprise(&county, plant(&uscc(5))).await.unwrap();
    let outcome = world.enterprise(&county, elsewhere).await;
    assert_refused(outcome, Code::AlreadyExists, &reason("ENTERPRISE_ALREADY_REGISTERED"), None);

    let again = world.enterprise(&county, plant(&uscc(5))).await.unwrap();
    assert_eq!(again.version, registered.version, "the refused commands changed nothing");
}

#[tokio::test]
async fn a_bad_field_is_named_and_a_bad_envelope_refused() {
    let world = World::new().await;
    let county = uscc(1);
    world.organisation(body(&county, Tier::County, "410102")).await.unwrap();
    let mut client = world.enterprises(&county);
    let bad = |change: fn(&mut onenet_proto::enterprise::v1::Enterprise)| {
        let mut enterprise = plant(&uscc(5));
        change(&mut enterprise);
        registration(enterprise)
    };
    let invalid = [
        (
            bad(|it| it.uscc = "00000000000000000X".to_owned()),
            "USCC_PLACEHOLDER",
            "enterprise.uscc",
        ),
        (
            bad(|it| it.uscc = "91230500MA1B3N1N2N".to_owned()),
            "USCC_CHECK_CHARACTER",
            "enterprise.uscc",
        ),
        (bad(|it| it.uscc = "9123".to_owned()), "FIELD_MALFORMED", "enterprise.uscc"),
        (bad(|it| it.name = String::new()), "FIELD_MISSING", "enterprise.name"),
        (bad(|it| it.name = "长".repeat(201)), "TEXT_TOO_LONG", "enterprise.name"),
        (bad(|it| it.name = "a\0b".to_owned()), "TEXT_HAS_NUL", "enterprise.name"),
        (bad(|it| it.kind = 0), "FIELD_MISSING", "enterprise.kind"),
        (bad(|it| it.kind = 9), "ENUM_UNKNOWN", "enterprise.kind"),
        (bad(|it| it.industry = "9999".to_owned()), "INDUSTRY_UNKNOWN", "enterprise.industry"),
        (bad(|it| it.division = "4101x2".to_owned()), "FIELD_MALFORMED", "enterprise.division"),
        (
            RegisterEnterpriseRequest {
                command_id: "1".to_owned(),
                ..registration(plant(&uscc(5)))
            },
            "FIELD_MALFORMED",
            "command_id",
        ),
        (
            RegisterEnterpriseRequest { enterprise: None, ..registration(plant(&uscc(5))) },
            "FIELD_MISSING",
            "enterprise",
        ),
    ];
    for (request, reason, field) in invalid {
        let outcome = client.register_enterprise(request).await;
        assert_refused(
            outcome,
            Code::InvalidArgument,
            &format!("ERROR_REASON_{reason}"),
            Some(field),
        );
    }
    let token = ListEnterprisesRequest {
        page: Some(PageRequest { page_size: 1, page_token: "' or 1=1".to_owned() }),
        ..Default::default()
    };
    let outcome = client.list_enterprises(token).await;
    assert_refused(
        outcome,
        Code::InvalidArgument,
        "ERROR_REASON_PAGE_TOKEN_INVALID",
        Some("page.page_token"),
    );
}

#[tokio::test]
async fn command_ids_versions_and_receipts_are_held_to_what_they_mean() {
    let world = World::new().await;
    let county = uscc(1);
    world.organisation(body(&county, Tier::County, "410102")).await.unwrap();
    let mut client = world.enterprises(&county);
    let first = registration(plant(&uscc(5)));
    let receipt =
        client.register_enterprise(first.clone()).await.unwrap().into_inner().receipt.unwrap();
    let other = RegisterEnterpriseRequest { enterprise: Some(plant(&uscc(6))), ..first };
    let outcome = client.register_enterprise(other).await;
    assert_refused(outcome, Code::AlreadyExists, "ERROR_REASON_COMMAND_REUSED", None);

    let decided_on_an_older =
        RegisterEnterpriseRequest { expected_version: Some(7), ..registration(plant(&uscc(5))) };
    let outcome = client.register_enterprise(decided_on_an_older).await;
    let details = tonic_types::StatusExt::get_error_details(outcome.as_ref().unwrap_err());
    assert_eq!(details.error_info().unwrap().metadata["actual_version"], "1");
    assert_refused(outcome, Code::Aborted, "ERROR_REASON_VERSION_CONFLICT", None);

    let position =
        |log_id: String, number| Position { log_id, number, ..receipt.position.clone().unwrap() };
    let fresh = |stream_id: &str, position: Position| GetEnterpriseRequest {
        fresh_as: vec![Receipt {
            stream_id: stream_id.to_owned(),
            position: Some(position),
            ..receipt.clone()
        }],
        uscc: uscc(5),
    };
    let of_nobody = fresh("elsewhere-1", position(new_id(), 1));
    let outcome = client.get_enterprise(of_nobody).await;
    assert_refused(
        outcome,
        Code::InvalidArgument,
        "ERROR_REASON_RECEIPT_UNKNOWN",
        Some("fresh_as[0]"),
    );
    let own = receipt.position.clone().unwrap().log_id;
    let mut impatient = tonic::Request::new(fresh("enterprise-x", position(own, 999)));
    impatient.set_timeout(std::time::Duration::from_secs(5));
    impatient.metadata_mut().insert("grpc-timeout", "300m".parse().unwrap());
    let outcome = client.get_enterprise(impatient).await;
    assert_refused(outcome, Code::DeadlineExceeded, "ERROR_REASON_NOT_FRESH_IN_TIME", None);
}

#[tokio::test]
async fn what_is_no_message_or_too_large_is_refused_in_our_words() {
    let world = World::new().await;
    let county = uscc(1);
    world.organisation(body(&county, Tier::County, "410102")).await.unwrap();
    let mut client = world.enterprises(&county).max_encoding_message_size(usize::MAX);
    let mut huge = plant(&uscc(5));
    huge.address = "x".repeat(5 * 1024 * 1024);
    let outcome = client.register_enterprise(registration(huge)).await;
    assert_refused(outcome, Code::ResourceExhausted, "ERROR_REASON_MESSAGE_TOO_LARGE", None);

    // bytes that are no message: a message of another shape on the same path
    let mut grpc = tonic::client::Grpc::new(world.channel(Some(&county)));
    grpc.ready().await.unwrap();
    let path = "/onenet.enterprise.v1.EnterpriseService/RegisterEnterprise".parse().unwrap();
    let codec = tonic_prost::ProstCodec::<Vec<u8>, RegisterEnterpriseRequest>::default();
    let garbage = vec![0xff; 9];
    let outcome = grpc.unary(tonic::Request::new(garbage), path, codec).await;
    assert_refused(outcome, Code::InvalidArgument, "ERROR_REASON_MESSAGE_MALFORMED", None);
}
