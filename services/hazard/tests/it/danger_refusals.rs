//! Each reason of the contract that hidden dangers give.

use onenet_chassis::testing::{elsewhere::Registered, uscc};
use onenet_proto::{
    enterprise::v1::{Enterprise, EnterpriseKind, Tier},
    hazard::v1::{
        Citation, Finding, GetHiddenDangerRequest, RecheckOutcome, StandardItem,
        ThirdPartyAcceptance, TreatmentReport, citation::By, rectification_order::Deadline,
    },
};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::{
    steps::{
        accepting, citing, correcting, correcting_treatment, finding, grading, order, ordering,
        rechecking, rectifying, reporting, third_party, treating, treatment, withdrawing,
    },
    support::{World, county, enterprise, new_id, plant, refused},
};

#[tokio::test]
async fn what_is_not_there_or_no_longer() {
    let world = World::new().await;
    let mut client = world.dangers(&county());
    let get = GetHiddenDangerRequest { hidden_danger_id: new_id(), ..Default::default() };
    for (code, reason, _) in [
        refused(client.get_hidden_danger(get).await),
        refused(client.grade_hidden_danger(grading(&new_id(), None)).await),
    ] {
        assert_eq!((code, reason.as_str()), (Code::NotFound, "HIDDEN_DANGER_UNKNOWN"));
    }
    let id = world.graded(&enterprise(), None).await;
    let mut client = world.dangers(&enterprise());
    client.withdraw_hidden_danger(withdrawing(&id)).await.unwrap();
    let (code, reason, _) =
        refused(client.rectify_hidden_danger(rectifying(&id, "2026-03-05")).await);
    assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "HIDDEN_DANGER_WITHDRAWN"));
}

#[tokio::test]
async fn a_criterion_has_to_be_in_force_on_the_day_of_grading() {
    let world = World::new().await;
    let mut client = world.dangers(&enterprise());
    let old = Finding { found_on: "2017-11-01".to_owned(), ..finding() };
    let mut request = reporting();
    request.finding = Some(old);
    let id = client.report_hidden_danger(request).await.unwrap().into_inner().hidden_danger_id;
    let mut before = grading(&id, Some("CHEM-06"));
    before.graded_on = "2017-11-12".to_owned();
    let mut no_standard = grading(&id, Some(""));
    let item = StandardItem { standard_no: 52, item: "某项".to_owned() };
    no_standard.citation = Some(citing(By::StandardItem(item)));
    for (request, field) in [
        (before, "citation.criterion"),
        (grading(&id, Some("CHEM-21")), "citation.criterion"),
        (no_standard, "citation.standard_item.standard_no"),
    ] {
        let outcome = refused(client.grade_hidden_danger(request).await);
        let expected = (Code::InvalidArgument, "CRITERION_UNKNOWN".to_owned(), field.to_owned());
        assert_eq!(outcome, expected);
    }
}

#[tokio::test]
async fn no_step_is_skipped() {
    let world = World::new().await;
    let mut client = world.dangers(&enterprise());
    let ungraded = client.report_hidden_danger(reporting()).await.unwrap().into_inner();
    let ungraded = ungraded.hidden_danger_id;
    let general = world.graded(&enterprise(), None).await;
    let major = world.ordered("2027-03-31").await;
    let one_sided = || TreatmentReport { congress: None, ..treatment("2026-03-10") };
    let rectify = |id: &str| rectifying(id, "2026-03-30");
    for ((code, reason, _), expected) in [
        (refused(client.rectify_hidden_danger(rectify(&ungraded)).await), "NOT_GRADED"),
        (refused(client.accept_rectification(accepting(&general, None)).await), "NOT_RECTIFIED"),
        (
            refused(client.report_treatment(treating(&major, one_sided())).await),
            "DUAL_REPORT_INCOMPLETE",
        ),
        (refused(client.rectify_hidden_danger(rectify(&major)).await), "TREATMENT_NOT_REPORTED"),
    ] {
        assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, expected));
    }
    let unknown = correcting_treatment(&major, treatment("2026-03-10"));
    let (code, reason, field) = refused(client.correct_treatment_report(unknown).await);
    assert_eq!((code, reason.as_str()), (Code::NotFound, "TREATMENT_REPORT_UNKNOWN"));
    assert_eq!(field, "report_no");
    world.report_treatment(&major, "2026-03-10").await.unwrap();
    let one_sided = correcting_treatment(&major, one_sided());
    let (code, reason, _) = refused(client.correct_treatment_report(one_sided).await);
    assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "DUAL_REPORT_INCOMPLETE"));
    client.rectify_hidden_danger(rectify(&major)).await.unwrap();
    let (_, reason, _) =
        refused(client.rectify_hidden_danger(rectifying(&major, "2026-03-31")).await);
    assert_eq!(reason, "NOT_IN_RECTIFICATION");

    let mut client = world.dangers(&county());
    let outcome = client.accept_rectification(accepting(&major, None)).await;
    let details = outcome.as_ref().unwrap_err().get_error_details();
    assert_eq!(details.error_info().unwrap().metadata["basis"], "豫发〔2017〕31号第十八条");
    let (code, reason, _) = refused(outcome);
    let required = "THIRD_PARTY_ACCEPTANCE_REQUIRED";
    assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, required));
    let accepting = accepting(&major, Some(third_party()));
    client.accept_rectification(accepting.clone()).await.unwrap();
    let mut other = accepting;
    other.command_id = new_id();
    other.acceptance.as_mut().unwrap().opinion = "另一意见".to_owned();
    let (code, reason, _) = refused(client.accept_rectification(other).await);
    assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "ALREADY_ACCEPTED"));
}

