//! Examples of what happens to hidden dangers, and of the clues they lead to.

use onenet_proto::{
    common::v1::{Obligation, ObligationState},
    enforcement::v1 as enforcement,
    hazard::v1::{
        Acceptance, CongressReceipt, Criterion, DepartmentReceipt, Finding, Grading,
        HiddenDangerCause, HiddenDangerCorrected, HiddenDangerEscalated, HiddenDangerGrade,
        HiddenDangerGraded, HiddenDangerKind, HiddenDangerOverdue, HiddenDangerRechecked,
        HiddenDangerRectified, HiddenDangerReopened, HiddenDangerReported, HiddenDangerSource,
        HiddenDangerWithdrawn, OverdueDanger, Recheck, RecheckOutcome, Rectification,
        RectificationAccepted, RectificationOrder, RectificationOrdered, RectificationRescheduled,
        ThirdPartyAcceptance, TreatmentReport, TreatmentReportCorrected, TreatmentReported,
        rectification_order::Deadline,
    },
};

use crate::examples::{CASE, ORGAN, OTHER, PLANT, example, obligation, text};

fn finding() -> Finding {
    Finding {
        description: text("液化烃储罐未设注水措施"),
        location: text("储罐区T-101"),
        source: HiddenDangerSource::Professional.into(),
        kind: HiddenDangerKind::Process.into(),
        cause: HiddenDangerCause::Things.into(),
        found_on: text("2026-03-02"),
    }
}

fn criterion() -> Criterion {
    Criterion {
        code: Some(text("CHEM-06")),
        standard: text("化工和危险化学品生产经营单位重大生产安全事故隐患判定标准（试行）"),
        item: text("全压力式液化烃储罐未按国家标准设置注水措施。"),
    }
}

fn treatment() -> TreatmentReport {
    TreatmentReport {
        reported_on: text("2026-03-10"),
        summary: text("注水管线施工中"),
        department: Some(DepartmentReceipt {
            department: text(ORGAN),
            receipt_number: text("收〔2026〕18号"),
            received_on: text("2026-03-11"),
        }),
        congress: Some(CongressReceipt {
            congress: text("公司职工代表大会"),
            record_number: text("职代会记录3号"),
            received_on: text("2026-03-12"),
        }),
    }
}

fn rectification(state: ObligationState) -> Obligation {
    obligation("hazard.rectification", state)
}

fn escalation(state: ObligationState) -> Obligation {
    obligation("hazard.escalation", state)
}

fn danger() -> OverdueDanger {
    OverdueDanger {
        hidden_danger_id: text(CASE),
        enterprise: text(PLANT),
        division: text("410102"),
        industry: text("2614"),
        grade: HiddenDangerGrade::Major.into(),
        criterion: Some(criterion()),
        finding: Some(finding()),
        document_number: text("应急责改〔2026〕7号"),
        ordered_by: text(ORGAN),
    }
}

fn recheck(outcome: RecheckOutcome) -> Recheck {
    let (rechecked_on, findings) = (text("2026-04-20"), text("现场复查"));
    Recheck { rechecked_on, outcome: outcome.into(), findings }
}

/// Full names, and bytes.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    [found_and_treated(), rectified(), overdue(), undone(), clues()].concat()
}

fn found_and_treated() -> Vec<(&'static str, Vec<u8>)> {
    let (id, enterprise) = (|| text(CASE), || text(PLANT));
    let reported = HiddenDangerReported {
        hidden_danger_id: id(),
        enterprise: enterprise(),
        division: text("410102"),
        industry: text("2614"),
        finding: Some(finding()),
        reported_by: text(ORGAN),
    };
    let graded = HiddenDangerGraded {
        hidden_danger_id: id(),
        enterprise: enterprise(),
        grading: Some(Grading {
            grade: HiddenDangerGrade::Major.into(),
            criterion: Some(criterion()),
            graded_on: text("2026-03-03"),
            graded_by: text(ORGAN),
        }),
        escalation: Some(escalation(ObligationState::Open)),
    };
    let ordered = RectificationOrdered {
        hidden_danger_id: id(),
        enterprise: enterprise(),
        organ: text(ORGAN),
        order: Some(RectificationOrder {
            document_number: text("应急责改〔2026〕7号"),
            served_on: text("2026-03-04"),
            requirements: text("增设注水措施"),
            legal_basis: text("安全生产法第一百零二条"),
            deadline: Some(Deadline::WorkingDays(20)),
        }),
        rectification: Some(rectification(ObligationState::Open)),
        replaced: Some(rectification(ObligationState::Met)),
        escalation: Some(escalation(ObligationState::Met)),
    };
    let treated = TreatmentReported {
        hidden_danger_id: id(),
        enterprise: enterprise(),
        grade: HiddenDangerGrade::Major.into(),
        report: Some(treatment()),
    };
    vec![
        example("onenet.hazard.v1.HiddenDangerReported", &reported),
        example("onenet.hazard.v1.HiddenDangerGraded", &graded),
        example("onenet.hazard.v1.RectificationOrdered", &ordered),
        example("onenet.hazard.v1.TreatmentReported", &treated),
    ]
}

