//! An event of another context becomes one of our commands.

use onenet_chassis::{register::payload, stored::Malformed};
use onenet_eventstore::{HandleError, Handler, sqlx::PgConnection};
use onenet_kernel::{Corrupt, Recorded};

use crate::{
    adapters::wire::overdue,
    app::{App, RECORD_CLUES},
    domain::OverdueDanger,
};

/// Records a clue for an organ that may punish what an enterprise left undone. It punishes nobody.
pub(crate) struct RecordClues(pub(crate) App);

impl Handler for RecordClues {
    fn name(&self) -> &'static str {
        RECORD_CLUES
    }

    async fn handle(&self, _: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        let read = |danger: Result<OverdueDanger, Malformed>| {
            danger.map_err(|error| Corrupt::new(&event.event_type, error))
        };
        let danger = match event.event_type.strip_prefix("onenet.hazard.v1.") {
            Some("HiddenDangerOverdue") => read(overdue::overdue(event.event_id, payload(event)?))?,
            Some("HiddenDangerEscalated") => {
                read(overdue::escalated(event.event_id, payload(event)?))?
            }
            // nothing was left undone beyond a deadline
            Some(
                "MajorHazardIdentified"
                | "MajorHazardFiled"
                | "HiddenDangerReported"
                | "HiddenDangerGraded"
                | "RectificationOrdered"
                | "TreatmentReported"
                | "HiddenDangerRectified"
                | "RectificationAccepted"
                | "HiddenDangerRechecked"
                | "HiddenDangerReopened"
                | "RectificationRescheduled"
                | "HiddenDangerCorrected"
                | "TreatmentReportCorrected"
                | "HiddenDangerWithdrawn",
            ) => return Ok(()),
            _ => return Err(Corrupt::unknown_type(&event.event_type).into()),
        };
        self.0.record_clue(event, danger).await
    }
}
