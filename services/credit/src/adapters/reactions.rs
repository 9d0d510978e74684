//! An event of another context becomes one of our commands.

use onenet_chassis::stored::message;
use onenet_eventstore::{HandleError, Handler, sqlx::PgConnection};
use onenet_kernel::{Corrupt, Recorded};
use onenet_proto::enforcement::v1::PenaltyTookEffect;

use crate::{
    adapters::wire::penalty::JudgedPenalty,
    app::{App, JUDGE},
};

/// Judges each penalty that takes effect by the listing rules of that day.
pub(crate) struct Judge(pub(crate) App);

impl Handler for Judge {
    fn name(&self) -> &'static str {
        JUDGE
    }

    async fn handle(&self, _: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        match event.event_type.strip_prefix("onenet.enforcement.v1.") {
            Some("PenaltyTookEffect") => {
                let judged =
                    message::<PenaltyTookEffect, JudgedPenalty>(&event.event_type, &event.payload)?;
                self.0.judge(event, judged.subject, judged.penalty).await
            }
            // without effect, there is nothing to judge
            Some("CaseOpened" | "PenaltyDecided" | "ClueRecorded") => Ok(()),
            _ => Err(Corrupt::unknown_type(&event.event_type).into()),
        }
    }
}
