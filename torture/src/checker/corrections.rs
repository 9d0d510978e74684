//! What corrections and withdrawals name: whoever was sent any of it is told, so nothing may be missing.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::Finding;
use crate::{Context, Event, Seen, rights::Correction};

/// The statements about a danger, which alone can be corrected: the report on it, and those on its treatment.
pub(super) const REPORTED: &str = "onenet.hazard.v1.HiddenDangerReported";
pub(super) const TREATMENT_REPORTED: &str = "onenet.hazard.v1.TreatmentReported";

/// What was said about one danger so far.
#[derive(Default)]
struct Said {
    events: Vec<Uuid>,
    /// The report, then those on the treatment; each with every correction of it.
    statements: Vec<Vec<Uuid>>,
}

/// A correction names the statement that it corrects and every correction of it before, a withdrawal all that was
/// recorded of the danger.
pub(super) fn corrections(seen: &Seen) -> Vec<Finding> {
    let (mut found, mut dangers) = (Vec::new(), BTreeMap::<&str, Said>::new());
    for event in seen.log(Context::Hazard) {
        let said = dangers.entry(&event.place.stream).or_default();
        let correction = seen.feed.corrections.get(&event.id);
        if correction.is_some_and(|correction| said.of(correction) != Some(&correction.corrects)) {
            found.push(Finding::Misdirected { event: event.id });
        }
        said.take(event, correction);
    }
    found
}

impl Said {
    fn of(&self, correction: &Correction) -> Option<&Vec<Uuid>> {
        match correction.statement {
            Some(number) => self.statements.get(usize::try_from(number).ok()?),
            None => Some(&self.events),
        }
    }

    fn take(&mut self, event: &Event, correction: Option<&Correction>) {
        self.events.push(event.id);
        if [REPORTED, TREATMENT_REPORTED].contains(&&*event.event_type) {
            self.statements.push(vec![event.id]);
        }
        let number = correction.and_then(|correction| correction.statement);
        let number = number.and_then(|number| usize::try_from(number).ok());
        if let Some(statement) = number.and_then(|number| self.statements.get_mut(number)) {
            statement.push(event.id);
        }
    }
}
