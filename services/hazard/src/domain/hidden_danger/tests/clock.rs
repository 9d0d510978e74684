//! Deadlines: passed, escalated, met, moved.

use super::*;

const LEVEL: [u32; 2] = [1, 2];

fn pass(at: Timestamp, next: Option<NextEscalation>) -> Command {
    Command::PassDeadline { due_at: at, next }
}

fn escalation(level: u32, organ: &Uscc, days: i64, state: ObligationState) -> Obligation {
    Obligation::escalation(ID, 1, level, organ, &next_after(days)).after(state)
}

fn overdue(grade: Grade, escalation: Option<Obligation>) -> Event {
    Event::HiddenDangerOverdue {
        danger: overdue_danger(grade),
        organ: county(),
        rectification: deadline(ObligationState::Passed),
        escalation,
    }
}

fn first() -> Obligation {
    escalation(LEVEL[0], &county(), 7, ObligationState::Open)
}

fn overdue_major() -> Vec<Event> {
    with(ordered_major(), [overdue(major(), Some(first()))])
}

fn escalated(next: Option<Obligation>) -> Event {
    Event::HiddenDangerEscalated {
        danger: overdue_danger(major()),
        organ: city(),
        from_organ: county(),
        level: 1,
        rectification: deadline(ObligationState::Passed),
        escalation: escalation(LEVEL[0], &county(), 7, ObligationState::Passed),
        next,
    }
}

#[test]
fn a_major_danger_becomes_overdue_and_its_escalation_runs() {
    let command = pass(due().at, Some(next_after(7)));
    given::<HiddenDanger>(ordered_major())
        .when(&command)
        .then([overdue(major(), Some(first()))])
        .when(&command)
        .then_nothing();
}

#[test]
fn a_general_danger_becomes_overdue_and_goes_nowhere() {
    given::<HiddenDanger>(with(own_general(), [ordered()]))
        .when(&pass(due().at, Some(next_after(7))))
        .then([overdue(Grade::General, None)]);
    // nor does a major one of an organ with nothing above it
    given::<HiddenDanger>(ordered_major())
        .when(&pass(due().at, None))
        .then([overdue(major(), None)]);
}

#[test]
fn a_deadline_that_no_longer_fits_is_none() {
    let met = rectified(Some(deadline(ObligationState::Met)));
    for history in [vec![], own_general(), with(ordered_major(), [met])] {
        given::<HiddenDanger>(history).when(&pass(due().at, None)).then_nothing();
    }
    given::<HiddenDanger>(ordered_major()).when(&pass(days_after_due(1), None)).then_nothing();
    let escalate = |at| Command::Escalate { due_at: at, to: city(), next: None };
    for history in [vec![], ordered_major(), with(ordered_major(), [overdue(major(), None)])] {
        given::<HiddenDanger>(history).when(&escalate(days_after_due(7))).then_nothing();
    }
    given::<HiddenDanger>(overdue_major()).when(&escalate(days_after_due(8))).then_nothing();
}

#[test]
fn each_period_it_goes_to_the_next_organ_until_nothing_is_above() {
    let second = escalation(LEVEL[1], &city(), 14, ObligationState::Open);
    let province = Uscc::from_body("11410000MB1234561").unwrap();
    let up = |days, to: &Uscc, next| Command::Escalate {
        due_at: days_after_due(days),
        to: to.clone(),
        next,
    };
    let danger = given::<HiddenDanger>(overdue_major())
        .when(&up(7, &city(), Some(next_after(14))))
        .then([escalated(Some(second.clone()))])
        .when(&up(14, &province, None))
        .then([Event::HiddenDangerEscalated {
            danger: overdue_danger(major()),
            organ: province.clone(),
            from_organ: city(),
            level: 2,
            rectification: deadline(ObligationState::Passed),
            escalation: second.after(ObligationState::Passed),
            next: None,
        }])
        .state();
    assert_eq!(danger.competent_organ(), Some(&province));
}

