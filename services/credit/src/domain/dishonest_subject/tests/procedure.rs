use super::*;

fn end_statement_period(due_at: Timestamp) -> Command {
    Command::EndStatementPeriod { credit_case_id: case_id(), due_at }
}

#[test]
fn the_notice_starts_the_statement_period_and_arms_its_end() {
    given::<DishonestSubject>([opened()]).when(&serve_notice()).then([notice_served()]);
}

#[test]
fn the_notice_is_not_served_before_the_penalty_has_effect() {
    let early = Event::CreditCaseOpened {
        credit_case_id: case_id(),
        subject: subject(),
        penalty: PenaltyFacts { effective_on: date(2026, 3, 7), ..penalty() },
        rule_set: "MEM-11".to_owned(),
        trigger: "MEM11-B1".to_owned(),
        proposal: None,
    };
    given::<DishonestSubject>([early])
        .when(&serve_notice())
        .then_rejected(&Rejection::DateTooEarly { earliest: date(2026, 3, 7) });
}

#[test]
fn a_case_has_one_notice() {
    given::<DishonestSubject>(noticed()).when(&serve_notice()).then_nothing();
    let other = Command::ServeListingNotice {
        credit_case_id: case_id(),
        organ: organ(),
        notice: ListingNotice { served_on: date(2026, 3, 7), ..notice() },
        period: StatementPeriod {
            deadline: Deadline { on: LAST_DAY, provisional: false },
            calendar_version: "CN-2026".to_owned(),
            legal_basis: String::new(),
        },
    };
    given::<DishonestSubject>(noticed())
        .when(&other)
        .then_rejected(&Rejection::NoticeAlreadyServed);
}

#[test]
fn a_statement_is_received_from_the_notice_to_the_last_day_of_the_period() {
    for received_on in [NOTICE_ON, LAST_DAY] {
        let statement = Statement { received_on, ..statement() };
        given::<DishonestSubject>(noticed())
            .when(&record_statement(statement.clone()))
            .then([Event::StatementRecorded { credit_case_id: case_id(), statement }]);
    }
    let on = |received_on| record_statement(Statement { received_on, ..statement() });
    given::<DishonestSubject>(noticed())
        .when(&on(date(2026, 3, 5)))
        .then_rejected(&Rejection::DateTooEarly { earliest: NOTICE_ON });
    given::<DishonestSubject>(noticed())
        .when(&on(date(2026, 3, 14)))
        .then_rejected(&Rejection::StatementTooLate { latest: LAST_DAY });
}

#[test]
fn a_statement_received_in_time_is_recorded_until_the_decision() {
    given::<DishonestSubject>([opened(), notice_served(), period_ended()])
        .when(&record_statement(statement()))
        .then([statement_recorded()]);
    given::<DishonestSubject>(to_be_listed())
        .when(&record_statement(statement()))
        .then_rejected(&Rejection::AlreadyDecided);
}

#[test]
fn the_same_statement_again_changes_nothing_and_another_is_added() {
    let history = [noticed(), vec![statement_recorded()]].concat();
    given::<DishonestSubject>(history.clone()).when(&record_statement(statement())).then_nothing();
    let other = Statement { summary: "补充材料".to_owned(), ..statement() };
    given::<DishonestSubject>(history.clone())
        .when(&record_statement(other.clone()))
        .then([Event::StatementRecorded { credit_case_id: case_id(), statement: other }]);
    let decided = [history, vec![period_ended(), decided(decision())]].concat();
    given::<DishonestSubject>(decided).when(&record_statement(statement())).then_nothing();
}

#[test]
fn no_statement_comes_before_the_notice() {
    given::<DishonestSubject>([opened()])
        .when(&record_statement(statement()))
        .then_rejected(&Rejection::NoticeNotServed);
}

#[test]
fn the_timer_ends_the_statement_period() {
    given::<DishonestSubject>(noticed())
        .when(&end_statement_period(statement_due_at()))
        .then([period_ended()]);
}

#[test]
fn a_timer_that_no_longer_fits_does_nothing() {
    let due_at = statement_due_at();
    let earlier = Timestamp::from_micros(due_at.as_micros() - 1);
    given::<DishonestSubject>(noticed()).when(&end_statement_period(earlier)).then_nothing();
    for history in [vec![], vec![opened()], to_be_listed()] {
        given::<DishonestSubject>(history).when(&end_statement_period(due_at)).then_nothing();
    }
}

#[test]
fn the_organ_decides_to_list_or_not_once_the_period_is_over() {
    for decision in [decision(), not_to_list()] {
        given::<DishonestSubject>([opened(), notice_served(), period_ended()])
            .when(&decide_listing(decision.clone()))
            .then([decided(decision)]);
    }
}

#[test]
fn a_decision_of_a_later_day_ends_the_period_where_the_clock_is_late() {
    let subject_of = given::<DishonestSubject>(noticed())
        .when(&decide_listing(decision()))
        .then([period_ended(), decided(decision())]);
    subject_of.when(&end_statement_period(statement_due_at())).then_nothing();
}

