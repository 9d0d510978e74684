use onenet_chassis::{Refusal, Write};
use onenet_kernel::{EventStore as _, Receipt, StreamId, Version, WireEvent as _};
use onenet_proto::common::v1::ErrorReason;
use uuid::Uuid;

use super::{App, hidden_danger::danger_stream};
use crate::domain::{
    Finding, HiddenDanger, HiddenDangerCommand as Command, HiddenDangerEvent as Event,
    HiddenDangerRejection as Rejection,
};

/// Attempts to list what a correction corrects while others write.
const ATTEMPTS: u32 = 4;

impl App {
    pub(crate) async fn correct_danger(
        &self,
        call: &Write,
        id: Uuid,
        finding: &Finding,
        reason: &str,
    ) -> Result<Receipt, Refusal> {
        let command = |corrects| Command::CorrectHiddenDanger {
            by: call.uscc().clone(),
            corrects,
            finding: finding.clone(),
            reason: reason.to_owned(),
        };
        self.undo(call, id, Event::is_statement, command).await
    }

    pub(crate) async fn withdraw_danger(
        &self,
        call: &Write,
        id: Uuid,
        reason: &str,
    ) -> Result<Receipt, Refusal> {
        let command = |corrects| Command::WithdrawHiddenDanger {
            by: call.uscc().clone(),
            corrects,
            reason: reason.to_owned(),
        };
        self.undo(call, id, |_| true, command).await
    }

    /// A correction names the events it corrects, which only the log knows: where others write
    /// meanwhile, it looks again.
    async fn undo(
        &self,
        call: &Write,
        id: Uuid,
        is_meant: impl Fn(&Event) -> bool,
        command: impl Fn(Vec<Uuid>) -> Command,
    ) -> Result<Receipt, Refusal> {
        self.authorise_danger(call, id).await?;
        let stream = danger_stream(id);
        for _ in 1..ATTEMPTS {
            let outcome = self.undo_once(call, &stream, &is_meant, &command).await;
            let has_moved =
                outcome.as_ref().is_err_and(|refusal| refusal.reason() == moved_on().reason());
            if !has_moved {
                return outcome;
            }
        }
        self.undo_once(call, &stream, &is_meant, &command).await
    }

    async fn undo_once(
        &self,
        call: &Write,
        stream: &StreamId,
        is_meant: &impl Fn(&Event) -> bool,
        command: &impl Fn(Vec<Uuid>) -> Command,
    ) -> Result<Receipt, Refusal> {
        let mut corrects = Vec::new();
        for recorded in self.log.load(stream, Version::NONE).await? {
            if is_meant(&Event::decode(&recorded.event_type, &recorded.payload)?) {
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
