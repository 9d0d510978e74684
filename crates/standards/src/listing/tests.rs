use jiff::civil::date;

use super::*;
use crate::Industries;

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

#[test]
fn a_violation_without_a_trigger_opens_none() {
    let given = Given { violation: "V-TRAINING", ..GIVEN };
    assert_eq!(judge(&given), Judgement::NoTrigger { rule_set: mem11() });
}

#[test]
fn a_trigger_that_lists_persons_alone_opens_none_for_the_unit() {
    let given = Given { violation: "V-RESCUE-ABANDONED", ..GIVEN };
    let triggers = vec!["MEM11-A5".to_owned()];
    assert_eq!(judge(&given), Judgement::PersonsOnly { rule_set: mem11(), triggers });
}

#[test]
fn an_industry_that_the_order_does_not_name_is_out_of_scope() {
    let given = Given { industry: "0111", ..GIVEN };
    let triggers = vec!["MEM11-B1".to_owned()];
    assert_eq!(judge(&given), Judgement::OutOfScope { rule_set: mem11(), triggers });
}

#[test]
fn where_the_scope_is_a_reading_an_officer_decides() {
    let given = Given { industry: "3110", ..GIVEN };
    let triggers = vec!["MEM11-B1".to_owned()];
    assert_eq!(judge(&given), Judgement::OfficerDecides { rule_set: mem11(), triggers });
}

#[test]
fn the_fine_multiple_is_part_of_the_condition() {
    let aggravated = |fine_multiple| {
        judge(&Given { violation: "V-ACCIDENT-LIABLE-AGGRAVATED", fine_multiple, ..GIVEN })
    };
    let opens = Judgement::Opens { rule_set: mem11(), trigger: "MEM11-A3".to_owned() };
    let none = Judgement::NoTrigger { rule_set: mem11() };
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
    assert_eq!(judge(&given), Judgement::NoTrigger { rule_set: mem11() });
}

#[test]
fn the_day_the_penalty_took_effect_chooses_the_rule_set() {
    let on = |on| judge(&Given { on, ..GIVEN });
    assert_eq!(on(date(2017, 5, 8)), Judgement::NoRuleSet);
    let older = Judgement::NotExecutable { rule_set: "AZ2017-49".to_owned() };
    assert_eq!(on(date(2017, 5, 9)), older);
    assert_eq!(on(date(2023, 9, 30)), older);
    assert!(matches!(on(date(2023, 10, 1)), Judgement::Opens { .. }));
}