#[test]
fn a_rectification_too_late_leaves_it_to_the_clock_to_say_so() {
    let late = Rectification { rectified_on: date(2026, 4, 3), ..rectification() };
    let command =
        |at| Command::RectifyHiddenDanger { rectification: late.clone(), rectified_at: at };
    let without_change = Event::HiddenDangerRectified {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        rectification: late.clone(),
        deadline: None,
        escalation: None,
    };
    // the first instant after the last day is the first of the next
    given::<HiddenDanger>(ordered_major())
        .when(&command(due().at))
        .then([without_change])
        // and what waits for acceptance does not escalate
        .when(&pass(due().at, Some(next_after(7))))
        .then([overdue(major(), None)]);
}

#[test]
fn a_rectification_of_what_is_overdue_ends_the_escalation() {
    let met = escalation(LEVEL[0], &county(), 7, ObligationState::Met);
    let event = Event::HiddenDangerRectified {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        rectification: rectification(),
        deadline: None,
        escalation: Some(met),
    };
    let again = escalation(LEVEL[0], &county(), 30, ObligationState::Open);
    given::<HiddenDanger>(overdue_major())
        .when(&rectify())
        .then([event])
        .when(&Command::Escalate { due_at: days_after_due(7), to: city(), next: None })
        .then_nothing();
    // and a failed re-check lets it run again from its own day
    let history = with(
        overdue_major(),
        [Event::HiddenDangerRectified {
            hidden_danger_id: ID,
            enterprise: enterprise(),
            rectification: rectification(),
            deadline: None,
            escalation: Some(escalation(LEVEL[0], &county(), 7, ObligationState::Met)),
        }],
    );
    given::<HiddenDanger>(history)
        .when(&recheck(county(), RecheckOutcome::Failed, Some(next_after(30))))
        .then([Event::HiddenDangerReopened {
            hidden_danger_id: ID,
            enterprise: enterprise(),
            rechecked_by: county(),
            recheck: looked(RecheckOutcome::Failed),
            deadline: None,
            escalation: Some(again),
        }]);
}

#[test]
fn an_overdue_danger_escalates_once_it_is_a_major_one_and_no_longer_once_it_is_not() {
    let general = with(own_general(), [ordered(), overdue(Grade::General, None)]);
    let grade_as = |grade| Command::GradeHiddenDanger {
        grading: grading(grade, county()),
        next: Some(next_after(7)),
    };
    let graded_with = |grade, escalation| Event::HiddenDangerGraded {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        grading: grading(grade, county()),
        escalation,
    };
    let met = escalation(LEVEL[0], &county(), 7, ObligationState::Met);
    given::<HiddenDanger>(general)
        .when(&grade_as(major()))
        .then([graded_with(major(), Some(first()))])
        .when(&grade_as(Grade::General))
        .then([graded_with(Grade::General, Some(met))]);
}

#[test]
fn another_order_ends_what_runs_under_the_one_before() {
    let later = RectificationOrder { served_on: date(2026, 4, 5), ..order() };
    let second = Due { at: days_after_due(30), ..due() };
    let served_at = days_after_due(2);
    let (organ, order, due) = (county(), later.clone(), second.clone());
    let command = Command::OrderRectification { organ, order, served_at, due };
    let danger = given::<HiddenDanger>(with(overdue_major(), [escalated(None)]))
        .when(&command)
        .then([Event::RectificationOrdered {
            hidden_danger_id: ID,
            enterprise: enterprise(),
            organ: county(),
            order: later,
            rectification: Obligation::rectification(
                ID,
                2,
                &county(),
                &super::order().legal_basis,
                &second,
            ),
            replaced: None,
            escalation: None,
        }])
        .state();
    assert_eq!(danger.competent_organ(), Some(&county()), "it is back with the organ in charge");
}

