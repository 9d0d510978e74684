use jiff::civil::date;
use num_rational::BigRational;
use onenet_kernel::testing::given;

use super::*;
use crate::domain::{Fine, PartyKind, PenaltyKind};

const CASE_ID: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
const FILED_ON: Date = date(2026, 9, 1);
const DECIDED_ON: Date = date(2026, 10, 9);
const SERVED_ON: Date = date(2026, 10, 12);

fn organ() -> Uscc {
    Uscc::from_body("11410100005252123").unwrap()
}

fn other_organ() -> Uscc {
    Uscc::from_body("11410200005252123").unwrap()
}

fn party() -> Party {
    Party {
        uscc: Uscc::from_body("91410100MA1B3N1N2").unwrap(),
        name: "郑州某化工有限公司".to_owned(),
        kind: PartyKind::Unit,
        division: "410102".to_owned(),
        industry: "2614".to_owned(),
    }
}

fn penalty() -> Penalty {
    Penalty {
        document_number: "（郑）应急罚〔2026〕第12号".to_owned(),
        decided_on: DECIDED_ON,
        violations: vec!["V-UNLICENSED".to_owned()],
        kinds: vec![PenaltyKind::Fine, PenaltyKind::SuspensionOfBusiness],
        fine: Some(Fine { fen: 10_000_000, multiple: Some(BigRational::new(5.into(), 2.into())) }),
        legal_basis: "安全生产法 art. 100".to_owned(),
        summary: "未取得危险化学品安全生产许可证擅自生产".to_owned(),
    }
}

fn open_case() -> CaseCommand {
    CaseCommand::OpenCase {
        case_id: CASE_ID,
        organ: organ(),
        party: party(),
        filed_on: FILED_ON,
        cause: "无证生产".to_owned(),
    }
}

fn decide_penalty() -> CaseCommand {
    CaseCommand::DecidePenalty { organ: organ(), penalty: penalty() }
}

fn serve_penalty() -> CaseCommand {
    CaseCommand::ServePenalty { organ: organ(), served_on: SERVED_ON }
}

fn opened() -> CaseEvent {
    CaseEvent::CaseOpened {
        case_id: CASE_ID,
        organ: organ(),
        party: party(),
        filed_on: FILED_ON,
        cause: "无证生产".to_owned(),
    }
}

fn decided() -> CaseEvent {
    CaseEvent::PenaltyDecided {
        case_id: CASE_ID,
        organ: organ(),
        party: party(),
        penalty: penalty(),
    }
}

fn took_effect() -> CaseEvent {
    CaseEvent::PenaltyTookEffect {
        case_id: CASE_ID,
        organ: organ(),
        party: party(),
        penalty: penalty(),
        effective_on: SERVED_ON,
    }
}

#[test]
fn a_case_is_opened_decided_and_takes_effect_by_service() {
    let case = given::<Case>([]).when(&open_case()).then([opened()]).state();
    let key = Key {
        subject: party().uscc.to_string(),
        division: "410102".to_owned(),
        industry: "2614".to_owned(),
    };
    assert_eq!(case.key(), key);
    given::<Case>([opened()]).when(&decide_penalty()).then([decided()]);
    given::<Case>([opened(), decided()]).when(&serve_penalty()).then([took_effect()]);
}

#[test]
fn a_penalty_without_a_fine_is_a_penalty_too() {
    let warning = Penalty { kinds: vec![PenaltyKind::Warning], fine: None, ..penalty() };
    let command = CaseCommand::DecidePenalty { organ: organ(), penalty: warning.clone() };
    given::<Case>([opened()]).when(&command).then([CaseEvent::PenaltyDecided {
        case_id: CASE_ID,
        organ: organ(),
        party: party(),
        penalty: warning,
    }]);
}

#[test]
fn each_step_may_fall_on_the_day_of_the_step_before() {
    let penalty = Penalty { decided_on: FILED_ON, ..penalty() };
    let decide = CaseCommand::DecidePenalty { organ: organ(), penalty: penalty.clone() };
    let serve = CaseCommand::ServePenalty { organ: organ(), served_on: FILED_ON };
    let decided = given::<Case>([opened()]).when(&decide).events().unwrap();
    let took_effect = given::<Case>([vec![opened()], decided].concat()).when(&serve).events();
    assert!(matches!(
        took_effect.unwrap()[..],
        [CaseEvent::PenaltyTookEffect { effective_on: FILED_ON, .. }]
    ));
}

#[test]
fn the_same_step_again_changes_nothing() {
    let history = [opened(), decided(), took_effect()];
    for command in [open_case(), decide_penalty(), serve_penalty()] {
        given::<Case>(history.clone()).when(&command).then_nothing();
    }
}

#[test]
fn a_case_that_was_never_opened_is_unknown() {
    for command in [decide_penalty(), serve_penalty()] {
        given::<Case>([]).when(&command).then_rejected(&CaseRejection::CaseUnknown);
    }
}

#[test]
fn another_organ_does_not_act_in_the_case() {
    let refused = CaseRejection::NotAuthorised { rule: OWN_CASE };
    let decide = CaseCommand::DecidePenalty { organ: other_organ(), penalty: penalty() };
    given::<Case>([opened()]).when(&decide).then_rejected(&refused);
    // not even by repeating what was done
    given::<Case>([opened(), decided()]).when(&decide).then_rejected(&refused);
    let serve = CaseCommand::ServePenalty { organ: other_organ(), served_on: SERVED_ON };
    given::<Case>([opened(), decided()]).when(&serve).then_rejected(&refused);
}

#[test]
fn a_case_has_one_penalty() {
    let other = Penalty { fine: None, ..penalty() };
    let command = CaseCommand::DecidePenalty { organ: organ(), penalty: other };
    given::<Case>([opened(), decided()])
        .when(&command)
        .then_rejected(&CaseRejection::PenaltyAlreadyDecided);
}

#[test]
fn a_penalty_is_not_decided_before_the_filing() {
    let early = Penalty { decided_on: date(2026, 8, 31), ..penalty() };
    given::<Case>([opened()])
        .when(&CaseCommand::DecidePenalty { organ: organ(), penalty: early })
        .then_rejected(&CaseRejection::DateTooEarly { earliest: FILED_ON });
}

#[test]
fn nothing_is_served_before_a_penalty_is_decided() {
    given::<Case>([opened()])
        .when(&serve_penalty())
        .then_rejected(&CaseRejection::PenaltyNotDecided);
}

#[test]
fn a_penalty_is_not_served_before_its_decision() {
    given::<Case>([opened(), decided()])
        .when(&CaseCommand::ServePenalty { organ: organ(), served_on: date(2026, 10, 8) })
        .then_rejected(&CaseRejection::DateTooEarly { earliest: DECIDED_ON });
}

#[test]
fn a_penalty_is_served_once() {
    given::<Case>([opened(), decided(), took_effect()])
        .when(&CaseCommand::ServePenalty { organ: organ(), served_on: date(2026, 10, 13) })
        .then_rejected(&CaseRejection::PenaltyAlreadyServed);
}
