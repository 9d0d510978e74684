//! From the report to the rectification.

use super::{
    super::steps::{GRADED_BY_DEPARTMENT, IN_CHARGE},
    *,
};

#[test]
fn a_finding_is_reported_once_under_its_enterprise() {
    let danger = given::<HiddenDanger>([])
        .when(&report(enterprise()))
        .then([reported(enterprise())])
        .state();
    assert_eq!(
        (danger.key().subject, danger.key().division.as_str()),
        (enterprise().to_string(), "410102")
    );
    given::<HiddenDanger>([reported(enterprise())]).when(&report(enterprise())).then_nothing();
}

#[test]
fn what_was_never_reported_is_not_treated() {
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
        recheck(county(), RecheckOutcome::Passed, None),
    ] {
        refuses(vec![], &command, &Rejection::HiddenDangerUnknown);
    }
}

#[test]
fn it_is_graded_general_or_major_with_the_criterion() {
    for grade_of in [Grade::General, major()] {
        let grading = grading(grade_of, enterprise());
        given::<HiddenDanger>([reported(enterprise())])
            .when(&grade(grading.clone()))
            .then([graded(grading.clone())])
            .when(&grade(grading))
            .then_nothing();
    }
}

#[test]
fn the_enterprise_grades_its_own_anew_until_a_department_has_spoken() {
    let own = grading(major(), enterprise());
    given::<HiddenDanger>(own_general()).when(&grade(own.clone())).then([graded(own.clone())]);
    let of_department = || graded(grading(Grade::General, county()));
    let refused = not_authorised(GRADED_BY_DEPARTMENT);
    refuses(vec![reported(enterprise()), of_department()], &grade(own.clone()), &refused);
    refuses(vec![reported(county())], &grade(own.clone()), &refused);
    refuses(with(own_general(), [ordered()]), &grade(own), &refused);
    let again = grading(major(), county());
    given::<HiddenDanger>([reported(enterprise()), of_department()])
        .when(&grade(again.clone()))
        .then([graded(again)]);
}

#[test]
fn a_grading_does_not_come_before_the_finding_nor_after_the_rectification() {
    let early = Grading { graded_on: date(2026, 3, 1), ..grading(major(), county()) };
    let refused = Rejection::DateTooEarly { earliest: FOUND_ON };
    refuses(vec![reported(enterprise())], &grade(early), &refused);
    let history = with(own_general(), [rectified(None)]);
    let command = grade(grading(major(), county()));
    refuses(history, &command, &Rejection::NotInRectification);
}

#[test]
fn a_department_orders_the_rectification_and_the_deadline_runs() {
    let command = Command::OrderRectification {
        organ: county(),
        order: order(),
        served_at: SERVED_AT,
        due: due(),
    };
    given::<HiddenDanger>(own_general())
        .when(&command)
        .then([ordered()])
        .when(&command)
        .then_nothing();
    refuses(vec![reported(county())], &command, &Rejection::NotGraded);
    refuses(with(own_general(), [rectified(None)]), &command, &Rejection::NotInRectification);
    let early = RectificationOrder { served_on: date(2026, 3, 1), ..order() };
    let early = Command::OrderRectification {
        organ: county(),
        order: early,
        served_at: SERVED_AT,
        due: due(),
    };
    refuses(own_general(), &early, &Rejection::DateTooEarly { earliest: FOUND_ON });
}

#[test]
fn only_the_department_in_charge_gives_another_deadline() {
    let later = RectificationOrder { served_on: date(2026, 3, 20), ..order() };
    let command = |organ| {
        let due = Due { at: days_after_due(30), ..due() };
        Command::OrderRectification { organ, order: later.clone(), served_at: SERVED_AT, due }
    };
    let history = with(own_general(), [ordered()]);
    refuses(history.clone(), &command(city()), &not_authorised(IN_CHARGE));
    let second = Due { at: days_after_due(30), ..due() };
    given::<HiddenDanger>(history.clone()).when(&command(county())).then([
        Event::RectificationOrdered {
            hidden_danger_id: ID,
            enterprise: enterprise(),
            organ: county(),
            order: later.clone(),
            rectification: Obligation::rectification(ID, 2, &county(), &later.legal_basis, &second),
            replaced: Some(deadline(ObligationState::Met)),
            escalation: None,
        },
    ]);
    let before = RectificationOrder { served_on: date(2026, 3, 3), ..order() };
    let before = Command::OrderRectification {
        organ: county(),
        order: before,
        served_at: SERVED_AT,
        due: due(),
    };
    refuses(history, &before, &Rejection::DateTooEarly { earliest: date(2026, 3, 4) });
    // a department's finding is its own business from the first day
    let found = vec![reported(county()), graded(grading(Grade::General, county()))];
    refuses(found, &command(city()), &not_authorised(IN_CHARGE));
}

