use onenet_chassis::{Call, Matter, Refusal, ended, reaction_cause};
use onenet_eventstore::HandleError;
use onenet_kernel::{Aggregate as _, Key, Recorded, StreamId, execute, look};
use onenet_proto::enforcement::v1::EnforcementErrorReason as Reason;
use uuid::Uuid;

use super::App;
use crate::domain::{Clue, ClueCommand, ClueRejection, OverdueDanger};

/// The reaction's name: its commands are known by it for ever.
pub(crate) const RECORD_CLUES: &str = "clues";

impl App {
    /// Records what `event` of hazard says.
    pub(crate) async fn record_clue(
        &self,
        event: &Recorded,
        danger: OverdueDanger,
    ) -> Result<(), HandleError> {
        let cause = reaction_cause(self.door.operator(), RECORD_CLUES, event, "");
        let stream = clue_stream(danger.clue_id);
        let command = ClueCommand::RecordClue { danger: Box::new(danger) };
        ended(execute::<Clue>(&self.log, &stream, None, &command, &cause).await).map(drop)
    }

    /// Whether the caller may read the clue; answers whose it is.
    pub(crate) async fn authorise_clue(&self, call: &Call, id: Uuid) -> Result<String, Refusal> {
        let (clue, _) = look::<Clue>(&self.log, &clue_stream(id)).await?;
        let Key { subject, division, industry } = clue.key();
        if subject.is_empty() {
            return Err(unknown_clue(call));
        }
        let matter = self.door.matter(&division, &industry).await?;
        let matter = Matter { subject: Some(&subject), ..matter };
        self.door.authorise(call, &matter, call.today)?;
        Ok(subject)
    }
}

fn clue_stream(id: Uuid) -> StreamId {
    StreamId::new(Clue::CATEGORY, &id.to_string())
}

/// Who may not know that a clue exists is not told that it does not.
pub(crate) fn unknown_clue(call: &Call) -> Refusal {
    if call.caller.office.is_none() {
        return Refusal::not_authorised("bodies-read-clues-of-their-area");
    }
    Refusal::new(Reason::ClueUnknown, "no clue has this id")
}

impl From<ClueRejection> for Refusal {
    fn from(rejection: ClueRejection) -> Self {
        match rejection {}
    }
}
