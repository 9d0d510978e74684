//! A correction or withdrawal reaches everyone whom the corrected event has reached.

use onenet_chassis::testing::{refusal, uscc};
use onenet_kernel::StreamId;
use onenet_proto::{
    cloudevents::v1::CloudEvent,
    exchange::v1::{Filter, GrantTerms, RevokeGrantRequest},
    hazard::v1::{
        HiddenDangerCorrected, HiddenDangerReported, HiddenDangerWithdrawn, TreatmentReport,
        TreatmentReportCorrected, TreatmentReported,
    },
};
use prost::Message;

use tonic::Code;

use crate::support::{BUREAU, Subscriber, World, beginning, data, new_id, resume, terms};

const CHEMICAL: u32 = 10;
const MINING: u32 = 11;
const NARROW: u32 = 12;
const PLANT: u32 = 20;
const REPORTED: &str = "onenet.hazard.v1.HiddenDangerReported";
const CORRECTED: &str = "onenet.hazard.v1.HiddenDangerCorrected";
const TREATED: &str = "onenet.hazard.v1.TreatmentReported";
const TREATMENT_CORRECTED: &str = "onenet.hazard.v1.TreatmentReportCorrected";
const WITHDRAWN: &str = "onenet.hazard.v1.HiddenDangerWithdrawn";

fn of(event_types: &[&str], industry: &str) -> GrantTerms {
    let event_types = event_types.iter().map(|&name| name.to_owned()).collect();
    GrantTerms { event_types, ..terms("41", &[industry]) }
}

async fn says(world: &World, name: &str, event: &impl Message) {
    let stream = StreamId::new("hidden_danger", "1");
    let place = ("410102", "2614");
    world.says(&stream, name, &uscc(PLANT), place, event.encode_to_vec()).await;
}

fn correction(of: &CloudEvent) -> HiddenDangerCorrected {
    HiddenDangerCorrected {
        hidden_danger_id: "1".to_owned(),
        enterprise: uscc(PLANT),
        corrects: vec![of.id.clone()],
        reason: "位号有误".to_owned(),
        corrected_by: uscc(PLANT),
        ..HiddenDangerCorrected::default()
    }
}

#[tokio::test]
async fn who_received_a_report_hears_of_its_correction_whatever_holds_today() {
    let world = World::new().await;
    for agency in [CHEMICAL, MINING, NARROW] {
        world.register_agency(agency).await;
        world.grant(agency, of(&[REPORTED, CORRECTED], "06")).await;
    }
    let reports = world.grant(CHEMICAL, of(&[REPORTED], "26")).await;
    world.grant(NARROW, of(&[REPORTED, CORRECTED], "26")).await;
    let mut chemical = world.subscribe(CHEMICAL).await;
    let mut mining = world.subscribe(MINING).await;
    let filter = Filter { event_types: vec![REPORTED.to_owned()], ..Filter::default() };
    let only_reports =
        onenet_proto::exchange::v1::SubscribeRequest { filter: Some(filter), ..beginning() };
    let begin = async || Subscriber::open(world.client(NARROW), only_reports.clone()).await;
    let mut narrow = begin().await.unwrap();

    says(&world, REPORTED, &HiddenDangerReported::default()).await;
    let reported = chemical.events(1).await.remove(0);
    assert_eq!(narrow.events(1).await, std::slice::from_ref(&reported));
    let (command_id, reason) = (new_id(), "用途变更".to_owned());
    let revoke = RevokeGrantRequest { command_id, grant_id: reports, reason, ..Default::default() };
    world.client(BUREAU).revoke_grant(revoke).await.unwrap();
    says(&world, CORRECTED, &correction(&reported)).await;

    // its grant named reports alone and has ended: the reference and the reason
    let heard = chemical.events(1).await.remove(0);
    let mut names: Vec<_> = heard.attributes.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["datacontenttype", "reduced", "time"]);
    let told = HiddenDangerCorrected::decode(data(&heard)).unwrap();
    assert_eq!((told.corrects, told.reason.as_str()), (vec![reported.id.clone()], "位号有误"));
    assert_eq!((told.enterprise, told.finding), (String::new(), None));
    // its grant lets it pass and its filter does not: the whole
    let heard = narrow.events(1).await.remove(0);
    assert_eq!(HiddenDangerCorrected::decode(data(&heard)).unwrap(), correction(&reported));
    assert!(!heard.attributes.contains_key("reduced"));

    // whom the report never reached
    let withdrawn = HiddenDangerWithdrawn {
        corrects: vec![reported.id.clone()],
        reason: "误报".to_owned(),
        ..HiddenDangerWithdrawn::default()
    };
    says(&world, WITHDRAWN, &withdrawn).await;
    for subscriber in [&mut chemical, &mut narrow] {
        let heard = subscriber.events(1).await.remove(0);
        assert_eq!(heard.r#type, WITHDRAWN);
        assert!(heard.attributes.contains_key("reduced"), "no grant names withdrawals");
    }
    mining.progress().await;
    assert_eq!(mining.sequence, 0);
    // nor does it matter whether report and correction come one by one or together
    let caught_up = begin().await.unwrap().events(3).await;
    let types: Vec<_> = caught_up.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(types, [REPORTED, CORRECTED, WITHDRAWN]);
}

