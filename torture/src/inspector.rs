use std::time::Duration;

use onenet_chassis::testing::{papers::ago, uscc};
use onenet_proto::{
    common::v1::Receipt,
    hazard::v1::{
        CorrectHiddenDangerRequest, Finding, GradeHiddenDangerRequest, HiddenDangerCause,
        HiddenDangerGrade, HiddenDangerKind, HiddenDangerSource, OrderRectificationRequest,
        RectificationOrder, ReportHiddenDangerRequest, WithdrawHiddenDangerRequest,
        rectification_order::Deadline,
    },
};

use crate::{asker::Asker, load::Plants, officer::key};

/// Hidden dangers that are reported of one enterprise.
const DANGERS: u32 = 20;
/// Between two steps of one inspector, at most.
const PAUSE: Duration = Duration::from_millis(200);

/// An inspector of the county who reports hidden dangers, corrects and withdraws what was reported, and orders
/// what is overdue already.
pub(crate) struct Inspector {
    asker: Asker,
    plants: Plants,
    organ: Receipt,
}

impl Inspector {
    pub(crate) fn new(number: u32, asker: Asker, organ: Receipt) -> Self {
        Self { asker, plants: Plants::of(number), organ }
    }

    /// One enterprise after the other, until it is told to stop.
    pub(crate) async fn run(mut self) {
        while !self.asker.stop.is_cancelled() {
            let (serial, registered) = self.plants.register(&mut self.asker).await;
            let Some(party) = registered else { continue };
            for _ in 0..DANGERS {
                self.pursue(&uscc(serial), &party).await;
                self.asker.send_again().await;
                if self.asker.pause_at_most(PAUSE).await.is_none() {
                    return;
                }
            }
        }
    }

    /// One danger; what was given up is left as it stands.
    async fn pursue(&mut self, enterprise: &str, registered: &Receipt) -> Option<()> {
        let report = ReportHiddenDangerRequest {
            fresh_as: vec![self.organ.clone(), registered.clone()],
            enterprise: enterprise.to_owned(),
            finding: Some(finding(0)),
            ..ReportHiddenDangerRequest::default()
        };
        let hidden_danger_id = key(&self.asker.ask(report).await?);
        for nth in 1..=self.asker.chance.u32(..3) {
            let correct = CorrectHiddenDangerRequest {
                hidden_danger_id: hidden_danger_id.clone(),
                finding: Some(finding(nth)),
                reason: "位号有误".to_owned(),
                ..CorrectHiddenDangerRequest::default()
            };
            self.asker.ask(correct).await?;
        }
        match self.asker.chance.u8(..4) {
            0 => {
                let reason = "误报".to_owned();
                let withdraw =
                    WithdrawHiddenDangerRequest { hidden_danger_id, reason, ..Default::default() };
                self.asker.ask(withdraw).await?;
            }
            1 => self.order(hidden_danger_id).await?,
            _ => {}
        }
        Some(())
    }

    /// To be rectified by a day that has passed: the clock says so at once, and enforcement has a clue.
    async fn order(&mut self, hidden_danger_id: String) -> Option<()> {
        let grade = GradeHiddenDangerRequest {
            hidden_danger_id: hidden_danger_id.clone(),
            grade: HiddenDangerGrade::General.into(),
            graded_on: ago(30),
            ..GradeHiddenDangerRequest::default()
        };
        self.asker.ask(grade).await?;
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
