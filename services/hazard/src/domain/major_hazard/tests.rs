use jiff::civil::{Date, date};
use onenet_kernel::testing::given;
use onenet_standards::{
    exact,
    gb18218::{AssessError, Gb18218},
};

use super::*;
use crate::domain::{AssessedSubstance, HazardUnitKind, Substance};

const HAZARD_ID: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
const FILED_ON: Date = date(2026, 6, 15);

fn enterprise() -> Uscc {
    Uscc::from_body("91410100MA1B3N1N2").unwrap()
}

fn county() -> Uscc {
    Uscc::from_body("11410102MB1234561").unwrap()
}

fn unit() -> HazardUnit {
    HazardUnit { name: "液氯储罐区".to_owned(), kind: HazardUnitKind::Storage }
}

/// Number 12 of Table 1: Q = 5 t, β = 4.
fn chlorine(tonnes: &str) -> Substance {
    Substance {
        table1_no: Some(12),
        name: "氯".to_owned(),
        class_symbols: vec![],
        quantity_t: exact(tonnes).unwrap(),
    }
}

fn assess(substances: Vec<Substance>, residents: u32) -> Result<Identification, AssessError> {
    Identification::assess(&Gb18218::embedded().unwrap(), substances, residents)
}

/// 12.5 t of chlorine beside one resident: S = 2.5, R = 1 · 4 · 2.5 = 10.
fn assessment() -> Box<Assessment> {
    Box::new(Assessment {
        substances: vec![AssessedSubstance {
            substance: chlorine("12.5"),
            threshold_t: exact("5").unwrap(),
            beta: exact("4").unwrap(),
        }],
        residents_within_500m: 1,
        s: exact("2.5").unwrap(),
        alpha: exact("1").unwrap(),
        r: exact("10").unwrap(),
        level: Level::Three,
        rules_version: "GB18218-2018".to_owned(),
    })
}

fn identify(identification: Identification, on_behalf: Option<OnBehalf>) -> MajorHazardCommand {
    MajorHazardCommand::IdentifyMajorHazard {
        hazard_id: HAZARD_ID,
        enterprise: enterprise(),
        division: "410102".to_owned(),
        industry: "2614".to_owned(),
        unit: unit(),
        identification,
        identified_by: if on_behalf.is_some() { county() } else { enterprise() },
        on_behalf,
    }
}

fn identified(on_behalf: Option<OnBehalf>) -> MajorHazardEvent {
    MajorHazardEvent::MajorHazardIdentified {
        hazard_id: HAZARD_ID,
        enterprise: enterprise(),
        division: "410102".to_owned(),
        industry: "2614".to_owned(),
        unit: unit(),
        assessment: assessment(),
        identified_by: if on_behalf.is_some() { county() } else { enterprise() },
        on_behalf,
    }
}

fn filing() -> Filing {
    Filing { number: "BA豫410102〔2026〕001".to_owned(), filed_on: FILED_ON, filed_by: county() }
}

fn file(filing: Filing) -> MajorHazardCommand {
    MajorHazardCommand::FileMajorHazard { filing }
}

fn filed() -> MajorHazardEvent {
    MajorHazardEvent::MajorHazardFiled {
        hazard_id: HAZARD_ID,
        enterprise: enterprise(),
        level: Level::Three,
        filing: filing(),
    }
}

#[test]
fn a_unit_at_or_above_the_threshold_is_a_major_hazard_of_its_level() {
    let identification = assess(vec![chlorine("12.5")], 1).unwrap();
    let hazard = given::<MajorHazard>([])
        .when(&identify(identification, None))
        .then([identified(None)])
        .state();
    let key = Key {
        subject: enterprise().to_string(),
        division: "410102".to_owned(),
        industry: "2614".to_owned(),
    };
    assert_eq!(hazard.key(), key);
}