#[test]
fn nothing_is_decided_while_the_subject_may_still_speak() {
    let decision = ListingDecision { decided_on: LAST_DAY, ..decision() };
    given::<DishonestSubject>(noticed())
        .when(&decide_listing(decision))
        .then_rejected(&Rejection::StatementPeriodOpen { due_at: statement_due_at() });
}

#[test]
fn a_decision_is_not_dated_back_into_the_period() {
    let decision = ListingDecision { decided_on: LAST_DAY, ..decision() };
    given::<DishonestSubject>([opened(), notice_served(), period_ended()])
        .when(&decide_listing(decision))
        .then_rejected(&Rejection::DateTooEarly { earliest: date(2026, 3, 14) });
}

#[test]
fn nothing_is_decided_before_the_notice() {
    given::<DishonestSubject>([opened()])
        .when(&decide_listing(decision()))
        .then_rejected(&Rejection::NoticeNotServed);
}

#[test]
fn a_case_is_decided_once() {
    given::<DishonestSubject>(to_be_listed()).when(&decide_listing(decision())).then_nothing();
    given::<DishonestSubject>(to_be_listed())
        .when(&decide_listing(not_to_list()))
        .then_rejected(&Rejection::AlreadyDecided);
}

#[test]
fn only_the_organ_of_the_penalty_acts_and_only_in_its_cases() {
    let (credit_case_id, organ) = (case_id(), other_organ());
    let Command::ServeListingNotice { notice, period, .. } = serve_notice() else {
        panic!("another command");
    };
    let commands = [
        Command::ServeListingNotice { credit_case_id, organ: organ.clone(), notice, period },
        Command::RecordStatement { credit_case_id, organ: organ.clone(), statement: statement() },
        Command::DecideListing { credit_case_id, organ: organ.clone(), decision: decision() },
        Command::ServeListingDecision {
            credit_case_id,
            organ: organ.clone(),
            served_on: LISTED_ON,
            rules: rules(),
        },
        Command::RemoveListing {
            listing_id: credit_case_id,
            organ,
            removal: early_exit(date(2027, 3, 20)),
            rules: rules(),
        },
    ];
    for command in commands {
        given::<DishonestSubject>(in_force())
            .when(&command)
            .then_rejected(&Rejection::NotAuthorised { rule: PENALTY_ORGAN_DECIDES });
        given::<DishonestSubject>([not_opened(NotOpenedOutcome::NoTrigger)])
            .when(&command)
            .then_rejected(&Rejection::CreditCaseUnknown);
    }
}

#[test]
fn a_period_is_counted_anew_with_other_notices_and_moves_where_its_end_does() {
    let provisional = Obligation { provisional: true, ..obligation(ObligationState::Open) };
    let served = |period: &Obligation| Event::ListingNoticeServed {
        credit_case_id: case_id(),
        notice: notice(),
        statement_period: period.clone(),
    };
    let period = |calendar: &str| StatementPeriod {
        deadline: Deadline { on: date(2026, 3, 16), provisional: false },
        calendar_version: calendar.to_owned(),
        legal_basis: provisional.legal_basis.clone(),
    };
    let reschedule = |period: StatementPeriod| Command::RescheduleStatementPeriod {
        credit_case_id: case_id(),
        due_at: statement_due_at(),
        period,
    };
    let moved = Obligation::statement_period(case_id(), &organ(), &period("CN-2027"));
    let history = vec![opened(), served(&provisional)];
    let subject = given::<DishonestSubject>(history.clone())
        .when(&reschedule(period("CN-2027")))
        .then([Event::StatementPeriodRescheduled {
            credit_case_id: case_id(),
            statement_period: moved.clone(),
            previous_due_at: statement_due_at(),
        }])
        // what was armed before is no deadline any more
        .when(&end_statement_period(statement_due_at()))
        .then([])
        .state();
    assert_eq!(subject.counted_from(case_id()), Some(NOTICE_ON));
    // notices of the same years that say otherwise, of a period that was sure as well
    let corrected = period("CN-2026-5f0c2a19");
    for history in [history.clone(), noticed()] {
        given::<DishonestSubject>(history)
            .when(&reschedule(corrected.clone()))
            .then([Event::StatementPeriodRescheduled {
                credit_case_id: case_id(),
                statement_period: Obligation::statement_period(case_id(), &organ(), &corrected),
                previous_due_at: statement_due_at(),
            }])
            .when(&reschedule(corrected.clone()))
            .then([]);
    }
    // the same notices, older ones, another length, a day that stays, no deadline at all
    let longer = StatementPeriod { legal_basis: String::new(), ..period("CN-2027") };
    for same in [period("CN-2026"), period("CN-2025"), longer] {
        given::<DishonestSubject>(history.clone()).when(&reschedule(same)).then_nothing();
    }
    let stays = StatementPeriod {
        deadline: Deadline { on: LAST_DAY, provisional: false },
        ..period("CN-2027")
    };
    given::<DishonestSubject>(noticed()).when(&reschedule(stays)).then_nothing();
    for history in [vec![opened()], vec![]] {
        assert_eq!(
            given::<DishonestSubject>(history.clone()).state().counted_from(case_id()),
            None
        );
        given::<DishonestSubject>(history).when(&reschedule(period("CN-2027"))).then_nothing();
    }
}
