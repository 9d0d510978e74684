//! What the clock does to a hidden danger that is not rectified in time. The deadlines of these tests
//! lie in the past, and the periods after them as well.

use std::time::Duration;

use onenet_chassis::{
    clock::NodeClock,
    day::SystemClock,
    testing::{elsewhere::Registered, papers::ago, refusal, uscc},
};
use onenet_kernel::{Clock as _, Timestamp};
use onenet_proto::{
    common::v1::ObligationState,
    enterprise::v1::{
        Division, DivisionKind, DivisionLevel, Enterprise, Organisation, OrganisationFunction, Tier,
    },
    hazard::v1::{Finding, HiddenDangerState, RectificationOrder, rectification_order::Deadline},
};
use tonic::Code;

use crate::{
    steps::{finding, grading, order, ordering, reporting},
    support::{World, county, enterprise, plant},
};

fn organisation(serial: u32, tier: Tier, division: &str) -> Organisation {
    Registered::body(&uscc(serial), tier, division)
}

#[tokio::test]
async fn an_overdue_major_danger_goes_up_to_the_organ_of_the_same_function_each_period() {
    let world = World::with_clock().await;
    let mut of_industry = organisation(21, Tier::City, "4101");
    of_industry.functions = vec![OrganisationFunction::Industry.into()];
    let mut of_mines = organisation(20, Tier::Province, "41");
    of_mines.industries = vec!["06".to_owned()];
    let national = organisation(19, Tier::National, "41");
    let bodies = [
        of_industry,
        of_mines,
        national,
        organisation(22, Tier::City, "4101"),
        organisation(23, Tier::Province, "41"),
    ];
    world.knows(bodies.map(Registered::Organisation)).await;
    let id = world.ordered("2026-03-31").await;
    let view = world.until(&id, |view| view.escalation_level == 2).await;
    assert!(view.overdue && view.state() == HiddenDangerState::Open);
    assert_eq!(
        view.escalated_to,
        Some(uscc(23)),
        "the city's regulator first, then the province's"
    );
    assert_eq!(view.deadline.unwrap().state(), ObligationState::Passed);
    let escalation = view.escalation.unwrap();
    assert_eq!((escalation.state(), escalation.organ), (ObligationState::Passed, uscc(22)));
    assert_eq!(escalation.kind, "hazard.escalation");
    // 24:00 of 31 March, and two weeks
    assert_eq!(escalation.due_at.unwrap().to_string(), "2026-04-14T16:00:00Z");
}

/// 济源 (419001): its code lies below the placeholder 4190, its jurisdiction below the province.
#[tokio::test]
async fn a_division_of_the_province_escalates_to_the_province_and_never_to_a_placeholder() {
    let world = World::with_clock().await;
    let division = |code: &str, level: DivisionLevel, kind: DivisionKind| Division {
        code: code.to_owned(),
        name: format!("区划{code}"),
        level: level.into(),
        kind: kind.into(),
        parent: Some(if level == DivisionLevel::City { "41" } else { "4190" }.to_owned()),
        jurisdiction_parent: Some("41".to_owned()),
        ..Division::default()
    };
    let bureau = uscc(40);
    let works = Enterprise { division: "419001".to_owned(), ..plant(41) };
    world
        .knows([
            Registered::Division(division("4190", DivisionLevel::City, DivisionKind::Placeholder)),
            Registered::Division(division(
                "419001",
                DivisionLevel::County,
                DivisionKind::Statutory,
            )),
            Registered::Organisation(organisation(40, Tier::County, "419001")),
            // what somebody has registered in a placeholder is no authority
            Registered::Organisation(organisation(24, Tier::City, "4190")),
            Registered::Organisation(organisation(25, Tier::Province, "41")),
            Registered::Enterprise(works),
        ])
        .await;
    let mut client = world.dangers(&bureau);
    let mut request = reporting();
    request.enterprise = uscc(41);
    let id = client.report_hidden_danger(request).await.unwrap().into_inner().hidden_danger_id;
    client.grade_hidden_danger(grading(&id, Some("CHEM-06"))).await.unwrap();
    client.order_rectification(ordering(&id, order("2026-03-31"))).await.unwrap();
    let view = world.until_by(&bureau, &id, |view| view.escalation_level == 1).await;
    assert_eq!(view.escalated_to, Some(uscc(25)));
    assert_eq!(view.escalation.unwrap().state(), ObligationState::Passed, "nothing is above");
}

#[tokio::test]
async fn a_general_danger_is_overdue_and_stays_where_it_is() {
    let world = World::with_clock().await;
    let id = world.graded(&enterprise(), None).await;
    let request = ordering(&id, order("2026-03-31"));
    world.dangers(&county()).order_rectification(request).await.unwrap();
    let view = world.until(&id, |view| view.overdue).await;
    assert_eq!((view.escalation, view.escalated_to), (None, None));
}

/// The notices that come with the program, and one more year.
fn notices_to_2027() -> String {
    let built_in = include_str!("../../../../crates/standards/data/holidays.csv");
    format!(
        "{built_in}2027-01-01,holiday,元旦,-\n2027-02-08,holiday,春节,-\n\
             2027-02-09,holiday,春节,-\n2027-10-01,holiday,国庆节,-\n"
    )
}

