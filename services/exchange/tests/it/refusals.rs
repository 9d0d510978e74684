//! Each reason of the contract.

use onenet_chassis::testing::{refusal, uscc};
use onenet_proto::exchange::v1::{
    Agency, Filter, GiveGrantRequest, GrantTerms, RegisterAgencyRequest,
    ReplaceAgencyCertificatesRequest, RevokeGrantRequest, SubscribeRequest, UpdateFilterRequest,
};
use tonic::{Code, Status};

use crate::support::{BUREAU, Subscriber, World, beginning, new_id, resume, terms};

const AGENCY: u32 = 10;

fn assert_refused<T>(outcome: Result<T, Status>, code: Code, reason: &str) {
    let Err(status) = outcome else { unreachable!("{reason} was expected") };
    let (actual, said, _) = refusal(&status);
    assert_eq!((actual, said), (code, format!("EXCHANGE_ERROR_REASON_{reason}")));
}

fn grant(agency: u32, terms: GrantTerms) -> GiveGrantRequest {
    GiveGrantRequest {
        command_id: new_id(),
        agency: uscc(agency),
        terms: Some(terms),
        ..Default::default()
    }
}

fn agency(agency: Agency) -> RegisterAgencyRequest {
    RegisterAgencyRequest { command_id: new_id(), agency: Some(agency), ..Default::default() }
}

#[tokio::test]
async fn agencies_and_grants_are_refused_each_for_its_reason() {
    let world = World::new().await;
    world.register_agency(AGENCY).await;
    let mut bureau = world.client(BUREAU);

    let nowhere = Agency { division: "4199".to_owned(), ..world.agency(11) };
    let outcome = bureau.register_agency(agency(nowhere)).await;
    assert_refused(outcome, Code::NotFound, "DIVISION_UNKNOWN");
    let renamed = Agency { name: "别名".to_owned(), ..world.agency(AGENCY) };
    let outcome = bureau.register_agency(agency(renamed)).await;
    assert_refused(outcome, Code::AlreadyExists, "AGENCY_ALREADY_REGISTERED");
    let outcome = bureau.give_grant(grant(12, terms("41", &[]))).await;
    assert_refused(outcome, Code::NotFound, "AGENCY_UNKNOWN");
    let certificate = world.fingerprint(12);
    let outcome = world.replace_certificates(12, [&certificate]).await;
    assert_refused(outcome, Code::NotFound, "AGENCY_UNKNOWN");
    for (bad, path) in [
        (vec![], "certificate_sha256"),
        (vec!["AB".repeat(32)], "certificate_sha256[0]"),
        (vec![certificate.clone(), certificate.clone()], "certificate_sha256[1]"),
    ] {
        let bad = ReplaceAgencyCertificatesRequest {
            certificate_sha256: bad,
            ..replacing(AGENCY, &certificate)
        };
        let (code, _, field) = refusal(&bureau.replace_agency_certificates(bad).await.unwrap_err());
        assert_eq!((code, field.as_str()), (Code::InvalidArgument, path));
    }
    for hidden in ["onenet.credit.v1.CreditCaseOpened", "onenet.credit.v1.Nothing"] {
        let inner = GrantTerms { event_types: vec![hidden.to_owned()], ..terms("41", &[]) };
        let outcome = bureau.give_grant(grant(AGENCY, inner)).await;
        assert_refused(outcome, Code::InvalidArgument, "EVENT_TYPE_NOT_SHARED");
    }
    let unknown = RevokeGrantRequest {
        command_id: new_id(),
        grant_id: new_id(),
        reason: "无".to_owned(),
        ..Default::default()
    };
    let outcome = bureau.revoke_grant(unknown).await;
    assert_refused(outcome, Code::NotFound, "GRANT_UNKNOWN");

    let outcome = world.client(AGENCY).give_grant(grant(AGENCY, terms("41", &[]))).await;
    let (code, reason, _) = refusal(&outcome.unwrap_err());
    assert_eq!((code, reason.as_str()), (Code::PermissionDenied, "ERROR_REASON_NOT_AUTHORISED"));
    // a thief does not register a certificate of its own
    let request = replacing(AGENCY, &certificate);
    let outcome = world.client(AGENCY).replace_agency_certificates(request).await;
    let (code, reason, _) = refusal(&outcome.unwrap_err());
    assert_eq!((code, reason.as_str()), (Code::PermissionDenied, "ERROR_REASON_NOT_AUTHORISED"));
}

fn replacing(agency: u32, certificate: &str) -> ReplaceAgencyCertificatesRequest {
    ReplaceAgencyCertificatesRequest {
        command_id: new_id(),
        agency: uscc(agency),
        certificate_sha256: vec![certificate.to_owned()],
        reason: "证书到期".to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn streams_are_refused_each_for_its_reason() {
    let world = World::new().await;
    world.register_agency(AGENCY).await;
    let open = async |serial, request| Subscriber::open(world.client(serial), request).await;

    assert_refused(open(15, beginning()).await, Code::NotFound, "AGENCY_UNKNOWN");
    let outcome = open(AGENCY, beginning()).await;
    assert_refused(outcome, Code::PermissionDenied, "NO_GRANT_IN_FORCE");
    let over = GrantTerms { to_on: Some("2026-11-24".to_owned()), ..terms("41", &[]) };
    world.grant(AGENCY, over).await;
    let outcome = open(AGENCY, beginning()).await;
    assert_refused(outcome, Code::PermissionDenied, "NO_GRANT_IN_FORCE");

    world.grant(AGENCY, terms("41", &[])).await;
    let subscriber = world.subscribe(AGENCY).await;
    let mut damaged = subscriber.token.clone();
    damaged.replace_range(20..21, if damaged.as_bytes()[20] == b'A' { "B" } else { "A" });
    let outcome = open(AGENCY, resume(&damaged)).await;
    assert_refused(outcome, Code::InvalidArgument, "RESUME_TOKEN_INVALID");
    let hidden = Filter { event_types: vec!["a.b".to_owned()], ..Default::default() };
    let outcome = open(AGENCY, SubscribeRequest { filter: Some(hidden), ..beginning() }).await;
    assert_refused(outcome, Code::InvalidArgument, "EVENT_TYPE_NOT_SHARED");
    let request = UpdateFilterRequest { subscription_id: new_id(), filter: None };
    let outcome = world.client(AGENCY).update_filter(request).await;
    assert_refused(outcome, Code::NotFound, "SUBSCRIPTION_NOT_LIVE");

    let mut elsewhere = world.agency(16);
    elsewhere.certificate_sha256 = vec![world.fingerprint(17)];
    world.client(BUREAU).register_agency(agency(elsewhere)).await.unwrap();
    world.grant(16, terms("41", &[])).await;
    let outcome = open(16, beginning()).await;
    assert_refused(outcome, Code::PermissionDenied, "CERTIFICATE_NOT_REGISTERED");

    world.register_agency(18).await;
    world.grant(18, terms("41", &[])).await;
    world.subscribe(18).await;
    let outcome = open(18, resume(&subscriber.token)).await;
    assert_refused(outcome, Code::InvalidArgument, "RESUME_TOKEN_INVALID");
}
