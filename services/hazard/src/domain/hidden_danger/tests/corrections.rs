//! What was reported wrongly.

use super::{
    super::{corrections::REPORTER_CORRECTS, steps::IN_CHARGE},
    *,
};

fn ids(count: u128) -> Vec<Uuid> {
    (1..=count).map(Uuid::from_u128).collect()
}

fn right() -> Finding {
    Finding { location: "储罐区T-102".to_owned(), ..finding() }
}

fn correct(by: Uscc, corrects: Vec<Uuid>, finding: Finding) -> Command {
    Command::CorrectHiddenDanger { by, corrects, finding, reason: "位号有误".to_owned() }
}

fn corrected(corrects: Vec<Uuid>, finding: Finding) -> Event {
    Event::HiddenDangerCorrected {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        corrects,
        finding,
        reason: "位号有误".to_owned(),
        corrected_by: enterprise(),
    }
}

#[test]
fn a_correction_names_the_report_and_each_correction_before_it() {
    given::<HiddenDanger>(own_general())
        .when(&correct(enterprise(), ids(1), right()))
        .then([corrected(ids(1), right())])
        .when(&correct(enterprise(), ids(1), right()))
        .then_nothing();
    given::<HiddenDanger>(with(own_general(), [corrected(ids(1), right())]))
        .when(&correct(enterprise(), ids(2), finding()))
        .then([corrected(ids(2), finding())]);
    // a list that was made before another correction
    let history = with(own_general(), [corrected(ids(1), right())]);
    refuses(history, &correct(enterprise(), ids(1), finding()), &Rejection::MovedOn);
}

#[test]
fn a_report_is_corrected_by_who_made_it() {
    let command = correct(county(), ids(1), right());
    refuses(own_general(), &command, &not_authorised(REPORTER_CORRECTS));
    refuses(vec![], &command, &Rejection::HiddenDangerUnknown);
    refuses(
        vec![reported(county())],
        &correct(enterprise(), ids(1), right()),
        &not_authorised(REPORTER_CORRECTS),
    );
}

fn withdraw(by: Uscc, corrects: Vec<Uuid>) -> Command {
    Command::WithdrawHiddenDanger { by, corrects, reason: "误报".to_owned() }
}

fn withdrawn_by(by: Uscc, corrects: Vec<Uuid>, deadline: Option<Obligation>) -> Event {
    Event::HiddenDangerWithdrawn {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        corrects,
        reason: "误报".to_owned(),
        withdrawn_by: by,
        deadline,
        escalation: None,
    }
}

#[test]
fn a_withdrawal_names_every_event_of_the_danger() {
    let command = withdraw(enterprise(), ids(2));
    given::<HiddenDanger>(own_general())
        .when(&command)
        .then([withdrawn_by(enterprise(), ids(2), None)])
        .when(&command)
        .then_nothing();
    refuses(own_general(), &withdraw(enterprise(), ids(1)), &Rejection::MovedOn);
    refuses(vec![], &command, &Rejection::HiddenDangerUnknown);
}

#[test]
fn once_a_department_is_in_charge_it_alone_withdraws_and_no_deadline_is_left() {
    let refused = not_authorised(IN_CHARGE);
    refuses(ordered_major(), &withdraw(enterprise(), ids(4)), &refused);
    refuses(ordered_major(), &withdraw(city(), ids(4)), &not_authorised(REPORTER_CORRECTS));
    let met = Some(deadline(ObligationState::Met));
    given::<HiddenDanger>(ordered_major())
        .when(&withdraw(county(), ids(4)))
        .then([withdrawn_by(county(), ids(4), met)])
        .when(&Command::PassDeadline { due_at: due().at, next: None })
        .then_nothing();
    // one that has only graded
    let graded_by = || vec![reported(enterprise()), graded(grading(major(), county()))];
    refuses(graded_by(), &withdraw(enterprise(), ids(2)), &refused);
    given::<HiddenDanger>(graded_by()).when(&withdraw(county(), ids(2))).then([withdrawn_by(
        county(),
        ids(2),
        None,
    )]);
}

#[test]
fn what_was_withdrawn_is_over() {
    for command in [
        grade(grading(Grade::General, enterprise())),
        Command::OrderRectification {
            organ: county(),
            order: order(),
            served_at: SERVED_AT,
            due: due(),
        },
        Command::ReportTreatment { report: treatment() },
        rectify(),
        accept(enterprise(), acceptance()),
        recheck(county(), RecheckOutcome::Failed, None),
        correct(enterprise(), ids(1), right()),
        withdraw(county(), ids(2)),
    ] {
        refuses(vec![reported(enterprise()), withdrawn()], &command, &Rejection::Withdrawn);
    }
}
