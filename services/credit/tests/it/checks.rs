//! Who is on the list on a day.

use jiff::civil::date;
use onenet_chassis::testing::uscc;
use onenet_proto::{
    common::v1::Receipt,
    credit::v1::{
        CheckSubjectRequest, CheckSubjectResponse, CheckSubjectsRequest, MeasureEffect,
        MeasureField, RemovalReason, SubjectCheck, subject_result::Result as Answer,
    },
    exchange::v1::AgencyCertificatesReplaced,
};
use prost::Message as _;
use tonic::{Code, Status};

use crate::support::{World, effect, organ, other_organ, platform, refused, subject};

fn asking(on: Option<&str>, measure: MeasureField, seen: &Receipt) -> CheckSubjectRequest {
    CheckSubjectRequest {
        fresh_as: vec![seen.clone()],
        subject: subject(),
        measure: measure.into(),
        checked_on: on.map(str::to_owned),
    }
}

async fn check(world: &World, by: &str, request: CheckSubjectRequest) -> CheckSubjectResponse {
    let answer = world.blacklist(by).check_subject(request).await.unwrap().into_inner();
    assert!(!answer.incomplete);
    answer
}

#[tokio::test]
async fn a_day_is_answered_by_what_was_in_force_on_it() {
    let world = World::without_clock().await;
    let case = world.opened(&effect()).await;
    world.list(&case, ["2026-03-06", "2026-03-16", "2026-03-20"]).await;
    let removed = world.remove(&case, RemovalReason::PenaltyRevoked, "2026-06-01").await.unwrap();
    let all = MeasureField::Unspecified;
    for (on, is_in_force) in
        [("2026-03-19", false), ("2026-03-20", true), ("2026-05-31", true), ("2026-06-01", false)]
    {
        let answer = check(&world, &organ(), asking(Some(on), all, &removed)).await;
        let check = answer.check.unwrap();
        assert_eq!((check.checked_on.as_str(), check.is_in_force), (on, is_in_force));
        let ids: Vec<_> = check.listings.iter().map(|it| it.listing_id.as_str()).collect();
        assert_eq!(ids, if is_in_force { vec![case.as_str()] } else { vec![] });
        let (known, asked) = (answer.known_at.unwrap(), removed.position.clone().unwrap());
        assert_eq!((&known.log_id, known.epoch), (&asked.log_id, asked.epoch));
        assert!(known.number >= asked.number, "{known:?} is before {asked:?}");
    }
    let today = check(&world, &organ(), asking(None, all, &removed)).await.check.unwrap();
    assert_eq!((today.checked_on.as_str(), today.is_in_force), ("2026-11-24", false));
}

#[tokio::test]
async fn a_field_is_answered_by_its_own_measures_alone() {
    let world = World::without_clock().await;
    let case = world.opened(&effect()).await;
    let listed = world.list(&case, ["2026-03-06", "2026-03-16", "2026-03-20"]).await;
    let procurement = asking(None, MeasureField::GovernmentProcurement, &listed);
    let found = check(&world, &organ(), procurement).await.check.unwrap();
    let [listing] = &*found.listings else { unreachable!("{found:?}") };
    assert_eq!(listing.decision_organ, organ());
    assert_eq!(listing.decision_document_number, "应急列〔2026〕3号");
    let [measure] = &*listing.measures else { unreachable!("{listing:?}") };
    assert_eq!(measure.effect(), MeasureEffect::Restrict);
    assert_eq!(measure.legal_basis, "《中华人民共和国政府采购法》第二十二条");
    assert_eq!(measure.executing_organ, other_organ());
    // listed, and no law forbids it anything there
    let tendering = asking(None, MeasureField::Tendering, &listed);
    let found = check(&world, &organ(), tendering).await.check.unwrap();
    assert_eq!((found.is_in_force, found.listings), (false, vec![]));
}

#[tokio::test]
async fn a_term_ends_on_its_day_whether_or_not_a_clock_has_said_so() {
    let world = World::on(date(2029, 3, 21)).await;
    let case = world.opened(&effect()).await;
    let listed = world.list(&case, ["2026-03-06", "2026-03-16", "2026-03-20"]).await;
    for (on, is_in_force) in [("2029-03-19", true), ("2029-03-20", false)] {
        let asked = asking(Some(on), MeasureField::Unspecified, &listed);
        let check = check(&world, &organ(), asked).await.check.unwrap();
        assert_eq!(check.is_in_force, is_in_force, "{on}");
    }
}