#[tokio::test]
async fn a_corrected_treatment_report_reaches_who_received_that_report_and_nobody_else() {
    let world = World::new().await;
    for (agency, types) in [
        (CHEMICAL, &[TREATED][..]),
        (NARROW, &[TREATED, TREATMENT_CORRECTED]),
        (MINING, &[REPORTED]),
    ] {
        world.register_agency(agency).await;
        world.grant(agency, of(types, "26")).await;
    }
    let mut chemical = world.subscribe(CHEMICAL).await;
    let mut narrow = world.subscribe(NARROW).await;
    let mut mining = world.subscribe(MINING).await;
    says(&world, REPORTED, &HiddenDangerReported::default()).await;
    assert_eq!(mining.events(1).await[0].r#type, REPORTED);
    says(&world, TREATED, &TreatmentReported::default()).await;
    let treated = chemical.events(1).await.remove(0);
    assert_eq!(narrow.events(1).await, std::slice::from_ref(&treated));
    let corrected = TreatmentReportCorrected {
        hidden_danger_id: "1".to_owned(),
        enterprise: uscc(PLANT),
        corrects: vec![treated.id.clone()],
        report_no: 1,
        report: Some(TreatmentReport { summary: "已停用".to_owned(), ..Default::default() }),
        reason: "签收编号有误".to_owned(),
        ..TreatmentReportCorrected::default()
    };
    says(&world, TREATMENT_CORRECTED, &corrected).await;
    // whose grant names it has the whole, whose grant names the report alone the reference and the reason
    let heard = narrow.events(1).await.remove(0);
    assert_eq!(TreatmentReportCorrected::decode(data(&heard)).unwrap(), corrected);
    let heard = chemical.events(1).await.remove(0);
    assert!(heard.attributes.contains_key("reduced"));
    let told = TreatmentReportCorrected::decode(data(&heard)).unwrap();
    assert_eq!((told.corrects, told.reason), (corrected.corrects, corrected.reason));
    assert_eq!((told.enterprise, told.report, told.report_no), (String::new(), None, 0));
    // who received the danger's first report and not this one
    mining.progress().await;
    assert_eq!(mining.sequence, 1);
}

#[tokio::test]
async fn who_has_lost_its_last_grant_still_hears_what_is_corrected_of_what_it_received() {
    let world = World::new().await;
    world.register_agency(CHEMICAL).await;
    let grant_id = world.grant(CHEMICAL, of(&[REPORTED, CORRECTED], "26")).await;
    let mut agency = world.subscribe(CHEMICAL).await;
    says(&world, REPORTED, &HiddenDangerReported::default()).await;
    let reported = agency.events(1).await.remove(0);
    let (command_id, reason) = (new_id(), "用途变更".to_owned());
    let revoke = RevokeGrantRequest { command_id, grant_id, reason, ..Default::default() };
    world.client(BUREAU).revoke_grant(revoke).await.unwrap();
    let (code, reason, _) = refusal(&agency.end().await);
    let ended = (Code::PermissionDenied, "EXCHANGE_ERROR_REASON_NO_GRANT_IN_FORCE");
    assert_eq!((code, reason.as_str()), ended);

    let mut resumed =
        Subscriber::open(world.client(CHEMICAL), resume(&agency.token)).await.unwrap();
    resumed.sequence = agency.sequence;
    let withdrawn = HiddenDangerWithdrawn {
        corrects: vec![reported.id.clone()],
        reason: "误报".to_owned(),
        ..HiddenDangerWithdrawn::default()
    };
    says(&world, CORRECTED, &correction(&reported)).await;
    says(&world, REPORTED, &HiddenDangerReported::default()).await;
    says(&world, WITHDRAWN, &withdrawn).await;
    let heard = resumed.events(2).await;
    let types: Vec<_> = heard.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(types, [CORRECTED, WITHDRAWN], "the report between them is not for it any more");
    assert!(heard.iter().all(|event| event.attributes.contains_key("reduced")));

    let anew = Subscriber::open(world.client(CHEMICAL), beginning()).await.map(drop);
    let (code, reason, _) = refusal(&anew.unwrap_err());
    assert_eq!((code, reason.as_str()), ended, "a new subscription was sent nothing");
}
