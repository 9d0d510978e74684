//! A hidden danger from its report to its acceptance.

use onenet_chassis::testing::{elsewhere, elsewhere::Registered, uscc};
use onenet_proto::{
    common::v1::{ObligationState, PageRequest},
    enterprise::v1::Tier,
    hazard::v1::{
        Finding, HiddenDangerCorrected, HiddenDangerGrade, HiddenDangerState,
        HiddenDangerWithdrawn, ListHiddenDangersRequest, RecheckOutcome, ReportHiddenDangerRequest,
        StandardItem, TreatmentReportCorrected, citation::By, rectification_order::Deadline,
    },
};
use prost::Message as _;

use crate::{
    steps::{
        accepting, citing, correcting, correcting_treatment, finding, grading, order, ordering,
        rechecking, reporting, third_party, treatment, withdrawing,
    },
    support::{World, county, enterprise, plant},
};

#[tokio::test]
async fn an_enterprise_finds_rectifies_and_accepts_its_own_general_danger() {
    let world = World::new().await;
    let mut client = world.dangers(&enterprise());
    let request = reporting();
    let first = client.report_hidden_danger(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.report_hidden_danger(request).await.unwrap().into_inner(), first);
    let (id, receipt) = (first.hidden_danger_id, first.receipt.unwrap());
    assert_eq!(receipt.stream_id, format!("hidden_danger-{id}"));
    let view = world.danger(&id, &[receipt]).await;
    assert_eq!((view.state(), view.reported_by), (HiddenDangerState::Open, enterprise()));
    assert_eq!((view.finding, view.grading), (Some(finding()), None));
    assert_eq!((view.division, view.industry), (plant(5).division, plant(5).industry));

    client.grade_hidden_danger(grading(&id, None)).await.unwrap();
    world.rectify(&id, "2026-03-05").await.unwrap();
    let accepted = client.accept_rectification(accepting(&id, None)).await.unwrap().into_inner();
    let view = world.danger(&id, &[accepted.receipt.unwrap()]).await;
    assert_eq!((view.state(), view.version), (HiddenDangerState::Accepted, 4));
    assert_eq!((view.accepted_by, view.deadline), (Some(enterprise()), None));
    assert_eq!(view.grading.unwrap().grade(), HiddenDangerGrade::General);
}

#[tokio::test]
async fn a_major_danger_is_ordered_reported_to_both_rectified_and_accepted_by_the_department() {
    let world = World::new().await;
    let id = world.ordered("2027-03-31").await;
    for day in ["2026-03-10", "2026-03-20"] {
        world.report_treatment(&id, day).await.unwrap();
    }
    let receipt = world.rectify(&id, "2026-03-30").await.unwrap();
    let view = world.danger(&id, &[receipt]).await;
    let grading = view.grading.clone().unwrap();
    let criterion = grading.criterion.clone().unwrap();
    assert_eq!((grading.grade(), criterion.code()), (HiddenDangerGrade::Major, "CHEM-06"));
    assert!(criterion.standard.ends_with("（安监总管三〔2017〕121号）"), "{criterion:?}");
    assert_eq!(view.state(), HiddenDangerState::Rectified);
    let deadline = view.deadline.clone().unwrap();
    assert_eq!((deadline.state(), deadline.organ.as_str()), (ObligationState::Met, &*county()));
    assert_eq!(deadline.kind, "hazard.rectification");
    let receipts: Vec<_> =
        view.reports.iter().map(|report| (&report.department, &report.congress)).collect();
    assert_eq!(receipts.len(), 2);
    assert!(
        receipts.iter().all(|(department, congress)| department.is_some() && congress.is_some())
    );

    let mut client = world.dangers(&county());
    let request = accepting(&id, Some(third_party()));
    let receipt = client.accept_rectification(request).await.unwrap().into_inner().receipt;
    let view = world.danger(&id, &[receipt.unwrap()]).await;
    assert_eq!((view.state(), view.accepted_by), (HiddenDangerState::Accepted, Some(county())));
    assert_eq!(view.acceptance.unwrap().third_party, Some(third_party()));

    // a re-check that fails opens it again, and the deadline runs as before
    let request = rechecking(&id, RecheckOutcome::Failed);
    let receipt = client.recheck_hidden_danger(request).await.unwrap().into_inner().receipt;
    let view = world.danger(&id, &[receipt.unwrap()]).await;
    assert_eq!((view.state(), view.acceptance), (HiddenDangerState::Open, None));
    assert_eq!(view.deadline.unwrap().state(), ObligationState::Open);
    assert_eq!(view.rechecks.len(), 1);
}

