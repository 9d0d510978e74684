use jiff::civil::date;

use super::*;
use crate::{Industries, Violations, exact};

struct Given {
    subject: SubjectKind,
    industry: &'static str,
    on: Date,
    violation: &'static str,
    fine_multiple: Option<&'static str>,
}

/// An unlicensed chemical plant, penalised under the rule set of today.
const GIVEN: Given = Given {
    subject: SubjectKind::Unit,
    industry: "2614",
    on: date(2026, 5, 6),
    violation: "V-UNLICENSED",
    fine_multiple: None,
};

fn judge(given: &Given) -> Judgement {
    let multiple = given.fine_multiple.map(|text| exact(text).unwrap());
    ListingRules::embedded().unwrap().judge(&PenaltyFacts {
        subject: given.subject,
        industry: &Industries::embedded().unwrap().find(given.industry).unwrap(),
        effective_on: given.on,
        violations: &[given.violation.to_owned()],
        fine_multiple: multiple.as_ref(),
    })
}

fn mem11() -> String {
    "MEM-11".to_owned()
}

#[test]
fn a_trigger_that_holds_in_scope_opens_a_case_and_is_named() {
    let opens = Judgement::Opens { rule_set: mem11(), trigger: "MEM11-B1".to_owned() };
    assert_eq!(judge(&GIVEN), opens);
}

fn not_opened(outcome: NotOpenedOutcome, triggers: &[&str]) -> Judgement {
    let triggers = triggers.iter().map(|&code| code.to_owned()).collect();
    Judgement::NotOpened { outcome, rule_set: Some(mem11()), triggers }
}

#[test]
fn a_violation_without_a_trigger_opens_none() {
    let given = Given { violation: "V-TRAINING", ..GIVEN };
    assert_eq!(judge(&given), not_opened(NotOpenedOutcome::NoTrigger, &[]));
}

#[test]
fn a_trigger_that_lists_persons_alone_opens_none_for_the_unit() {
    let given = Given { violation: "V-RESCUE-ABANDONED", ..GIVEN };
    assert_eq!(judge(&given), not_opened(NotOpenedOutcome::PersonsOnly, &["MEM11-A5"]));
}

#[test]
fn an_industry_that_the_order_does_not_name_is_out_of_scope() {
    let given = Given { industry: "0111", ..GIVEN };
    assert_eq!(judge(&given), not_opened(NotOpenedOutcome::OutOfScope, &["MEM11-B1"]));
}

#[test]
fn where_the_scope_is_a_reading_an_officer_decides() {
    let given = Given { industry: "3110", ..GIVEN };
    assert_eq!(judge(&given), not_opened(NotOpenedOutcome::OfficerDecides, &["MEM11-B1"]));
}

#[test]
fn the_fine_multiple_is_part_of_the_condition() {
    let aggravated = |fine_multiple| {
        judge(&Given { violation: "V-ACCIDENT-LIABLE-AGGRAVATED", fine_multiple, ..GIVEN })
    };
    let opens = Judgement::Opens { rule_set: mem11(), trigger: "MEM11-A3".to_owned() };
    // the trigger is named although it does not hold: an officer may want to look
    let none = not_opened(NotOpenedOutcome::NoTrigger, &["MEM11-A3"]);
    for (multiple, expected) in
        [("2", &opens), ("5", &opens), ("3.5", &opens), ("1.99", &none), ("5.01", &none)]
    {
        assert_eq!(&aggravated(Some(multiple)), expected, "{multiple}");
    }
    assert_eq!(aggravated(None), none);
}

#[test]
fn a_trigger_for_institutions_does_not_list_a_unit() {
    let given = Given { violation: "V-AGENCY-LENDING", ..GIVEN };
    assert_eq!(judge(&given), not_opened(NotOpenedOutcome::NoTrigger, &["MEM11-B2"]));
}

#[test]
fn the_day_the_penalty_took_effect_chooses_the_rule_set() {
    let on = |on| judge(&Given { on, ..GIVEN });
    let none = Judgement::NotOpened {
        outcome: NotOpenedOutcome::NoRuleSet,
        rule_set: None,
        triggers: vec![],
    };
    assert_eq!(on(date(2017, 5, 8)), none);
    let older = Judgement::NotOpened {
        outcome: NotOpenedOutcome::RuleSetNotExecutable,
        rule_set: Some("AZ2017-49".to_owned()),
        triggers: vec!["AZ49-J02".to_owned()],
    };
    assert_eq!(on(date(2017, 5, 9)), older);
    assert_eq!(on(date(2023, 9, 30)), older);
    assert!(matches!(on(date(2023, 10, 1)), Judgement::Opens { .. }));
}

#[test]
fn an_officer_may_propose_what_the_rules_leave_to_a_person() {
    let rules = ListingRules::embedded().unwrap();
    let propose = |on, trigger| rules.propose(on, SubjectKind::Unit, trigger);
    let today = date(2026, 5, 6);
    for trigger in ["MEM11-B4", "MEM11-B3", "MEM11-A1"] {
        assert_eq!(propose(today, trigger), Ok("MEM-11"), "{trigger}");
    }
    // B2 lists institutions, A5 persons alone
    for trigger in ["MEM11-B2", "MEM11-A5"] {
        assert_eq!(propose(today, trigger), Err(ProposalError::TriggerNotForSubject), "{trigger}");
    }
    for trigger in ["", "MEM11-B9", "AZ49-J02"] {
        assert_eq!(propose(today, trigger), Err(ProposalError::TriggerUnknown), "{trigger}");
    }
}

#[test]
fn nobody_proposes_under_a_rule_set_that_another_authority_executes() {
    let rules = ListingRules::embedded().unwrap();
    let propose = |on| rules.propose(on, SubjectKind::Unit, "AZ49-J02");
    let none = |rule_set: Option<&str>| {
        let rule_set = rule_set.map(str::to_owned);
        Err(ProposalError::NoExecutableRuleSet { rule_set })
    };
    assert_eq!(propose(date(2017, 5, 8)), none(None));
    assert_eq!(propose(date(2020, 5, 8)), none(Some("AZ2017-49")));
}

#[test]
fn a_listing_lasts_three_years_and_may_end_after_one() {
    let terms = ListingRules::embedded().unwrap().terms("MEM-11").unwrap();
    assert!(terms.legal_basis.starts_with("应急管理部令第11号"), "{}", terms.legal_basis);
    let listed_on = date(2026, 7, 1);
    assert_eq!(terms.expires_on(listed_on), date(2029, 7, 1));
    assert_eq!(terms.earliest_exit(listed_on), date(2027, 7, 1));
    // February 2027 has no 29th
    assert_eq!(terms.expires_on(date(2024, 2, 29)), date(2027, 3, 1));
}

#[test]
fn terms_are_known_of_executable_rule_sets_only() {
    let rules = ListingRules::embedded().unwrap();
    assert_eq!(rules.terms("AZ2017-49"), None);
    assert_eq!(rules.terms("MEM-12"), None);
}

#[test]
fn every_violation_a_trigger_names_is_in_the_coded_list() {
    let violations = Violations::embedded().unwrap();
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../data/credit_rules.json")).unwrap();
    let mut pending = vec![&file];
    let mut named = 0;
    while let Some(value) = pending.pop() {
        for code in value["violations"].as_array().into_iter().flatten() {
            assert!(violations.contains(code.as_str().unwrap()), "{code}");
            named += 1;
        }
        pending.extend(value.as_array().into_iter().flatten());
        pending.extend(value.as_object().into_iter().flat_map(|object| object.values()));
    }
    assert!(named > 0);
}
