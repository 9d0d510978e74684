//! Who accepts, on what conditions, and what a re-check does.

use super::{
    super::steps::{IN_CHARGE, MAJOR_BY_DEPARTMENT, OWN_GENERAL},
    *,
};

fn rectified_major() -> Vec<Event> {
    with(ordered_major(), [rectified(Some(deadline(ObligationState::Met)))])
}

#[test]
fn the_enterprise_accepts_its_own_general_danger() {
    let history = with(own_general(), [rectified(None)]);
    let acceptance = without_third_party();
    let command = accept(enterprise(), acceptance.clone());
    given::<HiddenDanger>(history.clone())
        .when(&command)
        .then([accepted(enterprise(), Severity::General, acceptance.clone())])
        .when(&command)
        .then_nothing();
    refuses(history, &accept(county(), acceptance), &not_authorised(OWN_GENERAL));
}

#[test]
fn a_departments_finding_is_accepted_by_that_department() {
    let found = [reported(county()), graded(grading(Grade::General, county())), rectified(None)];
    let acceptance = without_third_party();
    for by in [enterprise(), city()] {
        let command = accept(by, acceptance.clone());
        refuses(found.to_vec(), &command, &not_authorised(IN_CHARGE));
    }
    given::<HiddenDanger>(found).when(&accept(county(), acceptance.clone())).then([accepted(
        county(),
        Severity::General,
        acceptance,
    )]);
}

#[test]
fn a_major_danger_is_accepted_by_a_department_and_a_third_party() {
    let refused = Rejection::ThirdPartyAcceptanceRequired {
        basis: "豫发〔2017〕31号第十八条".to_owned(),
    };
    refuses(rectified_major(), &accept(county(), without_third_party()), &refused);
    given::<HiddenDanger>(rectified_major())
        .when(&accept(county(), acceptance()))
        .then([accepted(county(), Severity::Major, acceptance())]);
    // where no rule asks for it
    let asked = Command::AcceptRectification {
        by: county(),
        acceptance: without_third_party(),
        third_party_basis: None,
    };
    given::<HiddenDanger>(rectified_major()).when(&asked).then([accepted(
        county(),
        Severity::Major,
        without_third_party(),
    )]);
}

#[test]
fn nobody_accepts_a_major_danger_of_its_own() {
    let treated = treatment_reported(Severity::Major);
    let own = [reported(enterprise()), graded(grading(major(), enterprise())), treated];
    let own = with(own.to_vec(), [rectified(None)]);
    let refused = not_authorised(MAJOR_BY_DEPARTMENT);
    refuses(own.clone(), &accept(enterprise(), acceptance()), &refused);
    given::<HiddenDanger>(own).when(&accept(county(), acceptance())).then([accepted(
        county(),
        Severity::Major,
        acceptance(),
    )]);
}

#[test]
fn an_acceptance_follows_the_rectification_and_the_third_party() {
    refuses(ordered_major(), &accept(county(), acceptance()), &Rejection::NotRectified);
    let early = Acceptance { accepted_on: date(2026, 3, 29), ..acceptance() };
    let refused = Rejection::DateTooEarly { earliest: date(2026, 3, 30) };
    refuses(rectified_major(), &accept(county(), early), &refused);
    let concluded = |day| {
        let third_party =
            ThirdPartyAcceptance { concluded_on: day, ..acceptance().third_party.unwrap() };
        Acceptance { third_party: Some(third_party), ..acceptance() }
    };
    refuses(rectified_major(), &accept(county(), concluded(date(2026, 3, 29))), &refused);
    let refused = Rejection::DateTooEarly { earliest: date(2026, 4, 9) };
    refuses(rectified_major(), &accept(county(), concluded(date(2026, 4, 9))), &refused);
}

#[test]
fn what_is_accepted_is_not_accepted_otherwise() {
    let history = with(rectified_major(), [accepted(county(), Severity::Major, acceptance())]);
    let other = Acceptance { opinion: "另一意见".to_owned(), ..acceptance() };
    refuses(history.clone(), &accept(county(), other), &Rejection::AlreadyAccepted);
    refuses(history, &rectify_otherwise(), &Rejection::NotInRectification);
}

fn rectify_otherwise() -> Command {
    let rectification = Rectification { measures: "另一措施".to_owned(), ..rectification() };
    Command::RectifyHiddenDanger { rectification, rectified_at: days_after_due(-4) }
}

#[test]
fn a_recheck_that_passes_leaves_everything_as_it_is() {
    let passed = Event::HiddenDangerRechecked {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        rechecked_by: city(),
        recheck: looked(RecheckOutcome::Passed),
    };
    let command = recheck(city(), RecheckOutcome::Passed, None);
    given::<HiddenDanger>(rectified_major())
        .when(&command)
        .then([passed])
        .when(&command)
        .then_nothing();
}

fn reopened(deadline: Option<Obligation>, escalation: Option<Obligation>) -> Event {
    Event::HiddenDangerReopened {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        rechecked_by: county(),
        recheck: looked(RecheckOutcome::Failed),
        deadline,
        escalation,
    }
}

#[test]
fn a_recheck_that_fails_opens_even_what_was_accepted_and_its_deadline_runs_again() {
    let history = with(rectified_major(), [accepted(county(), Severity::Major, acceptance())]);
    let armed = Some(deadline(ObligationState::Open));
    let command = recheck(county(), RecheckOutcome::Failed, None);
    let again = Rectification { rectified_on: date(2026, 4, 25), ..rectification() };
    let again =
        Command::RectifyHiddenDanger { rectification: again, rectified_at: days_after_due(22) };
    given::<HiddenDanger>(history)
        .when(&command)
        .then([reopened(armed, None)])
        // its treatment is reported anew
        .when(&again)
        .then_rejected(&Rejection::TreatmentNotReported);
}

#[test]
fn after_a_failed_recheck_the_rectification_is_a_new_one() {
    let history = with(rectified_major(), [reopened(None, None)]);
    let history = with(history, [treatment_reported(Severity::Major)]);
    refuses(history.clone(), &rectify(), &Rejection::DateTooEarly { earliest: date(2026, 4, 20) });
    refuses(
        history.clone(),
        &recheck(county(), RecheckOutcome::Passed, None),
        &Rejection::NotRectified,
    );
    // the same failed re-check again
    given::<HiddenDanger>(history)
        .when(&recheck(county(), RecheckOutcome::Failed, None))
        .then_nothing();
}

#[test]
fn an_enterprise_looks_again_only_at_what_it_accepts() {
    let command = recheck(enterprise(), RecheckOutcome::Failed, None);
    refuses(rectified_major(), &command, &not_authorised(IN_CHARGE));
    let history = with(own_general(), [rectified(None)]);
    let event = Event::HiddenDangerReopened {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        rechecked_by: enterprise(),
        recheck: looked(RecheckOutcome::Failed),
        deadline: None,
        escalation: None,
    };
    given::<HiddenDanger>(history.clone()).when(&command).then([event]);
    let early = Recheck { rechecked_on: date(2026, 3, 29), ..looked(RecheckOutcome::Passed) };
    let early = Command::RecheckHiddenDanger { by: enterprise(), recheck: early, next: None };
    refuses(history, &early, &Rejection::DateTooEarly { earliest: date(2026, 3, 30) });
}