fn rectified() -> Vec<(&'static str, Vec<u8>)> {
    let (id, enterprise) = (|| text(CASE), || text(PLANT));
    let rectified = HiddenDangerRectified {
        hidden_danger_id: id(),
        enterprise: enterprise(),
        rectification: Some(Rectification {
            rectified_on: text("2026-03-30"),
            measures: text("注水措施已投用"),
        }),
        deadline: Some(rectification(ObligationState::Met)),
        escalation: Some(escalation(ObligationState::Met)),
    };
    let accepted = RectificationAccepted {
        hidden_danger_id: id(),
        enterprise: enterprise(),
        grade: HiddenDangerGrade::Major.into(),
        accepted_by: text(ORGAN),
        acceptance: Some(Acceptance {
            accepted_on: text("2026-04-08"),
            opinion: text("验收合格"),
            third_party: Some(ThirdPartyAcceptance {
                institution: text(ORGAN),
                report_number: text("评〔2026〕5号"),
                concluded_on: text("2026-04-07"),
            }),
        }),
    };
    let rechecked = HiddenDangerRechecked {
        hidden_danger_id: id(),
        enterprise: enterprise(),
        rechecked_by: text(ORGAN),
        recheck: Some(recheck(RecheckOutcome::Passed)),
    };
    let reopened = HiddenDangerReopened {
        hidden_danger_id: id(),
        enterprise: enterprise(),
        rechecked_by: text(ORGAN),
        recheck: Some(recheck(RecheckOutcome::Failed)),
        deadline: Some(rectification(ObligationState::Open)),
        escalation: Some(escalation(ObligationState::Open)),
    };
    vec![
        example("onenet.hazard.v1.HiddenDangerRectified", &rectified),
        example("onenet.hazard.v1.RectificationAccepted", &accepted),
        example("onenet.hazard.v1.HiddenDangerRechecked", &rechecked),
        example("onenet.hazard.v1.HiddenDangerReopened", &reopened),
    ]
}

fn overdue() -> Vec<(&'static str, Vec<u8>)> {
    let overdue = HiddenDangerOverdue {
        danger: Some(danger()),
        organ: text(ORGAN),
        rectification: Some(rectification(ObligationState::Passed)),
        escalation: Some(escalation(ObligationState::Open)),
    };
    let escalated = HiddenDangerEscalated {
        danger: Some(danger()),
        organ: text(ORGAN),
        from_organ: text(ORGAN),
        level: 1,
        rectification: Some(rectification(ObligationState::Passed)),
        escalation: Some(escalation(ObligationState::Passed)),
        next: Some(escalation(ObligationState::Open)),
    };
    let rescheduled = RectificationRescheduled {
        hidden_danger_id: text(CASE),
        enterprise: text(PLANT),
        rectification: Some(rectification(ObligationState::Open)),
        previous_due_at: Some(prost_types::Timestamp { seconds: 1_789_913_600, nanos: 0 }),
    };
    vec![
        example("onenet.hazard.v1.HiddenDangerOverdue", &overdue),
        example("onenet.hazard.v1.HiddenDangerEscalated", &escalated),
        example("onenet.hazard.v1.RectificationRescheduled", &rescheduled),
    ]
}

fn undone() -> Vec<(&'static str, Vec<u8>)> {
    let corrected = HiddenDangerCorrected {
        hidden_danger_id: text(CASE),
        enterprise: text(PLANT),
        corrects: vec![text(OTHER)],
        finding: Some(finding()),
        reason: text("位号有误"),
        corrected_by: text(ORGAN),
    };
    let treatment_corrected = TreatmentReportCorrected {
        hidden_danger_id: text(CASE),
        enterprise: text(PLANT),
        corrects: vec![text(OTHER)],
        report_no: 1,
        grade: HiddenDangerGrade::Major.into(),
        report: Some(treatment()),
        reason: text("签收编号有误"),
    };
    let withdrawn = HiddenDangerWithdrawn {
        hidden_danger_id: text(CASE),
        enterprise: text(PLANT),
        corrects: vec![text(OTHER), text(CASE)],
        reason: text("误报"),
        withdrawn_by: text(ORGAN),
        deadline: Some(rectification(ObligationState::Met)),
        escalation: Some(escalation(ObligationState::Met)),
    };
    vec![
        example("onenet.hazard.v1.HiddenDangerCorrected", &corrected),
        example("onenet.hazard.v1.TreatmentReportCorrected", &treatment_corrected),
        example("onenet.hazard.v1.HiddenDangerWithdrawn", &withdrawn),
    ]
}

fn clues() -> Vec<(&'static str, Vec<u8>)> {
    let clue = enforcement::Clue {
        clue_id: text(CASE),
        event_id: text(OTHER),
        organ: text(ORGAN),
        hidden_danger_id: text(OTHER),
        enterprise: text(PLANT),
        division: text("410102"),
        industry: text("2614"),
        description: text("液化烃储罐未设注水措施"),
        major: true,
        criterion: Some(text("CHEM-06")),
        ordered_by: text(ORGAN),
        document_number: text("应急责改〔2026〕7号"),
        due_at: Some(prost_types::Timestamp { seconds: 1_775_145_600, nanos: 0 }),
        escalation_level: 1,
        legal_basis: text("安全生产法第一百零二条"),
        addressing: None,
    };
    let addressing = enforcement::ClueAddressing {
        danger_organ: text(ORGAN),
        ground: enforcement::ClueAddressingGround::DivisionAbove.into(),
    };
    let addressed = enforcement::Clue { addressing: Some(addressing), ..clue.clone() };
    let recorded = |clue| enforcement::ClueRecorded { clue: Some(clue) };
    vec![
        example("onenet.enforcement.v1.ClueRecorded", &recorded(clue)),
        example("onenet.enforcement.v1.ClueRecorded@2", &recorded(addressed)),
    ]
}
