use std::time::Duration;

use onenet_chassis::testing::{papers::ago, uscc};
use onenet_proto::{
    common::v1::Receipt,
    hazard::v1::{
        CorrectHiddenDangerRequest, CorrectTreatmentReportRequest, Finding,
        GradeHiddenDangerRequest, HiddenDangerCause, HiddenDangerGrade, HiddenDangerKind,
        HiddenDangerSource, OrderRectificationRequest, RectificationOrder,
        ReportHiddenDangerRequest, ReportTreatmentRequest, TreatmentReport,
        WithdrawHiddenDangerRequest, rectification_order::Deadline,
    },
};

use crate::{asker::Asker, load::registration, officer::key};

/// Between two steps of one inspector, at most.
const PAUSE: Duration = Duration::from_millis(200);

/// An inspector of the county who reports hidden dangers of one plant, corrects and withdraws what was reported, and
/// orders what is overdue already; with the plant, which reports on the treatment and corrects what it said.
pub(crate) struct Inspector {
    asker: Asker,
    plant: Asker,
    site: Site,
    organ: Receipt,
}

/// A plant, and where it is.
pub(crate) struct Site {
    /// Of its USCC.
    pub(crate) serial: u32,
    pub(crate) division: &'static str,
    pub(crate) industry: &'static str,
}

impl Inspector {
    /// The plant asks for itself; the organ is the inspector's.
    pub(crate) fn new(asker: Asker, plant: Asker, site: Site, organ: Receipt) -> Self {
        Self { asker, plant, site, organ }
    }

    /// One danger after the other, until it is told to stop.
    pub(crate) async fn run(mut self) {
        let Site { serial, division, industry } = self.site;
        let register = registration(serial, division, industry, "开发区");
        let Some(party) = self.asker.insist(register).await else { return };
        loop {
            self.pursue(&party).await;
            self.asker.send_again().await;
            self.plant.send_again().await;
            if self.asker.pause_at_most(PAUSE).await.is_none() {
                return;
            }
        }
    }

    /// One danger; what was given up is left as it stands.
    async fn pursue(&mut self, registered: &Receipt) -> Option<()> {
        let report = ReportHiddenDangerRequest {
            fresh_as: vec![self.organ.clone(), registered.clone()],
            enterprise: uscc(self.site.serial),
            finding: Some(finding(0)),
            ..ReportHiddenDangerRequest::default()
        };
        let id = key(&self.asker.ask(report).await?);
        for nth in 1..=self.asker.chance.u32(..3) {
            let correct = CorrectHiddenDangerRequest {
                hidden_danger_id: id.clone(),
                finding: Some(finding(nth)),
                reason: "位号有误".to_owned(),
                ..CorrectHiddenDangerRequest::default()
            };
            self.asker.ask(correct).await?;
        }
        match self.asker.chance.u8(..6) {
            0 => self.withdraw(id).await?,
            1 => {
                self.grade(&id).await?;
                self.order(id).await?;
            }
            2..4 => {
                self.grade(&id).await?;
                self.treat(&id).await?;
                if self.asker.chance.bool() {
                    self.withdraw(id).await?;
                }
            }
            _ => {}
        }
        Some(())
    }

    async fn withdraw(&mut self, hidden_danger_id: String) -> Option<()> {
        let reason = "误报".to_owned();
        let ask = WithdrawHiddenDangerRequest { hidden_danger_id, reason, ..Default::default() };
        self.asker.ask(ask).await.map(drop)
    }

    async fn grade(&mut self, hidden_danger_id: &str) -> Option<()> {
        let grade = GradeHiddenDangerRequest {
            hidden_danger_id: hidden_danger_id.to_owned(),
            grade: HiddenDangerGrade::General.into(),
            graded_on: ago(30),
            ..GradeHiddenDangerRequest::default()
        };
        self.asker.ask(grade).await.map(drop)
    }

    /// To be rectified by a day that has passed: the clock says so at once, and enforcement has a clue.
    async fn order(&mut self, hidden_danger_id: String) -> Option<()> {
        let order = RectificationOrder {
            document_number: "（中原）应急责改〔2026〕7号".to_owned(),
            served_on: ago(29),
            requirements: "增设注水措施".to_owned(),
            legal_basis: "安全生产法第一百零二条".to_owned(),
            deadline: Some(Deadline::DueOn(ago(1))),
        };
        let order = Some(order);
        let ask = OrderRectificationRequest { hidden_danger_id, order, ..Default::default() };
        self.asker.ask(ask).await.map(drop)
    }

    /// One report on the treatment or two, and corrections of any of them.
    async fn treat(&mut self, hidden_danger_id: &str) -> Option<()> {
        let reports = self.plant.chance.u32(1..=2);
        for nth in 1..=reports {
            let ask = ReportTreatmentRequest {
                hidden_danger_id: hidden_danger_id.to_owned(),
                report: Some(treatment(nth, 0)),
                ..ReportTreatmentRequest::default()
            };
            self.plant.ask(ask).await?;
        }
        for correction in 1..=self.plant.chance.u32(..4) {
            let report_no = self.plant.chance.u32(1..=reports);
            let correct = CorrectTreatmentReportRequest {
                hidden_danger_id: hidden_danger_id.to_owned(),
                report_no,
                report: Some(treatment(report_no, correction)),
                reason: "进度有误".to_owned(),
                ..CorrectTreatmentReportRequest::default()
            };
            self.plant.ask(correct).await?;
        }
        Some(())
    }
}

fn finding(nth: u32) -> Finding {
    Finding {
        description: "液化烃储罐未设注水措施".to_owned(),
        location: format!("储罐区T-{nth}"),
        source: HiddenDangerSource::Professional.into(),
        kind: HiddenDangerKind::Process.into(),
        cause: HiddenDangerCause::Things.into(),
        found_on: ago(31),
    }
}

/// No two of one danger are the same.
fn treatment(nth: u32, correction: u32) -> TreatmentReport {
    TreatmentReport {
        reported_on: ago(20),
        summary: format!("第{nth}次报告，更正{correction}次"),
        ..TreatmentReport::default()
    }
}
