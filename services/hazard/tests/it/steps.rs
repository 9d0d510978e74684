//! The steps of a hidden danger as requests.

use std::time::Duration;

use onenet_chassis::testing::uscc;
use onenet_proto::{
    common::v1::Receipt,
    hazard::v1::{
        AcceptRectificationRequest, Acceptance, Citation, CongressReceipt,
        CorrectHiddenDangerRequest, CorrectTreatmentReportRequest, DepartmentReceipt, Finding,
        GetHiddenDangerRequest, GradeHiddenDangerRequest, HiddenDangerCause, HiddenDangerGrade,
        HiddenDangerKind, HiddenDangerSource, HiddenDangerView, OrderRectificationRequest, Recheck,
        RecheckHiddenDangerRequest, RecheckOutcome, Rectification, RectificationOrder,
        RectifyHiddenDangerRequest, ReportHiddenDangerRequest, ReportTreatmentRequest,
        ThirdPartyAcceptance, TreatmentReport, WithdrawHiddenDangerRequest, citation::By,
        hidden_danger_service_client::HiddenDangerServiceClient, rectification_order::Deadline,
    },
};
use tonic::{Status, transport::Channel};

use crate::support::{INSTITUTION, World, county, enterprise, new_id};

/// A registered institution (安全评价、检测检验机构).
pub(crate) fn institution() -> String {
    uscc(INSTITUTION)
}

pub(crate) fn finding() -> Finding {
    Finding {
        description: "液化烃储罐未设注水措施".to_owned(),
        location: "储罐区T-101".to_owned(),
        source: HiddenDangerSource::Professional.into(),
        kind: HiddenDangerKind::Process.into(),
        cause: HiddenDangerCause::Things.into(),
        found_on: "2026-03-02".to_owned(),
    }
}

pub(crate) fn reporting() -> ReportHiddenDangerRequest {
    ReportHiddenDangerRequest {
        command_id: new_id(),
        enterprise: enterprise(),
        finding: Some(finding()),
        ..Default::default()
    }
}

pub(crate) fn citing(by: By) -> Citation {
    Citation { by: Some(by) }
}

pub(crate) fn grading(id: &str, criterion: Option<&str>) -> GradeHiddenDangerRequest {
    let grade = match criterion {
        Some(_) => HiddenDangerGrade::Major,
        None => HiddenDangerGrade::General,
    };
    GradeHiddenDangerRequest {
        command_id: new_id(),
        hidden_danger_id: id.to_owned(),
        grade: grade.into(),
        citation: criterion.map(|code| citing(By::Criterion(code.to_owned()))),
        graded_on: "2026-03-03".to_owned(),
        ..Default::default()
    }
}

pub(crate) fn order(due_on: &str) -> RectificationOrder {
    RectificationOrder {
        document_number: "（郑中）应急责改〔2026〕7号".to_owned(),
        served_on: "2026-03-04".to_owned(),
        requirements: "增设注水措施".to_owned(),
        legal_basis: "安全生产法第一百零二条".to_owned(),
        deadline: Some(Deadline::DueOn(due_on.to_owned())),
    }
}

pub(crate) fn ordering(id: &str, order: RectificationOrder) -> OrderRectificationRequest {
    OrderRectificationRequest {
        command_id: new_id(),
        hidden_danger_id: id.to_owned(),
        order: Some(order),
        ..Default::default()
    }
}

pub(crate) fn treatment(reported_on: &str) -> TreatmentReport {
    TreatmentReport {
        reported_on: reported_on.to_owned(),
        summary: "已停用储罐，注水管线施工中".to_owned(),
        department: Some(DepartmentReceipt {
            department: county(),
            receipt_number: "收〔2026〕18号".to_owned(),
            received_on: reported_on.to_owned(),
        }),
        congress: Some(CongressReceipt {
            congress: "公司职工代表大会".to_owned(),
            record_number: "职代会记录3号".to_owned(),
            received_on: reported_on.to_owned(),
        }),
    }
}

pub(crate) fn treating(id: &str, report: TreatmentReport) -> ReportTreatmentRequest {
    ReportTreatmentRequest {
        command_id: new_id(),
        hidden_danger_id: id.to_owned(),
        report: Some(report),
        ..Default::default()
    }
}

pub(crate) fn rectifying(id: &str, rectified_on: &str) -> RectifyHiddenDangerRequest {
    RectifyHiddenDangerRequest {
        command_id: new_id(),
        hidden_danger_id: id.to_owned(),
        rectification: Some(Rectification {
            rectified_on: rectified_on.to_owned(),
            measures: "注水措施已投用".to_owned(),
        }),
        ..Default::default()
    }
}

pub(crate) fn third_party() -> ThirdPartyAcceptance {
    ThirdPartyAcceptance {
        institution: institution(),
        report_number: "评〔2026〕5号".to_owned(),
        concluded_on: "2026-04-07".to_owned(),
    }
}