#[test]
fn an_authority_enters_a_unit_on_behalf_of_the_enterprise_and_says_why() {
    let on_behalf = OnBehalf {
        reason: "企业逾期未辨识".to_owned(),
        record: "检查记录〔2026〕88号".to_owned(),
    };
    let identification = Identification::MajorHazard(assessment());
    given::<MajorHazard>([])
        .when(&identify(identification, Some(on_behalf.clone())))
        .then([identified(Some(on_behalf))]);
}

#[test]
fn a_sum_of_exactly_one_is_a_major_hazard() {
    // methanol is number 65: Q = 500 t, and Table 3 does not name it
    let methanol = |tonnes: &str| Substance {
        table1_no: Some(65),
        name: "甲醇".to_owned(),
        class_symbols: vec!["W5.3".to_owned()],
        quantity_t: exact(tonnes).unwrap(),
    };
    let found = assess(vec![chlorine("2.5"), methanol("250")], 0).unwrap();
    let Identification::MajorHazard(found) = found else { panic!("{found:?}") };
    assert_eq!((found.s, found.alpha), (exact("1").unwrap(), exact("0.5").unwrap()));
    assert_eq!((found.r, found.level), (exact("1.25").unwrap(), Level::Four));
}

#[test]
fn a_unit_below_the_threshold_is_refused_with_its_sum() {
    let identification = assess(vec![chlorine("4.999")], 100).unwrap();
    given::<MajorHazard>([])
        .when(&identify(identification, None))
        .then_rejected(&MajorHazardRejection::BelowThreshold { s: exact("0.9998").unwrap() });
}

#[test]
fn what_the_standard_cannot_judge_names_the_substance() {
    let unknown = Substance { table1_no: Some(86), ..chlorine("1") };
    assert_eq!(
        assess(vec![chlorine("12.5"), unknown], 0),
        Err(AssessError::UnknownTable1No { item: 1, number: 86 })
    );
    let unclassified = Substance { table1_no: None, ..chlorine("1") };
    assert_eq!(assess(vec![unclassified], 0), Err(AssessError::Unclassified { item: 0 }));
    // Table 3 does not name methanol
    let without_class = Substance { table1_no: Some(65), ..chlorine("500") };
    assert_eq!(assess(vec![without_class], 0), Err(AssessError::SymbolRequired { item: 0 }));
    let symbol = "W99".to_owned();
    let wrong_class = Substance { class_symbols: vec![symbol.clone()], ..chlorine("1") };
    assert_eq!(assess(vec![wrong_class], 0), Err(AssessError::UnknownSymbol { item: 0, symbol }));
}

#[test]
fn an_identification_is_entered_once() {
    given::<MajorHazard>([identified(None)])
        .when(&identify(Identification::MajorHazard(assessment()), None))
        .then_nothing();
}

#[test]
fn the_county_files_a_major_hazard_with_the_level_it_has() {
    given::<MajorHazard>([identified(None)]).when(&file(filing())).then([filed()]);
}

#[test]
fn the_same_filing_again_changes_nothing() {
    let history = [identified(None), filed()];
    given::<MajorHazard>(history.clone()).when(&file(filing())).then_nothing();
    let repeated = Filing { filed_by: enterprise(), ..filing() };
    given::<MajorHazard>(history).when(&file(repeated)).then_nothing();
}

#[test]
fn a_filed_major_hazard_is_not_filed_with_another_number_or_day() {
    for other in [
        Filing { number: "BA豫410102〔2026〕002".to_owned(), ..filing() },
        Filing { filed_on: date(2026, 6, 16), ..filing() },
    ] {
        given::<MajorHazard>([identified(None), filed()])
            .when(&file(other))
            .then_rejected(&MajorHazardRejection::AlreadyFiled);
    }
}

#[test]
fn what_was_never_identified_is_not_filed() {
    given::<MajorHazard>([])
        .when(&file(filing()))
        .then_rejected(&MajorHazardRejection::MajorHazardUnknown);
}
