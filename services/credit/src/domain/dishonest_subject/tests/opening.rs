use super::*;

fn judge(judgement: Judgement) -> Command {
    Command::JudgePenalty { subject: subject(), penalty: penalty(), judgement }
}

fn opens() -> Judgement {
    Judgement::Opens { rule_set: "MEM-11".to_owned(), trigger: "MEM11-B1".to_owned() }
}

fn propose(trigger: &str, proposal: Proposal) -> Command {
    Command::ProposeListing {
        penalty_case_id: PENALTY,
        trigger: trigger.to_owned(),
        proposal,
        rules: rules(),
    }
}

fn proposed() -> Event {
    Event::CreditCaseOpened {
        credit_case_id: case_id(),
        subject: subject(),
        penalty: penalty(),
        rule_set: "MEM-11".to_owned(),
        trigger: "MEM11-B4".to_owned(),
        proposal: Some(proposal()),
    }
}

#[test]
fn a_penalty_that_meets_a_trigger_opens_a_case() {
    let subject_of = given::<DishonestSubject>([]).when(&judge(opens())).then([opened()]).state();
    let key = Key {
        subject: subject().uscc.to_string(),
        division: "410102".to_owned(),
        industry: "2614".to_owned(),
    };
    assert_eq!(subject_of.key(), key);
}

#[test]
fn a_penalty_that_meets_none_is_remembered_with_the_reason() {
    for outcome in [
        NotOpenedOutcome::NoTrigger,
        NotOpenedOutcome::OutOfScope,
        NotOpenedOutcome::PersonsOnly,
        NotOpenedOutcome::RuleSetNotExecutable,
        NotOpenedOutcome::OfficerDecides,
    ] {
        let judgement = Judgement::NotOpened {
            outcome,
            rule_set: Some("MEM-11".to_owned()),
            triggers: vec!["MEM11-B1".to_owned()],
        };
        let subject_of = given::<DishonestSubject>([]).when(&judge(judgement));
        let subject_of = subject_of.then([not_opened(outcome)]).state();
        assert_eq!(subject_of.key().subject, subject().uscc.to_string());
    }
}

#[test]
fn a_penalty_of_a_day_without_rules_is_remembered_too() {
    let judgement = Judgement::NotOpened {
        outcome: NotOpenedOutcome::NoRuleSet,
        rule_set: None,
        triggers: vec![],
    };
    let penalty = PenaltyFacts { fine_multiple: None, ..penalty() };
    let command = Command::JudgePenalty { subject: subject(), penalty: penalty.clone(), judgement };
    given::<DishonestSubject>([]).when(&command).then([Event::CreditCaseNotOpened {
        subject: subject(),
        penalty,
        outcome: NotOpenedOutcome::NoRuleSet,
        rule_set: None,
        triggers: vec![],
    }]);
}

#[test]
fn a_penalty_is_judged_once() {
    for history in [opened(), not_opened(NotOpenedOutcome::NoTrigger), proposed()] {
        given::<DishonestSubject>([history]).when(&judge(opens())).then_nothing();
    }
}

#[test]
fn two_penalties_of_a_subject_open_two_cases() {
    let other = Uuid::from_u128(2);
    let command = Command::JudgePenalty {
        subject: subject(),
        penalty: PenaltyFacts { case_id: other, ..penalty() },
        judgement: opens(),
    };
    let events = given::<DishonestSubject>([opened()]).when(&command).events().unwrap();
    let [Event::CreditCaseOpened { credit_case_id: second, .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_ne!(*second, case_id());
}

#[test]
fn an_officer_proposes_where_the_rules_alone_opened_no_case() {
    for outcome in [
        NotOpenedOutcome::NoTrigger,
        NotOpenedOutcome::OutOfScope,
        NotOpenedOutcome::PersonsOnly,
        NotOpenedOutcome::OfficerDecides,
    ] {
        given::<DishonestSubject>([not_opened(outcome)])
            .when(&propose("MEM11-B4", proposal()))
            .then([proposed()]);
    }
}

#[test]
fn the_same_proposal_again_changes_nothing() {
    given::<DishonestSubject>([not_opened(NotOpenedOutcome::NoTrigger), proposed()])
        .when(&propose("MEM11-B4", proposal()))
        .then_nothing();
}

#[test]
fn a_penalty_with_a_case_is_not_proposed_again() {
    let refused = Rejection::CaseAlreadyOpen { credit_case_id: case_id() };
    given::<DishonestSubject>([opened()])
        .when(&propose("MEM11-B1", proposal()))
        .then_rejected(&refused);
    given::<DishonestSubject>([proposed()])
        .when(&propose("MEM11-B3", proposal()))
        .then_rejected(&refused);
    let other_grounds = Proposal { grounds: "其他理由".to_owned(), ..proposal() };
    given::<DishonestSubject>([proposed()])
        .when(&propose("MEM11-B4", other_grounds))
        .then_rejected(&refused);
}

#[test]
fn a_penalty_that_was_not_judged_is_unknown() {
    given::<DishonestSubject>([])
        .when(&propose("MEM11-B4", proposal()))
        .then_rejected(&Rejection::PenaltyUnknown);
}

#[test]
fn only_the_organ_of_the_penalty_proposes() {
    let refused = Rejection::NotAuthorised { rule: PENALTY_ORGAN_DECIDES };
    let command = propose("MEM11-B4", Proposal { organ: other_organ(), ..proposal() });
    for history in [not_opened(NotOpenedOutcome::NoTrigger), opened()] {
        given::<DishonestSubject>([history]).when(&command).then_rejected(&refused);
    }
}

#[test]
fn a_proposal_names_a_trigger_of_the_rule_set_that_lists_the_subject() {
    let history = [not_opened(NotOpenedOutcome::NoTrigger)];
    given::<DishonestSubject>(history.clone())
        .when(&propose("MEM11-B9", proposal()))
        .then_rejected(&Rejection::TriggerUnknown);
    for trigger in ["MEM11-B2", "MEM11-A5"] {
        given::<DishonestSubject>(history.clone())
            .when(&propose(trigger, proposal()))
            .then_rejected(&Rejection::TriggerNotForSubject);
    }
}

#[test]
fn nothing_is_proposed_under_rules_that_the_organ_may_not_execute() {
    for (effective_on, rule_set) in
        [(date(2020, 5, 8), Some("AZ2017-49".to_owned())), (date(2017, 5, 8), None)]
    {
        let judged = Event::CreditCaseNotOpened {
            subject: subject(),
            penalty: PenaltyFacts { effective_on, ..penalty() },
            outcome: NotOpenedOutcome::RuleSetNotExecutable,
            rule_set: rule_set.clone(),
            triggers: vec![],
        };
        given::<DishonestSubject>([judged])
            .when(&propose("AZ49-J02", proposal()))
            .then_rejected(&Rejection::NoExecutableRuleSet { rule_set });
    }
}