#[tokio::test]
async fn a_departments_finding_cites_a_standard_in_words_and_gives_working_days() {
    let world = World::new().await;
    let mut client = world.dangers(&county());
    let id = client.report_hidden_danger(reporting()).await.unwrap().into_inner().hidden_danger_id;
    let item = StandardItem { standard_no: 28, item: "有限空间未设警示标志".to_owned() };
    let mut request = grading(&id, Some(""));
    request.citation = Some(citing(By::StandardItem(item)));
    client.grade_hidden_danger(request).await.unwrap();
    let mut given = order("");
    given.deadline = Some(Deadline::WorkingDays(10));
    let answer = client.order_rectification(ordering(&id, given.clone())).await.unwrap();
    let view = world.danger(&id, &[answer.into_inner().receipt.unwrap()]).await;
    let criterion = view.grading.unwrap().criterion.unwrap();
    assert_eq!(criterion.standard, "工贸企业重大事故隐患判定标准");
    assert_eq!((criterion.code, view.order), (None, Some(given)));
    let deadline = view.deadline.unwrap();
    // 4 March is a Wednesday; the tenth working day after it is 18 March
    assert_eq!(deadline.due_at.unwrap().to_string(), "2026-03-18T16:00:00Z");
    assert!(deadline.calendar_version.starts_with("CN-2026-") && !deadline.provisional);
    assert_eq!((view.reported_by, view.ordered_by), (county(), Some(county())));
}

#[tokio::test]
async fn a_correction_and_a_withdrawal_name_what_they_undo() {
    let world = World::whole().await;
    let heard = world.register_speaks().await;
    let mut client = world.dangers(&enterprise());
    let mut request = reporting();
    request.fresh_as = heard;
    let id = client.report_hidden_danger(request).await.unwrap().into_inner().hidden_danger_id;
    let right = Finding { location: "储罐区T-102".to_owned(), ..finding() };
    client.correct_hidden_danger(correcting(&id, right.clone())).await.unwrap();
    client.correct_hidden_danger(correcting(&id, finding())).await.unwrap();
    let request = withdrawing(&id);
    let withdrawn = client.withdraw_hidden_danger(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.withdraw_hidden_danger(request).await.unwrap().into_inner(), withdrawn);
    let view = world.danger(&id, &[withdrawn.receipt.unwrap()]).await;
    assert_eq!((view.state(), view.version), (HiddenDangerState::Withdrawn, 4));
    assert_eq!(view.corrections, ["位号有误", "位号有误", "误报"]);

    let topic = elsewhere::topics(&world.node, "hazard").events();
    let events = elsewhere::published(&world.node, topic, 4).await.unwrap();
    let ids: Vec<String> = events.iter().map(|event| event.event_id.to_string()).collect();
    let first = HiddenDangerCorrected::decode(events[1].payload.clone()).unwrap();
    assert_eq!((&first.corrects[..], first.finding), (&ids[..1], Some(right)));
    let second = HiddenDangerCorrected::decode(events[2].payload.clone()).unwrap();
    assert_eq!(second.corrects, ids[..2], "the report and the correction before");
    let last = HiddenDangerWithdrawn::decode(events[3].payload.clone()).unwrap();
    assert_eq!(last.corrects, ids[..3], "everything about the danger");
}