#[tokio::test]
async fn a_receipt_names_a_competent_department_and_an_acceptance_an_independent_institution() {
    let world = World::new().await;
    let mut of_mines = Registered::body(&uscc(4), Tier::County, "410102");
    of_mines.industries = vec!["06".to_owned()];
    let elsewhere = Registered::body(&uscc(3), Tier::County, "410103");
    world.knows([of_mines, elsewhere].map(Registered::Organisation)).await;
    let itself = Enterprise { kind: EnterpriseKind::Institution.into(), ..plant(6) };
    world.knows([Registered::Enterprise(itself)]).await;
    let major = world.ordered("2027-03-31").await;
    let mut client = world.dangers(&enterprise());
    for department in [uscc(3), uscc(4), uscc(77)] {
        let mut report = treatment("2026-03-10");
        report.department.as_mut().unwrap().department = department;
        let outcome = refused(client.report_treatment(treating(&major, report)).await);
        let field = "report.department.department".to_owned();
        assert_eq!(outcome, (Code::InvalidArgument, "DEPARTMENT_NOT_COMPETENT".to_owned(), field));
    }
    world.report_treatment(&major, "2026-03-10").await.unwrap();
    let mut report = treatment("2026-03-10");
    report.department.as_mut().unwrap().department = uscc(3);
    let correcting = correcting_treatment(&major, report);
    let (code, reason, _) = refused(client.correct_treatment_report(correcting).await);
    assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "DEPARTMENT_NOT_COMPETENT"));
    world.rectify(&major, "2026-03-30").await.unwrap();
    let mut client = world.dangers(&county());
    for institution in [uscc(77), enterprise()] {
        let third_party = ThirdPartyAcceptance { institution, ..third_party() };
        let outcome = client.accept_rectification(accepting(&major, Some(third_party))).await;
        let field = "acceptance.third_party.institution".to_owned();
        let expected = (Code::InvalidArgument, "INSTITUTION_UNKNOWN".to_owned(), field);
        assert_eq!(refused(outcome), expected);
    }
    let other = ThirdPartyAcceptance { institution: uscc(6), ..third_party() };
    client.accept_rectification(accepting(&major, Some(other))).await.unwrap();
}

#[tokio::test]
async fn a_bad_field_of_a_step_is_named() {
    let world = World::new().await;
    let id = world.graded(&enterprise(), None).await;
    let mut own = world.dangers(&enterprise());
    let mut department = world.dangers(&county());
    let mut general_cited = grading(&id, Some("CHEM-06"));
    general_cited.grade = 1;
    let mut uncited = grading(&id, Some("CHEM-06"));
    uncited.citation = None;
    let mut empty = grading(&id, Some("CHEM-06"));
    empty.citation = Some(Citation::default());
    let mut no_time = order("2026-03-31");
    no_time.deadline = None;
    let mut no_days = order("2026-03-31");
    no_days.deadline = Some(Deadline::WorkingDays(0));
    let mut before_coverage = order("2023-12-29");
    before_coverage.served_on = "2023-12-20".to_owned();
    before_coverage.deadline = Some(Deadline::WorkingDays(5));
    let mut unfound = rechecking(&id, RecheckOutcome::Passed);
    unfound.recheck.as_mut().unwrap().findings = String::new();
    let mut undone = rectifying(&id, "2026-03-30");
    undone.rectification = None;
    let nowhere = Finding { location: String::new(), ..finding() };
    let mut unexplained = correcting_treatment(&id, treatment("2026-03-10"));
    unexplained.reason = String::new();
    let mut unreported = correcting_treatment(&id, treatment("2026-03-10"));
    unreported.report = None;
    let mut silent = withdrawing(&id);
    silent.reason = " ".to_owned();
    let mut unopined = accepting(&id, None);
    unopined.acceptance.as_mut().unwrap().opinion = String::new();
    let ordered = |order| ordering(&id, order);
    for (outcome, reason, field) in [
        (refused(own.grade_hidden_danger(general_cited).await), "FIELD_NOT_ALLOWED", "citation"),
        (refused(own.grade_hidden_danger(uncited).await), "FIELD_MISSING", "citation"),
        (refused(own.grade_hidden_danger(empty).await), "FIELD_MISSING", "citation.by"),
        (
            refused(department.order_rectification(ordered(order("2026-03-03"))).await),
            "PERIOD_INVERTED",
            "order.due_on",
        ),
        (
            refused(department.order_rectification(ordered(no_time)).await),
            "FIELD_MISSING",
            "order.deadline",
        ),
        (
            refused(department.order_rectification(ordered(no_days)).await),
            "NUMBER_OUT_OF_RANGE",
            "order.working_days",
        ),
        (refused(own.recheck_hidden_danger(unfound).await), "FIELD_MISSING", "recheck.findings"),
        (refused(own.rectify_hidden_danger(undone).await), "FIELD_MISSING", "rectification"),
        (
            refused(own.correct_hidden_danger(correcting(&id, nowhere)).await),
            "FIELD_MISSING",
            "finding.location",
        ),
        (refused(own.withdraw_hidden_danger(silent).await), "FIELD_MISSING", "reason"),
        (refused(own.correct_treatment_report(unexplained).await), "FIELD_MISSING", "reason"),
        (refused(own.correct_treatment_report(unreported).await), "FIELD_MISSING", "report"),
        (refused(own.accept_rectification(unopined).await), "FIELD_MISSING", "acceptance.opinion"),
        (
            refused(own.report_treatment(treating(&id, treatment("2026-12-01"))).await),
            "DATE_IN_FUTURE",
            "report.reported_on",
        ),
    ] {
        assert_eq!(outcome, (Code::InvalidArgument, reason.to_owned(), field.to_owned()));
    }
    let (code, reason, _) = refused(department.order_rectification(ordered(before_coverage)).await);
    assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "DATE_TOO_EARLY"));
}
