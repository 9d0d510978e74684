mod acceptance;
mod clock;
mod corrections;
mod treatment;

use jiff::civil::{Date, date};
use onenet_kernel::{Timestamp, testing::given};

use super::*;
use crate::domain::{
    CongressReceipt, Criterion, DepartmentReceipt, Due, FindingCause, FindingKind, FindingSource,
    Grade, NextEscalation, ObligationState, OverdueDanger, RecheckOutcome, Severity,
    ThirdPartyAcceptance,
};

const ID: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
const FOUND_ON: Date = date(2026, 3, 2);
const DAY: i64 = 86_400_000_000;

fn enterprise() -> Uscc {
    Uscc::from_body("91410100MA1B3N1N2").unwrap()
}

fn county() -> Uscc {
    Uscc::from_body("11410102MB1234561").unwrap()
}

fn city() -> Uscc {
    Uscc::from_body("11410100MB1234561").unwrap()
}

fn institution() -> Uscc {
    Uscc::from_body("91410100MA1B3N1N3").unwrap()
}

fn finding() -> Finding {
    Finding {
        description: "液化烃储罐未设注水措施".to_owned(),
        location: "储罐区T-101".to_owned(),
        source: FindingSource::Professional,
        kind: FindingKind::Process,
        cause: FindingCause::Things,
        found_on: FOUND_ON,
    }
}

fn report(by: Uscc) -> Command {
    Command::ReportHiddenDanger {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        division: "410102".to_owned(),
        industry: "2614".to_owned(),
        finding: finding(),
        reported_by: by,
    }
}

fn reported(by: Uscc) -> Event {
    Event::HiddenDangerReported {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        division: "410102".to_owned(),
        industry: "2614".to_owned(),
        finding: finding(),
        reported_by: by,
    }
}

fn major() -> Grade {
    Grade::Major(Criterion {
        code: Some("CHEM-06".to_owned()),
        standard: "化工和危险化学品生产经营单位重大生产安全事故隐患判定标准（试行）".to_owned(),
        item: "全压力式液化烃储罐未按国家标准设置注水措施。".to_owned(),
    })
}

fn grading(grade: Grade, by: Uscc) -> Grading {
    Grading { grade, graded_on: date(2026, 3, 3), graded_by: by }
}

fn grade(grading: Grading) -> Command {
    Command::GradeHiddenDanger { grading, next: None }
}

fn graded(grading: Grading) -> Event {
    Event::HiddenDangerGraded {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        grading,
        escalation: None,
    }
}

/// An order of the county, served on 4 March, for twenty working days.
fn order() -> RectificationOrder {
    RectificationOrder {
        document_number: "（郑中）应急责改〔2026〕7号".to_owned(),
        served_on: date(2026, 3, 4),
        time: TimeGiven::WorkingDays(20),
        requirements: "增设注水措施".to_owned(),
        legal_basis: "安全生产法第一百零二条".to_owned(),
    }
}

/// The end of 2 April 2026 in Beijing.
/// Long before the deadline.
const SERVED_AT: Timestamp = Timestamp::from_micros(1_772_553_600_000_000);

fn due() -> Due {
    let at = Timestamp::from_micros(1_775_145_600_000_000);
    Due { at, calendar_version: "CN-2026".to_owned(), provisional: false }
}

fn deadline(state: ObligationState) -> Obligation {
    let order = order();
    Obligation::rectification(ID, 1, &county(), &order.legal_basis, &due()).after(state)
}

fn days_after_due(days: i64) -> Timestamp {
    Timestamp::from_micros(due().at.as_micros() + days * DAY)
}

fn next_after(days: i64) -> NextEscalation {
    let legal_basis = "豫发〔2017〕31号第三十条".to_owned();
    NextEscalation { due_at: days_after_due(days), legal_basis }
}

fn ordered() -> Event {
    Event::RectificationOrdered {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        organ: county(),
        order: order(),
        rectification: deadline(ObligationState::Open),
        replaced: None,
        escalation: None,
    }
}

