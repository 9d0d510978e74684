use onenet_chassis::{ended, reaction_cause, timer_cause};
use onenet_eventstore::{HandleError, Timer};
use onenet_kernel::{Aggregate as _, Corrupt, EventStore as _, Recorded, execute, look};
use onenet_standards::listing;
use uuid::Uuid;

use super::{App, stream};
use crate::domain::{
    DishonestSubject, DishonestSubjectCommand as Command, Judgement, PenaltyFacts, Subject,
};

/// The reaction's name: its commands are known by it for ever.
pub(crate) const JUDGE: &str = "judge";

impl App {
    /// Judges a penalty that took effect, as `event` of enforcement says.
    pub(crate) async fn judge(
        &self,
        event: &Recorded,
        subject: Subject,
        penalty: PenaltyFacts,
    ) -> Result<(), HandleError> {
        let industry = self.industries.find(&subject.industry).ok_or_else(|| {
            let reason = format!("{} is no code of GB/T 4754-2017", subject.industry);
            Corrupt::new(&event.event_type, reason)
        })?;
        let judgement = self.rules.judge(&listing::PenaltyFacts {
            subject: subject.kind,
            industry: &industry,
            effective_on: penalty.effective_on,
            violations: &penalty.violations,
            fine_multiple: penalty.fine_multiple.as_ref(),
        });
        let rule_set = match &judgement {
            Judgement::Opens { rule_set, .. } => rule_set.clone(),
            Judgement::NotOpened { rule_set, .. } => rule_set.clone().unwrap_or_default(),
        };
        let cause = reaction_cause(self.door.operator(), JUDGE, event, &rule_set);
        let stream = stream(&subject.uscc);
        let command = Command::JudgePenalty { subject, penalty, judgement };
        let outcome = execute::<DishonestSubject>(&self.log, &stream, None, &command, &cause).await;
        ended(outcome).map(drop)
    }

    /// Lets the subject count a statement period anew, with the calendar of this start.
    pub(crate) async fn recount(
        &self,
        timer: &Timer,
        credit_case_id: Uuid,
    ) -> Result<(), HandleError> {
        // what this process kept from its last command may lack the notice, or an end that has moved
        self.log.forget(&timer.stream);
        let known = match look::<DishonestSubject>(&self.log, &timer.stream).await {
            Ok((known, _)) => known,
            Err(error) => return ended(Err(error)).map(drop),
        };
        let Some(served_on) = known.counted_from(credit_case_id) else { return Ok(()) };
        let period = self.counted(served_on).map_err(|error| {
            HandleError::NotYet(format!("the calendar cannot count the period anew: {error}"))
        })?;
        // a command of its own beside the one that the timer stands for
        let name = format!("{} {}", timer.name, period.calendar_version);
        let timer = Timer { name, ..timer.clone() };
        let due_at = timer.due_at;
        let command = Command::RescheduleStatementPeriod { credit_case_id, due_at, period };
        // nearly every look ends here and leaves no command behind
        if known.decide(&command).is_ok_and(|events| events.is_empty()) {
            return Ok(());
        }
        self.look_again(&timer, credit_case_id, &command).await
    }

    /// Lets the subject look again at a deadline of one of its cases.
    pub(crate) async fn look_again(
        &self,
        timer: &Timer,
        credit_case_id: Uuid,
        command: &Command,
    ) -> Result<(), HandleError> {
        let has_case = |it: &DishonestSubject| it.rule_set_of(credit_case_id).is_some();
        let known = match self.known(&timer.stream, has_case).await {
            Ok(known) => known,
            Err(error) => return ended(Err(error)).map(drop),
        };
        let rule_set = known.rule_set_of(credit_case_id).unwrap_or_default();
        let cause = timer_cause(self.door.operator(), timer, rule_set);
        let stream = &timer.stream;
        let outcome = execute::<DishonestSubject>(&self.log, stream, None, command, &cause).await;
        ended(outcome).map(drop)
    }
}
