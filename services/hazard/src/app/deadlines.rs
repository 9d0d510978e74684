use onenet_chassis::{Refusal, ended, register::covers, timer_cause};
use onenet_eventstore::{DbError, HandleError, Timer};
use onenet_kernel::{
    Aggregate as _, EventStore as _, ExecuteError, StreamId, Timestamp, execute, look,
};
use onenet_proto::enterprise::v1::{DivisionKind, Organisation, OrganisationFunction, Tier};
use onenet_standards::Uscc;
use uuid::Uuid;

use super::{App, hidden_danger::danger_stream};
use crate::domain::{
    HiddenDanger, HiddenDangerCommand as Command, HiddenDangerRejection as Rejection,
    NextEscalation,
};

const MICROS_PER_DAY: i64 = 86_400_000_000;

impl App {
    /// Lets a danger look at the end of the time given.
    pub(crate) async fn pass_deadline(&self, timer: &Timer) -> Result<(), HandleError> {
        let danger = match self.afresh(&timer.stream).await {
            Ok(danger) => danger,
            Err(error) => return ended(Err(error)).map(drop),
        };
        let Some(organ) = danger.competent_organ() else { return Ok(()) };
        let next = self.next_above(organ, timer.due_at).await?;
        self.look_again(timer, &Command::PassDeadline { due_at: timer.due_at, next }).await
    }

    /// Lets a danger go one tier up.
    pub(crate) async fn escalate(&self, timer: &Timer) -> Result<(), HandleError> {
        let danger = match self.afresh(&timer.stream).await {
            Ok(danger) => danger,
            Err(error) => return ended(Err(error)).map(drop),
        };
        let Some(organ) = danger.competent_organ() else { return Ok(()) };
        let above = self.above(organ, &danger.key().industry).await?;
        // the register may still hear of one
        let none =
            || HandleError::NotYet(format!("no organ of its function is known above {organ}"));
        let to: Uscc = above.ok_or_else(none)?.uscc.parse().map_err(|error| {
            HandleError::Poison(format!("the register holds a body without a code: {error}"))
        })?;
        let due_at = timer.due_at;
        let next = self.next_above(&to, due_at).await?;
        self.look_again(timer, &Command::Escalate { due_at, to, next }).await
    }

    /// Lets a danger count the time given anew, with the calendar of this start.
    pub(crate) async fn recount(&self, timer: &Timer) -> Result<(), HandleError> {
        let danger = match self.afresh(&timer.stream).await {
            Ok(danger) => danger,
            Err(error) => return ended(Err(error)).map(drop),
        };
        let Some((served_on, days)) = danger.counted_days() else { return Ok(()) };
        let due = self.working_days(served_on, days).map_err(|error| {
            HandleError::NotYet(format!("the calendar cannot count the time anew: {error}"))
        })?;
        // a command of its own beside the one that the timer stands for
        let name = format!("{} {}", timer.name, due.calendar_version);
        let timer = Timer { name, ..timer.clone() };
        let command = Command::RescheduleDeadline { due_at: timer.due_at, due };
        // nearly every look ends here and leaves no command behind
        if danger.decide(&command).is_ok_and(|events| events.is_empty()) {
            return Ok(());
        }
        self.look_again(&timer, &command).await
    }

    /// What this process kept from its last command may lack what another has added since.
    async fn afresh(&self, stream: &StreamId) -> Result<HiddenDanger, ExecuteError<Rejection>> {
        self.log.forget(stream);
        let (danger, _) = look::<HiddenDanger>(&self.log, stream).await?;
        Ok(danger)
    }

    async fn look_again(&self, timer: &Timer, command: &Command) -> Result<(), HandleError> {
        let cause = timer_cause(self.door.operator(), timer, "");
        let stream = &timer.stream;
        let outcome = execute::<HiddenDanger>(&self.log, stream, None, command, &cause).await;
        ended(outcome).map(drop)
    }

    /// When a danger would escalate from the organ it is with, a period after `from`.
    pub(super) async fn next_escalation(
        &self,
        id: Uuid,
        from: Timestamp,
    ) -> Result<Option<NextEscalation>, Refusal> {
        let (danger, _) = look::<HiddenDanger>(&self.log, &danger_stream(id)).await?;
        match danger.competent_organ() {
            Some(organ) => Ok(self.next_above(organ, from).await?),
            None => Ok(None),
        }
    }

    async fn next_above(
        &self,
        organ: &Uscc,
        from: Timestamp,
    ) -> Result<Option<NextEscalation>, DbError> {
        let days = self.rules.escalation_days;
        let above = self.divisions_above(organ).await?;
        // an organ that the register has lost is no reason to let the danger rest
        let is_top = above.is_some_and(|(_, divisions)| divisions.is_empty());
        Ok((!is_top).then(|| NextEscalation {
            due_at: Timestamp::from_micros(from.as_micros() + i64::from(days) * MICROS_PER_DAY),
            legal_basis: format!(
                "豫发〔2017〕31号第三十条（重大隐患挂牌督办）；逾期升级周期按本节点配置为{days}日"
            ),
        }))
    }

    /// The organ of the same function one tier up, by jurisdiction; where a tier has none, the next.
    async fn above(&self, organ: &Uscc, industry: &str) -> Result<Option<Organisation>, DbError> {
        let Some((body, divisions)) = self.divisions_above(organ).await? else { return Ok(None) };
        let functions = functions_above(&body);
        for division in divisions {
            let bodies = self.door.register().bodies(&division, &functions).await?;
            let is_one = |it: &Organisation| it.tier() != Tier::National && covers(it, industry);
            if let Some(found) = bodies.into_iter().find(is_one) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The divisions whose organs stand above an organ, nearest first, without placeholders.
    async fn divisions_above(
        &self,
        organ: &Uscc,
    ) -> Result<Option<(Organisation, Vec<String>)>, DbError> {
        let register = self.door.register();
        let Some(body) = register.organisation(organ.as_str()).await? else { return Ok(None) };
        let mut above = Vec::new();
        for code in register.chain(&body.division).await?.into_iter().skip(1) {
            let division = register.division(&code).await?;
            if division.is_some_and(|it| it.kind() != DivisionKind::Placeholder) {
                above.push(code);
            }
        }
        Ok(Some((body, above)))
    }
}

/// 派出机关 act for the comprehensive regulator, and have no tier of their own above them.
fn functions_above(body: &Organisation) -> Vec<OrganisationFunction> {
    let function = |function| match function {
        OrganisationFunction::Dispatched => OrganisationFunction::Comprehensive,
        other => other,
    };
    body.functions().map(function).collect()
}