fn treatment() -> TreatmentReport {
    let received_on = date(2026, 3, 11);
    TreatmentReport {
        reported_on: date(2026, 3, 10),
        summary: "已停用储罐，注水管线施工中".to_owned(),
        department: Some(DepartmentReceipt {
            department: county(),
            receipt_number: "收〔2026〕18号".to_owned(),
            received_on,
        }),
        congress: Some(CongressReceipt {
            congress: "公司职工代表大会".to_owned(),
            record_number: "职代会记录3号".to_owned(),
            received_on,
        }),
    }
}

fn treatment_reported(grade: Severity) -> Event {
    Event::TreatmentReported {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        grade,
        report: treatment(),
    }
}

fn rectification() -> Rectification {
    Rectification { rectified_on: date(2026, 3, 30), measures: "注水措施已投用".to_owned() }
}

/// In time: three days before the end of 2 April.
fn rectify() -> Command {
    Command::RectifyHiddenDanger {
        rectification: rectification(),
        rectified_at: days_after_due(-4),
    }
}

fn rectified(deadline: Option<Obligation>) -> Event {
    Event::HiddenDangerRectified {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        rectification: rectification(),
        deadline,
        escalation: None,
    }
}

fn acceptance() -> Acceptance {
    Acceptance {
        accepted_on: date(2026, 4, 8),
        opinion: "验收合格".to_owned(),
        third_party: Some(ThirdPartyAcceptance {
            institution: institution(),
            report_number: "评〔2026〕5号".to_owned(),
            concluded_on: date(2026, 4, 7),
        }),
    }
}

fn without_third_party() -> Acceptance {
    Acceptance { third_party: None, ..acceptance() }
}

fn accept(by: Uscc, acceptance: Acceptance) -> Command {
    let third_party_basis = Some("豫发〔2017〕31号第十八条".to_owned());
    Command::AcceptRectification { by, acceptance, third_party_basis }
}

fn accepted(by: Uscc, grade: Severity, acceptance: Acceptance) -> Event {
    Event::RectificationAccepted {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        grade,
        accepted_by: by,
        acceptance,
    }
}

fn looked(outcome: RecheckOutcome) -> Recheck {
    Recheck { rechecked_on: date(2026, 4, 20), outcome, findings: "现场复查".to_owned() }
}

fn recheck(by: Uscc, outcome: RecheckOutcome, next: Option<NextEscalation>) -> Command {
    Command::RecheckHiddenDanger { by, recheck: looked(outcome), next }
}

fn overdue_danger(grade: Grade) -> Box<OverdueDanger> {
    Box::new(OverdueDanger {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        division: "410102".to_owned(),
        industry: "2614".to_owned(),
        grade,
        finding: finding(),
        document_number: order().document_number,
        ordered_by: county(),
    })
}

/// A general danger that the enterprise found, without any department.
fn own_general() -> Vec<Event> {
    vec![reported(enterprise()), graded(grading(Grade::General, enterprise()))]
}

/// A major danger under the county's order, its treatment reported.
fn ordered_major() -> Vec<Event> {
    let grading = grading(major(), county());
    let treated = treatment_reported(Severity::Major);
    vec![reported(enterprise()), graded(grading), ordered(), treated]
}

fn with(mut history: Vec<Event>, more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    history.extend(more);
    history
}

fn refuses(history: Vec<Event>, command: &Command, rejection: &Rejection) {
    given::<HiddenDanger>(history).when(command).then_rejected(rejection);
}

fn not_authorised(rule: &'static str) -> Rejection {
    Rejection::NotAuthorised { rule }
}

fn withdrawn() -> Event {
    Event::HiddenDangerWithdrawn {
        hidden_danger_id: ID,
        enterprise: enterprise(),
        corrects: vec![Uuid::from_u128(1)],
        reason: "误报".to_owned(),
        withdrawn_by: enterprise(),
        deadline: None,
        escalation: None,
    }
}