#[tokio::test]
async fn a_holiday_notice_moves_a_deadline_that_was_counted_beyond_the_last_one() {
    let world = World::new().await;
    let id = world.graded(&enterprise(), None).await;
    let mut given = order("");
    given.deadline = Some(Deadline::WorkingDays(1_000));
    let mut client = world.dangers(&county());
    let answer = client.order_rectification(ordering(&id, given)).await.unwrap().into_inner();
    let view = world.danger(&id, &[answer.receipt.unwrap()]).await;
    let before = view.deadline.unwrap();
    assert!(before.calendar_version.starts_with("CN-2026-") && before.provisional);
    let fixed = world.ordered("2035-03-31").await;

    let _counting = world.counting_by(&notices_to_2027());
    let view = world.until(&id, |view| view.version == 4).await;
    let after = view.deadline.unwrap();
    assert_eq!(after.state(), ObligationState::Open);
    assert_eq!(after.id, before.id);
    assert!(after.calendar_version.starts_with("CN-2027-"), "{}", after.calendar_version);
    let [before, after] = [before.due_at, after.due_at].map(|due_at| due_at.unwrap().seconds);
    assert!(after >= before + 2 * 86_400, "two days off that were not foreseen: {before} {after}");
    let view = world.danger(&fixed, &[]).await;
    assert_eq!(view.version, 3, "a day that the order names is not counted");
}

/// Notices of 2026 to 2029, and one that makes another day a holiday.
const TO_2029: &str = "date,kind\n2026-01-01,holiday\n2029-01-01,holiday\n";
const CORRECTED: &str = "date,kind\n2026-01-01,holiday\n2029-01-01,holiday\n2029-10-01,holiday\n";

#[tokio::test]
async fn a_corrected_notice_moves_the_deadlines_whose_days_it_changes_and_no_other() {
    let world = World::new().await;
    let mut client = world.dangers(&county());
    let mut ids = Vec::new();
    for days in [998, 980, 900] {
        let id = world.graded(&enterprise(), None).await;
        let given = RectificationOrder { deadline: Some(Deadline::WorkingDays(days)), ..order("") };
        client.order_rectification(ordering(&id, given)).await.unwrap();
        ids.push(id);
    }
    let counting = world.counting_by(TO_2029);
    let mut dangers = Vec::new();
    for id in ids {
        let view = world.until(&id, |view| view.version == 4).await;
        dangers.push((id, view.deadline.unwrap()));
    }
    // the days end on 2 January 2030, beyond the notices; on 6 December and on 16 August 2029
    let provisional: Vec<bool> = dangers.iter().map(|(_, it)| it.provisional).collect();
    assert_eq!(provisional, [true, false, false]);

    // two that count otherwise do not move them to and fro: the next waits until this one lets go
    let _next = world.counting_by(CORRECTED);
    drop(counting);
    for (id, before) in &dangers[..2] {
        let after = world.until(id, |view| view.version == 5).await.deadline.unwrap();
        assert_eq!((after.state(), &after.id), (ObligationState::Open, &before.id));
        assert_eq!(after.provisional, before.provisional, "the notices reach as far as before");
        assert_ne!(after.calendar_version, before.calendar_version);
        let moved = [before, &after].map(|deadline| deadline.due_at.unwrap().seconds / 86_400);
        assert_eq!(moved[1] - moved[0], 1, "one day off more");
    }
    // the clock looks at deadlines in the order in which they come: this one was looked at first
    let (id, before) = &dangers[2];
    let view = world.danger(id, &[]).await;
    assert_eq!((view.version, view.deadline.as_ref()), (4, Some(before)));
}

/// What is taken for past would be, of an order, that the deadline of the one before has passed.
#[tokio::test]
async fn tomorrow_lies_in_the_future_of_a_process_whose_machine_is_days_ahead() {
    const DAYS: Duration = Duration::from_hours(72);
    let ahead = SystemClock.now().as_micros() + i64::try_from(DAYS.as_micros()).unwrap();
    let world = World::by(NodeClock::beginning(Timestamp::from_micros(ahead))).await;
    let mut client = world.dangers(&enterprise());
    let mut report = reporting();
    report.finding = Some(Finding { found_on: ago(-1), ..finding() });
    let refused = client.report_hidden_danger(report.clone()).await.unwrap_err();
    let (code, reason, field) = refusal(&refused);
    assert_eq!(
        (code, &*reason, &*field),
        (Code::InvalidArgument, "ERROR_REASON_DATE_IN_FUTURE", "finding.found_on")
    );
    report.finding = Some(Finding { found_on: ago(0), ..finding() });
    client.report_hidden_danger(report).await.unwrap();
}

/// Its certificates are good from 1975 to 4096.
#[tokio::test]
async fn a_process_starts_though_its_machine_takes_the_certificates_for_expired() {
    for begins in [0, 100_000_000_000_000_000] {
        let world = World::by(NodeClock::beginning(Timestamp::from_micros(begins))).await;
        world.dangers(&enterprise()).report_hidden_danger(reporting()).await.unwrap();
    }
}