#[test]
fn the_treatment_of_a_major_danger_is_reported_to_both_and_so_is_progress() {
    let history = vec![reported(enterprise()), graded(grading(major(), enterprise()))];
    let command = |report| Command::ReportTreatment { report };
    for incomplete in [
        TreatmentReport { department: None, ..treatment() },
        TreatmentReport { congress: None, ..treatment() },
    ] {
        refuses(history.clone(), &command(incomplete), &Rejection::DualReportIncomplete);
    }
    let progress = TreatmentReport { reported_on: date(2026, 3, 11), ..treatment() };
    let progressed = Event::TreatmentReported {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        grade: Severity::Major,
        report: progress.clone(),
    };
    given::<HiddenDanger>(history)
        .when(&command(treatment()))
        .then([treatment_reported(Severity::Major)])
        .when(&command(progress.clone()))
        .then([progressed])
        .when(&command(progress))
        .then_nothing();
}

#[test]
fn a_general_danger_needs_no_receipts() {
    let report = TreatmentReport { department: None, congress: None, ..treatment() };
    let told = Event::TreatmentReported {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        grade: Severity::General,
        report: report.clone(),
    };
    given::<HiddenDanger>(own_general()).when(&Command::ReportTreatment { report }).then([told]);
}

#[test]
fn a_report_follows_the_finding_and_its_receipts_follow_the_report() {
    let early = TreatmentReport { reported_on: date(2026, 3, 1), ..treatment() };
    let refused = Rejection::DateTooEarly { earliest: FOUND_ON };
    refuses(own_general(), &Command::ReportTreatment { report: early }, &refused);
    let late = TreatmentReport { reported_on: date(2026, 3, 12), ..treatment() };
    let refused = Rejection::DateTooEarly { earliest: date(2026, 3, 12) };
    refuses(own_general(), &Command::ReportTreatment { report: late }, &refused);
    let command = Command::ReportTreatment { report: treatment() };
    refuses(vec![reported(enterprise())], &command, &Rejection::NotGraded);
    refuses(with(own_general(), [rectified(None)]), &command, &Rejection::NotInRectification);
}

#[test]
fn a_general_danger_is_rectified_by_the_enterprise_alone() {
    given::<HiddenDanger>(own_general())
        .when(&rectify())
        .then([rectified(None)])
        .when(&rectify())
        .then_nothing();
    let other = Rectification { measures: "另一措施".to_owned(), ..rectification() };
    let other =
        Command::RectifyHiddenDanger { rectification: other, rectified_at: days_after_due(-4) };
    refuses(with(own_general(), [rectified(None)]), &other, &Rejection::NotInRectification);
    refuses(vec![reported(enterprise())], &rectify(), &Rejection::NotGraded);
    let early = Rectification { rectified_on: date(2026, 3, 1), ..rectification() };
    let early =
        Command::RectifyHiddenDanger { rectification: early, rectified_at: days_after_due(-33) };
    refuses(own_general(), &early, &Rejection::DateTooEarly { earliest: FOUND_ON });
}

#[test]
fn a_major_danger_is_not_rectified_before_its_treatment_was_reported() {
    let history = vec![reported(enterprise()), graded(grading(major(), county())), ordered()];
    refuses(history, &rectify(), &Rejection::TreatmentNotReported);
    let met = Some(deadline(ObligationState::Met));
    given::<HiddenDanger>(ordered_major()).when(&rectify()).then([rectified(met)]);
}