#[test]
fn another_order_after_the_deadline_leaves_it_passed_though_the_clock_has_not_come_round() {
    let second = Due { at: days_after_due(30), ..due() };
    let basis = order().legal_basis;
    let again = |served_at| Command::OrderRectification {
        organ: county(),
        order: RectificationOrder { served_on: date(2026, 4, 5), ..order() },
        served_at,
        due: second.clone(),
    };
    let ordered_again = |replaced| Event::RectificationOrdered {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        organ: county(),
        order: RectificationOrder { served_on: date(2026, 4, 5), ..order() },
        rectification: Obligation::rectification(ID, 2, &county(), &basis, &second),
        replaced,
        escalation: None,
    };
    given::<HiddenDanger>(ordered_major())
        .when(&again(due().at))
        .then([overdue(major(), None), ordered_again(None)])
        .when(&pass(due().at, None))
        .then_nothing();
    let in_time = Timestamp::from_micros(due().at.as_micros() - 1);
    given::<HiddenDanger>(ordered_major())
        .when(&again(in_time))
        .then([ordered_again(Some(deadline(ObligationState::Met)))]);
}

#[test]
fn working_days_are_counted_anew_with_other_notices_and_the_deadline_moves_where_its_day_does() {
    let provisional = Due { provisional: true, ..due() };
    let counted = |calendar: &str, days, provisional| Due {
        at: days_after_due(days),
        calendar_version: calendar.to_owned(),
        provisional,
    };
    let ordered_by = |due: &Due, order: RectificationOrder| Event::RectificationOrdered {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        organ: county(),
        rectification: Obligation::rectification(ID, 1, &county(), &order.legal_basis, due),
        order,
        replaced: None,
        escalation: None,
    };
    let history = |due: &Due| with(own_general(), [ordered_by(due, order())]);
    let command = |due: &Due| Command::RescheduleDeadline { due_at: due_at(), due: due.clone() };
    for (before, after) in [
        // the next year's notice, also where it only makes the day sure
        (&provisional, counted("CN-2027", 3, false)),
        (&provisional, counted("CN-2027", 0, false)),
        // a corrected one, which reaches no farther
        (&provisional, counted("CN-2026-5f0c2a19", 1, true)),
        (&due(), counted("CN-2026-5f0c2a19", 1, false)),
        (&due(), counted("CN-2026-5f0c2a19", -1, false)),
    ] {
        given::<HiddenDanger>(history(before))
            .when(&command(&after))
            .then([Event::RectificationRescheduled {
                hidden_danger_id: ID,
                enterprise: enterprise(),
                rectification: Obligation::rectification(
                    ID,
                    1,
                    &county(),
                    &order().legal_basis,
                    &after,
                ),
                previous_due_at: due_at(),
            }])
            .when(&command(&after))
            .then_nothing();
    }
    for (before, after) in [
        // the same notices, older ones, others that say the same of its days
        (&provisional, counted("CN-2026", 3, false)),
        (&provisional, counted("CN-2025-5f0c2a19", 3, false)),
        (&provisional, counted("CN-2026-5f0c2a19", 0, true)),
        (&due(), counted("CN-2027-5f0c2a19", 0, false)),
    ] {
        given::<HiddenDanger>(history(before)).when(&command(&after)).then_nothing();
    }
    let corrected = counted("CN-2026-5f0c2a19", 1, false);
    given::<HiddenDanger>(own_general()).when(&command(&corrected)).then_nothing();
    let by_day = RectificationOrder { time: TimeGiven::Until(date(2026, 4, 2)), ..order() };
    let of_a_day = Due { calendar_version: String::new(), ..due() };
    let by_day = with(own_general(), [ordered_by(&of_a_day, by_day)]);
    given::<HiddenDanger>(by_day.clone()).when(&command(&corrected)).then_nothing();

    let days = |history: Vec<Event>| given::<HiddenDanger>(history).state().counted_days();
    assert_eq!(days(ordered_major()), Some((date(2026, 3, 4), 20)));
    assert_eq!(days(by_day), None);
    let met = with(ordered_major(), [rectified(Some(deadline(ObligationState::Met)))]);
    assert_eq!(days(met), None);
}

fn due_at() -> Timestamp {
    due().at
}