pub(crate) fn accepting(
    id: &str,
    third_party: Option<ThirdPartyAcceptance>,
) -> AcceptRectificationRequest {
    AcceptRectificationRequest {
        command_id: new_id(),
        hidden_danger_id: id.to_owned(),
        acceptance: Some(Acceptance {
            accepted_on: "2026-04-08".to_owned(),
            opinion: "验收合格".to_owned(),
            third_party,
        }),
        ..Default::default()
    }
}

pub(crate) fn rechecking(id: &str, outcome: RecheckOutcome) -> RecheckHiddenDangerRequest {
    RecheckHiddenDangerRequest {
        command_id: new_id(),
        hidden_danger_id: id.to_owned(),
        recheck: Some(Recheck {
            rechecked_on: "2026-04-20".to_owned(),
            outcome: outcome.into(),
            findings: "现场复查".to_owned(),
        }),
        ..Default::default()
    }
}

pub(crate) fn correcting(id: &str, finding: Finding) -> CorrectHiddenDangerRequest {
    CorrectHiddenDangerRequest {
        command_id: new_id(),
        hidden_danger_id: id.to_owned(),
        finding: Some(finding),
        reason: "位号有误".to_owned(),
        ..Default::default()
    }
}

/// Of the first report.
pub(crate) fn correcting_treatment(
    id: &str,
    report: TreatmentReport,
) -> CorrectTreatmentReportRequest {
    CorrectTreatmentReportRequest {
        command_id: new_id(),
        hidden_danger_id: id.to_owned(),
        report_no: 1,
        report: Some(report),
        reason: "签收编号有误".to_owned(),
        ..Default::default()
    }
}

pub(crate) fn withdrawing(id: &str) -> WithdrawHiddenDangerRequest {
    WithdrawHiddenDangerRequest {
        command_id: new_id(),
        hidden_danger_id: id.to_owned(),
        reason: "误报".to_owned(),
        ..Default::default()
    }
}

impl World {
    pub(crate) fn dangers(&self, uscc: &str) -> HiddenDangerServiceClient<Channel> {
        HiddenDangerServiceClient::new(self.connect(uscc))
    }

    /// A danger that somebody reports and grades.
    pub(crate) async fn graded(&self, by: &str, criterion: Option<&str>) -> String {
        let mut client = self.dangers(by);
        let id = client.report_hidden_danger(reporting()).await.unwrap().into_inner();
        let id = id.hidden_danger_id;
        client.grade_hidden_danger(grading(&id, criterion)).await.unwrap();
        id
    }

    /// A major danger of the plant's own finding under the county's order.
    pub(crate) async fn ordered(&self, due_on: &str) -> String {
        let id = self.graded(&enterprise(), Some("CHEM-06")).await;
        let request = ordering(&id, order(due_on));
        self.dangers(&county()).order_rectification(request).await.unwrap();
        id
    }

    pub(crate) async fn report_treatment(&self, id: &str, on: &str) -> Result<Receipt, Status> {
        let request = treating(id, treatment(on));
        let answer = self.dangers(&enterprise()).report_treatment(request).await?;
        Ok(answer.into_inner().receipt.unwrap())
    }

    pub(crate) async fn rectify(&self, id: &str, on: &str) -> Result<Receipt, Status> {
        let request = rectifying(id, on);
        let answer = self.dangers(&enterprise()).rectify_hidden_danger(request).await?;
        Ok(answer.into_inner().receipt.unwrap())
    }

    pub(crate) async fn danger(&self, id: &str, fresh_as: &[Receipt]) -> HiddenDangerView {
        let (fresh_as, hidden_danger_id) = (fresh_as.to_vec(), id.to_owned());
        let request = GetHiddenDangerRequest { fresh_as, hidden_danger_id };
        let answer = self.dangers(&enterprise()).get_hidden_danger(request).await;
        let answer = answer.unwrap().into_inner();
        assert!(!answer.incomplete);
        answer.hidden_danger.unwrap()
    }

    /// Waits for what the clock does.
    pub(crate) async fn until(
        &self,
        id: &str,
        has_come: impl Fn(&HiddenDangerView) -> bool,
    ) -> HiddenDangerView {
        self.until_by(&enterprise(), id, has_come).await
    }

    /// The same, as somebody else sees it.
    pub(crate) async fn until_by(
        &self,
        by: &str,
        id: &str,
        has_come: impl Fn(&HiddenDangerView) -> bool,
    ) -> HiddenDangerView {
        let mut client = self.dangers(by);
        for _ in 0..3_000 {
            let hidden_danger_id = id.to_owned();
            let request = GetHiddenDangerRequest { fresh_as: vec![], hidden_danger_id };
            // the read model may not have come to it yet
            if let Ok(answer) = client.get_hidden_danger(request).await {
                let view = answer.into_inner().hidden_danger.unwrap();
                if has_come(&view) {
                    return view;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        unreachable!("it did not come: {:?}", self.danger(id, &[]).await);
    }
}
