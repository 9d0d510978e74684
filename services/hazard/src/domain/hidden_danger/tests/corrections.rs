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

fn resumed() -> TreatmentReport {
    TreatmentReport {
        summary: "储罐已停用，注水管线尚未施工".to_owned(), ..treatment()
    }
}

fn correct_treatment(report_no: u32, corrects: Vec<Uuid>, report: TreatmentReport) -> Command {
    let reason = "进度有误".to_owned();
    Command::CorrectTreatmentReport { report_no, corrects, report, reason }
}

fn treatment_corrected(
    report_no: u32,
    corrects: Vec<Uuid>,
    grade: Severity,
    report: TreatmentReport,
) -> Event {
    Event::TreatmentReportCorrected {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        corrects,
        report_no,
        grade,
        report,
        reason: "进度有误".to_owned(),
    }
}

#[test]
fn a_correction_of_a_treatment_report_names_it_and_each_correction_of_it() {
    let major = Severity::Major;
    given::<HiddenDanger>(ordered_major())
        .when(&correct_treatment(1, ids(1), resumed()))
        .then([treatment_corrected(1, ids(1), major, resumed())])
        .when(&correct_treatment(1, ids(1), resumed()))
        .then([])
        .when(&correct_treatment(1, ids(2), treatment()))
        .then([treatment_corrected(1, ids(2), major, treatment())]);
    // a list that was made before another correction of the same report
    let history = with(ordered_major(), [treatment_corrected(1, ids(1), major, resumed())]);
    refuses(history, &correct_treatment(1, ids(1), treatment()), &Rejection::MovedOn);
    // corrections of one report are none of another
    let progress = TreatmentReport { reported_on: date(2026, 3, 11), ..treatment() };
    let again = Event::TreatmentReported {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        grade: major,
        report: progress.clone(),
    };
    let right = TreatmentReport { summary: "注水管线已试压".to_owned(), ..progress };
    given::<HiddenDanger>(with(ordered_major(), [again]))
        .when(&correct_treatment(1, ids(1), resumed()))
        .then([treatment_corrected(1, ids(1), major, resumed())])
        .when(&correct_treatment(2, ids(1), right.clone()))
        .then([treatment_corrected(2, ids(1), major, right.clone())])
        // the last report is the corrected one
        .when(&Command::ReportTreatment { report: right })
        .then_nothing();
}

#[test]
fn a_report_is_corrected_at_any_time_also_when_the_danger_was_opened_again() {
    let is_accepted = with(
        ordered_major(),
        [
            rectified(Some(deadline(ObligationState::Met))),
            accepted(county(), Severity::Major, acceptance()),
        ],
    );
    let command = correct_treatment(1, ids(1), resumed());
    let corrected = || treatment_corrected(1, ids(1), Severity::Major, resumed());
    given::<HiddenDanger>(is_accepted.clone()).when(&command).then([corrected()]);
    let reopened = Event::HiddenDangerReopened {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        rechecked_by: county(),
        recheck: looked(RecheckOutcome::Failed),
        deadline: Some(deadline(ObligationState::Open)),
        escalation: None,
    };
    let history = with(is_accepted, [reopened]);
    given::<HiddenDanger>(history.clone()).when(&command).then([corrected()]);
    // and it stays a report of the treatment before
    let late = Rectification { rectified_on: date(2026, 4, 21), ..rectification() };
    let rectify =
        Command::RectifyHiddenDanger { rectification: late, rectified_at: days_after_due(18) };
    refuses(with(history, [corrected()]), &rectify, &Rejection::TreatmentNotReported);
}

#[test]
fn a_corrected_report_on_a_major_danger_keeps_both_receipts_and_its_days() {
    let one_sided = TreatmentReport { congress: None, ..resumed() };
    let command = correct_treatment(1, ids(1), one_sided.clone());
    refuses(ordered_major(), &command, &Rejection::DualReportIncomplete);
    let early = TreatmentReport { reported_on: date(2026, 3, 1), ..treatment() };
    let too_early = Rejection::DateTooEarly { earliest: FOUND_ON };
    refuses(ordered_major(), &correct_treatment(1, ids(1), early), &too_early);
    for number in [0, 2] {
        let command = correct_treatment(number, vec![], resumed());
        refuses(ordered_major(), &command, &Rejection::TreatmentReportUnknown);
    }
    refuses(vec![], &command, &Rejection::HiddenDangerUnknown);

    // a general danger needs none; what it has stays once the danger is a major one
    let general = with(own_general(), [treatment_reported(Severity::General)]);
    let corrected = || treatment_corrected(1, ids(1), Severity::General, one_sided.clone());
    given::<HiddenDanger>(general.clone()).when(&command).then([corrected()]);
    let became_major = || graded(grading(major(), enterprise()));
    refuses(with(general.clone(), [became_major()]), &command, &Rejection::DualReportIncomplete);
    // without both it was no report to both
    let history = with(general, [corrected(), became_major()]);
    refuses(history.clone(), &rectify(), &Rejection::TreatmentNotReported);
    given::<HiddenDanger>(history)
        .when(&correct_treatment(1, ids(2), treatment()))
        .then([treatment_corrected(1, ids(2), Severity::General, treatment())])
        .when(&rectify())
        .then([rectified(None)]);
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
        correct_treatment(1, ids(1), treatment()),
        withdraw(county(), ids(2)),
    ] {
        refuses(vec![reported(enterprise()), withdrawn()], &command, &Rejection::Withdrawn);
    }
}