#[tokio::test]
async fn a_batch_answers_each_in_its_place_and_refuses_the_bad_ones_alone() {
    let world = World::without_clock().await;
    let case = world.opened(&effect()).await;
    let listed = world.list(&case, ["2026-03-06", "2026-03-16", "2026-03-20"]).await;
    let asked = [subject(), "91230500MA1B3N1N2N".to_owned(), uscc(6), "短\0".to_owned(), subject()];
    let batch = |subjects: Vec<String>| CheckSubjectsRequest {
        fresh_as: vec![listed.clone()],
        subjects,
        ..Default::default()
    };
    let mut client = world.blacklist(&other_organ());
    let answer = client.check_subjects(batch(asked.to_vec())).await.unwrap().into_inner();
    assert!(answer.known_at.unwrap().number >= listed.position.as_ref().unwrap().number);
    let said: Vec<_> = answer.results.into_iter().map(|it| told(it.result.unwrap())).collect();
    let wrong = ("subjects[1]".to_owned(), "ERROR_REASON_USCC_CHECK_CHARACTER".to_owned());
    let short = ("subjects[3]".to_owned(), "ERROR_REASON_FIELD_MALFORMED".to_owned());
    assert_eq!(
        said,
        [Ok((subject(), 1)), Err(wrong), Ok((uscc(6), 0)), Err(short), Ok((subject(), 1))]
    );

    let (_, reason, field) = refused(client.check_subjects(batch(vec![])).await);
    assert_eq!((reason.as_str(), field.as_str()), ("FIELD_MISSING", "subjects"));
    let most = client.check_subjects(batch(vec![subject(); 1_000])).await.unwrap().into_inner();
    assert_eq!(most.results.len(), 1_000);
    let (_, reason, _) = refused(client.check_subjects(batch(vec![subject(); 1_001])).await);
    assert_eq!(reason, "LIST_TOO_LONG");

    let mut itself = world.blacklist(&subject());
    assert!(itself.check_subjects(batch(vec![subject()])).await.is_ok());
    let (code, reason, _) = refused(itself.check_subjects(batch(vec![subject(), uscc(6)])).await);
    assert_eq!((code, reason.as_str()), (Code::PermissionDenied, "NOT_AUTHORISED"));
}

/// Subject and listings, or bad field and reason.
fn told(answer: Answer) -> Result<(String, usize), (String, String)> {
    match answer {
        Answer::Check(SubjectCheck { subject, listings, .. }) => Ok((subject, listings.len())),
        Answer::Refusal(refusal) => {
            assert_eq!(refusal.domain, "onenet.common.v1");
            assert!(refusal.message_zh.starts_with(&format!("字段 {}：", refusal.field)));
            Err((refusal.field, refusal.reason))
        }
    }
}

#[tokio::test]
async fn bodies_agencies_with_their_own_certificate_and_the_subject_itself_may_ask() {
    let world = World::without_clock().await;
    let own = world.node.fingerprint(&platform()).unwrap();
    let registered = world.registers(&platform(), std::slice::from_ref(&own)).await;
    let ask = |seen: &Receipt| asking(None, MeasureField::Unspecified, seen);
    let by = async |who: &str, seen: &Receipt| -> Result<(), Status> {
        world.blacklist(who).check_subject(ask(seen)).await.map(drop)
    };
    for who in [organ(), other_organ(), platform(), subject()] {
        assert!(by(&who, &registered).await.is_ok(), "{who}");
    }
    let (code, reason, _) = refused(by(&uscc(6), &registered).await);
    assert_eq!((code, reason.as_str()), (Code::PermissionDenied, "NOT_AUTHORISED"));

    // what exchange takes away, credit takes away
    let replaced = async |certificate: &str| {
        let event = AgencyCertificatesReplaced {
            agency: platform(),
            certificate_sha256: vec![certificate.to_owned()],
            replaced_by: organ(),
            reason: "证书遗失".to_owned(),
        };
        world.says_of(&platform(), "AgencyCertificatesReplaced", event.encode_to_vec()).await
    };
    let seen = replaced(&"ab".repeat(32)).await;
    let (code, reason, _) = refused(by(&platform(), &seen).await);
    assert_eq!((code, reason.as_str()), (Code::PermissionDenied, "CERTIFICATE_NOT_REGISTERED"));
    let seen = replaced(&own).await;
    assert!(by(&platform(), &seen).await.is_ok());

    let tomorrow = asking(Some("2026-11-25"), MeasureField::Unspecified, &seen);
    let (_, reason, field) = refused(world.blacklist(&organ()).check_subject(tomorrow).await);
    assert_eq!((reason.as_str(), field.as_str()), ("DATE_IN_FUTURE", "checked_on"));
}
