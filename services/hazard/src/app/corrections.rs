use onenet_chassis::{Refusal, Write};
use onenet_kernel::{EventStore as _, Receipt, StreamId, Version, WireEvent as _};
use onenet_proto::common::v1::ErrorReason;
use uuid::Uuid;

use super::{App, hidden_danger::danger_stream};
use crate::domain::{
    Finding, HiddenDanger, HiddenDangerCommand as Command, HiddenDangerEvent as Event,
    HiddenDangerRejection as Rejection, TreatmentReport,
};

/// Attempts to list what a correction corrects while others write.
const ATTEMPTS: u32 = 4;

/// What was wrong.
#[derive(Clone, Copy)]
enum Wrong {
    /// What was reported of the danger.
    Finding,
    /// The report on its treatment with this number.
    Treatment(u32),
    /// All of it: there is no danger.
    Everything,
}

impl Wrong {
    /// Whether an event states what was wrong, where `reports` were made on the treatment up to it.
    fn is_stated_by(self, event: &Event, reports: u32) -> bool {
        match (self, event) {
            (Self::Finding, event) => event.is_statement(),
            (Self::Treatment(number), Event::TreatmentReported { .. }) => number == reports,
            (Self::Treatment(number), Event::TreatmentReportCorrected { report_no, .. }) => {
                number == *report_no
            }
            (Self::Treatment(_), _) => false,
            (Self::Everything, _) => true,
        }
    }
}

impl App {
    pub(crate) async fn correct_danger(
        &self,
        call: &Write,
        id: Uuid,
        finding: &Finding,
        reason: &str,
    ) -> Result<Receipt, Refusal> {
        self.authorise_danger(call, id).await?;
        let command = |corrects| Command::CorrectHiddenDanger {
            by: call.uscc().clone(),
            corrects,
            finding: finding.clone(),
            reason: reason.to_owned(),
        };
        self.undo(call, id, Wrong::Finding, command).await
    }

    pub(crate) async fn correct_treatment(
        &self,
        call: &Write,
        id: Uuid,
        report_no: u32,
        report: &TreatmentReport,
        reason: &str,
    ) -> Result<Receipt, Refusal> {
        let key = self.authorise_danger(call, id).await?;
        self.check_department(&key, report).await?;
        let command = |corrects| Command::CorrectTreatmentReport {
            report_no,
            corrects,
            report: report.clone(),
            reason: reason.to_owned(),
        };
        self.undo(call, id, Wrong::Treatment(report_no), command).await
    }

    pub(crate) async fn withdraw_danger(
        &self,
        call: &Write,
        id: Uuid,
        reason: &str,
    ) -> Result<Receipt, Refusal> {
        self.authorise_danger(call, id).await?;
        let command = |corrects| Command::WithdrawHiddenDanger {
            by: call.uscc().clone(),
            corrects,
            reason: reason.to_owned(),
        };
        self.undo(call, id, Wrong::Everything, command).await
    }

    /// A correction names the events it corrects, which only the log knows: where others write
    /// meanwhile, it looks again.
    async fn undo(
        &self,
        call: &Write,
        id: Uuid,
        wrong: Wrong,
        command: impl Fn(Vec<Uuid>) -> Command,
    ) -> Result<Receipt, Refusal> {
        let stream = danger_stream(id);
        for _ in 1..ATTEMPTS {
            let outcome = self.undo_once(call, &stream, wrong, &command).await;
            let has_moved =
                outcome.as_ref().is_err_and(|refusal| refusal.reason() == moved_on().reason());
            if !has_moved {
                return outcome;
            }
        }
        self.undo_once(call, &stream, wrong, &command).await
    }

    async fn undo_once(
        &self,
        call: &Write,
        stream: &StreamId,
        wrong: Wrong,
        command: &impl Fn(Vec<Uuid>) -> Command,
    ) -> Result<Receipt, Refusal> {
        let (mut corrects, mut reports) = (Vec::new(), 0);
        for recorded in self.log.load(stream, Version::NONE).await? {
            let event = Event::decode(&recorded.event_type, &recorded.payload)?;
            reports += u32::from(matches!(event, Event::TreatmentReported { .. }));
            if wrong.is_stated_by(&event, reports) {
                corrects.push(recorded.event_id);
            }
        }
        let command = command(corrects);
        call.execute::<HiddenDanger>(&self.log, stream, &command, call.now, "").await
    }
}

pub(super) fn moved_on() -> Refusal {
    Refusal::new(ErrorReason::Contended, Rejection::MovedOn)
}