#[tokio::test]
async fn a_corrected_report_on_the_treatment_stands_in_its_place_with_both_receipts() {
    let world = World::whole().await;
    let heard = world.register_speaks().await;
    let mut client = world.dangers(&enterprise());
    let request = ReportHiddenDangerRequest { fresh_as: heard, ..reporting() };
    let id = client.report_hidden_danger(request).await.unwrap().into_inner().hidden_danger_id;
    client.grade_hidden_danger(grading(&id, Some("CHEM-06"))).await.unwrap();
    for day in ["2026-03-10", "2026-03-20"] {
        world.report_treatment(&id, day).await.unwrap();
    }
    let mut right = treatment("2026-03-10");
    right.department.as_mut().unwrap().receipt_number = "收〔2026〕19号".to_owned();
    let request = correcting_treatment(&id, right.clone());
    let first = client.correct_treatment_report(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.correct_treatment_report(request).await.unwrap().into_inner(), first);
    let request = correcting_treatment(&id, treatment("2026-03-10"));
    client.correct_treatment_report(request).await.unwrap();
    let request = correcting_treatment(&id, right.clone());
    let last = client.correct_treatment_report(request).await.unwrap().into_inner();
    let view = world.danger(&id, &[last.receipt.unwrap()]).await;
    assert_eq!(view.reports, [right.clone(), treatment("2026-03-20")]);
    assert_eq!(view.corrections, ["签收编号有误"; 3]);

    let topic = elsewhere::topics(&world.node, "hazard").events();
    let events = elsewhere::published(&world.node, topic, 7).await.unwrap();
    let ids: Vec<String> = events.iter().map(|event| event.event_id.to_string()).collect();
    let told = TreatmentReportCorrected::decode(events[6].payload.clone()).unwrap();
    let stated = [2, 4, 5].map(|place: usize| ids[place].clone());
    assert_eq!(
        told.corrects, stated,
        "the first report and its corrections, not the second report"
    );
    assert_eq!((told.report_no, told.grade()), (1, HiddenDangerGrade::Major));
    assert_eq!(told.report, Some(right));
}

#[tokio::test]
async fn lists_of_dangers_are_paged_and_narrowed() {
    let world = World::new().await;
    let city = uscc(2);
    world.knows([Registered::Organisation(Registered::body(&city, Tier::City, "4101"))]).await;
    world.graded(&enterprise(), None).await;
    let major = world.graded(&enterprise(), Some("CHEM-06")).await;
    let mut client = world.dangers(&enterprise());
    let newest = client.withdraw_hidden_danger(withdrawing(&major)).await.unwrap().into_inner();
    let newest = newest.receipt.unwrap();
    let all = || ListHiddenDangersRequest {
        fresh_as: vec![newest.clone()],
        page: Some(PageRequest::default()),
        ..Default::default()
    };
    let subtree = |code: &str| ListHiddenDangersRequest { subtree: Some(code.to_owned()), ..all() };
    let of = |uscc: String| ListHiddenDangersRequest { enterprise: Some(uscc), ..all() };
    let grade = HiddenDangerGrade::Major.into();
    let state = HiddenDangerState::Open.into();
    for (by, request, count) in [
        (&city, all(), 2),
        (&city, subtree("410103"), 0),
        (&city, of(enterprise()), 2),
        (&city, of(uscc(6)), 0),
        (&city, ListHiddenDangersRequest { grade, ..all() }, 1),
        (&city, ListHiddenDangersRequest { state, ..all() }, 1),
        (&city, ListHiddenDangersRequest { overdue: true, ..all() }, 0),
        (&enterprise(), all(), 2),
        (&uscc(9), all(), 0),
    ] {
        let answer = world.dangers(by).list_hidden_dangers(request.clone()).await.unwrap();
        assert_eq!(answer.into_inner().hidden_dangers.len(), count, "{by}: {request:?}");
    }
}
