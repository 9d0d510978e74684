//! Each reason of the contract, and that a refused command changes nothing.

use onenet_chassis::testing::{elsewhere::Registered, uscc};
use onenet_proto::hazard::v1::{
    FileMajorHazardRequest, GetMajorHazardRequest, HazardUnit, IdentifyMajorHazardRequest,
    OnBehalf, Substance,
};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::support::{
    World, chlorine, county, enterprise, filing, new_id, on_behalf, plant, refused, tanks,
};

#[tokio::test]
async fn what_nobody_has_heard_of() {
    let world = World::new().await;
    // the enterprise itself is told that it is not registered
    let of_nobody = || IdentifyMajorHazardRequest { enterprise: uscc(77), ..tanks() };
    let mut client = world.hazards(&uscc(77));
    let (code, reason, _) = refused(client.identify_major_hazard(of_nobody()).await);
    assert_eq!((code, reason.as_str()), (Code::NotFound, "ENTERPRISE_UNKNOWN"));
    world.knows([Registered::Enterprise(plant(77))]).await;
    assert!(client.identify_major_hazard(of_nobody()).await.is_ok());

    let mut client = world.hazards(&county());
    let get = GetMajorHazardRequest { hazard_id: new_id(), ..Default::default() };
    for (code, reason, _) in [
        refused(client.file_major_hazard(filing(&new_id())).await),
        refused(client.get_major_hazard(get).await),
    ] {
        assert_eq!((code, reason.as_str()), (Code::NotFound, "MAJOR_HAZARD_UNKNOWN"));
    }
}

#[tokio::test]
async fn a_unit_below_the_threshold_is_refused_with_its_sum() {
    let world = World::new().await;
    let request = IdentifyMajorHazardRequest { substances: vec![chlorine("4.999")], ..tanks() };
    let outcome = world.hazards(&enterprise()).identify_major_hazard(request).await;
    let details = outcome.as_ref().unwrap_err().get_error_details();
    assert_eq!(details.error_info().unwrap().metadata["s"], "4999/5000");
    let (code, reason, _) = refused(outcome);
    assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "BELOW_THRESHOLD"));
}

#[tokio::test]
async fn a_major_hazard_is_filed_once() {
    let world = World::new().await;
    let id = world.identify().await.hazard_id;
    world.file(&county(), &id).await.unwrap();
    let mut client = world.hazards(&county());
    let filing = || filing(&id);
    for other in [
        FileMajorHazardRequest { filing_number: "另一编号".to_owned(), ..filing() },
        FileMajorHazardRequest { filed_on: "2026-06-16".to_owned(), ..filing() },
    ] {
        let (code, reason, _) = refused(client.file_major_hazard(other).await);
        assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "ALREADY_FILED"));
    }
    let again = world.file(&county(), &id).await.unwrap();
    assert_eq!(again.version, 2, "the refused commands changed nothing");
    for (filing, reason, field) in [
        (
            FileMajorHazardRequest { filing_number: "9".repeat(51), ..filing() },
            "TEXT_TOO_LONG",
            "filing_number",
        ),
        (
            FileMajorHazardRequest { filed_on: "2026-12-01".to_owned(), ..filing() },
            "DATE_IN_FUTURE",
            "filed_on",
        ),
        (
            FileMajorHazardRequest { hazard_id: "1".to_owned(), ..filing() },
            "FIELD_MALFORMED",
            "hazard_id",
        ),
    ] {
        let outcome = refused(client.file_major_hazard(filing).await);
        assert_eq!(outcome, (Code::InvalidArgument, reason.to_owned(), field.to_owned()));
    }
}

#[tokio::test]
async fn what_the_standard_cannot_judge_names_the_substance() {
    let world = World::new().await;
    let symbols = |symbols: &[&str]| symbols.iter().map(|&it| it.to_owned()).collect();
    // Table 3 does not name methanol
    let methanol = Substance { table1_no: Some(65), ..chlorine("500") };
    let unclassified = Substance { table1_no: None, ..chlorine("1") };
    let wrong_class = Substance { class_symbols: symbols(&["W99"]), ..chlorine("1") };
    let doubled = Substance { class_symbols: symbols(&["J1", "J1"]), ..chlorine("1") };
    for (substance, reason, field) in [
        (Substance { table1_no: Some(86), ..chlorine("1") }, "TABLE1_NO_UNKNOWN", ".table1_no"),
        (wrong_class, "CLASS_SYMBOL_UNKNOWN", ".class_symbols"),
        (unclassified, "SUBSTANCE_UNCLASSIFIED", ""),
        (methanol, "CLASS_SYMBOL_REQUIRED", ".class_symbols"),
        (doubled, "FIELD_MALFORMED", ".class_symbols[1]"),
        (chlorine("-1"), "NUMBER_OUT_OF_RANGE", ".quantity_t"),
        (chlorine("1,5"), "FIELD_MALFORMED", ".quantity_t"),
        (Substance { name: String::new(), ..chlorine("1") }, "FIELD_MISSING", ".name"),
    ] {
        let substances = vec![chlorine("12.5"), substance];
        let request = IdentifyMajorHazardRequest { substances, ..tanks() };
        let outcome = refused(world.hazards(&enterprise()).identify_major_hazard(request).await);
        let field = format!("substances[1]{field}");
        assert_eq!(outcome, (Code::InvalidArgument, reason.to_owned(), field));
    }
}

#[tokio::test]
async fn a_bad_field_is_named_and_only_an_authority_says_on_whose_behalf() {
    let world = World::new().await;
    let unnamed = Some(HazardUnit { name: " ".to_owned(), ..tanks().unit.unwrap() });
    let many = vec![chlorine("1"); 501];
    let on_behalf = || Some(on_behalf());
    let unreasoned = Some(OnBehalf { reason: String::new(), ..on_behalf().unwrap() });
    let (plant, county) = (enterprise(), county());
    for (by, request, reason, field) in [
        (&plant, IdentifyMajorHazardRequest { unit: None, ..tanks() }, "FIELD_MISSING", "unit"),
        (
            &plant,
            IdentifyMajorHazardRequest { unit: unnamed, ..tanks() },
            "FIELD_MISSING",
            "unit.name",
        ),
        (
            &plant,
            IdentifyMajorHazardRequest { substances: vec![], ..tanks() },
            "FIELD_MISSING",
            "substances",
        ),
        (
            &plant,
            IdentifyMajorHazardRequest { substances: many, ..tanks() },
            "LIST_TOO_LONG",
            "substances",
        ),
        (
            &plant,
            IdentifyMajorHazardRequest { residents_within_500m: None, ..tanks() },
            "FIELD_MISSING",
            "residents_within_500m",
        ),
        (
            &plant,
            IdentifyMajorHazardRequest { on_behalf: on_behalf(), ..tanks() },
            "FIELD_NOT_ALLOWED",
            "on_behalf",
        ),
        (&county, tanks(), "FIELD_MISSING", "on_behalf"),
        (
            &county,
            IdentifyMajorHazardRequest { on_behalf: unreasoned, ..tanks() },
            "FIELD_MISSING",
            "on_behalf.reason",
        ),
    ] {
        let outcome = refused(world.hazards(by).identify_major_hazard(request).await);
        assert_eq!(outcome, (Code::InvalidArgument, reason.to_owned(), field.to_owned()));
    }
}
