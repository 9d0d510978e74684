use jiff::civil::Date;
use onenet_chassis::{Call, Matter, Refusal, day, ended, reaction_cause, register::may_punish};
use onenet_eventstore::HandleError;
use onenet_kernel::{Aggregate as _, Key, Recorded, StreamId, execute, look};
use onenet_proto::{
    enforcement::v1::EnforcementErrorReason as Reason,
    enterprise::v1::{DivisionKind, Organisation, OrganisationFunction, Tier},
};
use onenet_standards::Uscc;
use uuid::Uuid;

use super::App;
use crate::domain::{
    Addressing, AddressingGround as Ground, Clue, ClueCommand, ClueRejection, OverdueDanger,
};

/// The reaction's name: its commands are known by it for ever.
pub(crate) const RECORD_CLUES: &str = "clues";

impl App {
    /// Records what `event` of hazard says, for an organ that may punish it. Once recorded it stays with
    /// that organ: another look at the event changes nothing.
    pub(crate) async fn record_clue(
        &self,
        event: &Recorded,
        mut danger: OverdueDanger,
    ) -> Result<(), HandleError> {
        let on = day::of(event.recorded_at);
        let (organ, ground) = self.competent(&danger.organ, &danger.industry, on).await?;
        let danger_organ = std::mem::replace(&mut danger.organ, organ);
        danger.addressing = Some(Addressing { danger_organ, ground });
        let cause = reaction_cause(self.door.operator(), RECORD_CLUES, event, "");
        let stream = clue_stream(danger.clue_id);
        let command = ClueCommand::RecordClue { danger: Box::new(danger) };
        ended(execute::<Clue>(&self.log, &stream, None, &command, &cause).await).map(drop)
    }

    /// Who may punish what was left undone: the organ that the danger is with, else the comprehensive
    /// regulator of its division, else the sector's, else the same of the nearest division above. Where
    /// the register knows none, it stays where it is: no clue is dropped.
    async fn competent(
        &self,
        with: &Uscc,
        industry: &str,
        on: Date,
    ) -> Result<(Uscc, Ground), HandleError> {
        let register = self.door.register();
        let not_yet = || HandleError::NotYet(format!("the register has not told where {with} is"));
        let body = register.organisation(with.as_str()).await?.ok_or_else(not_yet)?;
        let division = register.division(&body.division).await?.ok_or_else(not_yet)?;
        // what somebody has registered in a placeholder is no authority
        let is_authority = division.kind() != DivisionKind::Placeholder;
        if is_authority && has_power(&body, industry, on)? {
            return Ok((with.clone(), Ground::OwnPower));
        }
        for code in register.chain(&body.division).await? {
            let ground =
                if code == body.division { Ground::SameDivision } else { Ground::DivisionAbove };
            for function in [OrganisationFunction::Comprehensive, OrganisationFunction::Industry] {
                for other in register.bodies(&code, &[function]).await? {
                    // a national body acts in the province, and is not above its organs
                    if other.tier() != Tier::National && has_power(&other, industry, on)? {
                        return Ok((read_code(&other)?, ground));
                    }
                }
            }
        }
        Ok((with.clone(), Ground::NoPowerKnown))
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

fn has_power(body: &Organisation, industry: &str, on: Date) -> Result<bool, HandleError> {
    may_punish(body, industry, on).map_err(|error| {
        HandleError::Poison(format!("the register holds a power that cannot be read: {error}"))
    })
}

fn read_code(body: &Organisation) -> Result<Uscc, HandleError> {
    body.uscc.parse().map_err(|error| {
        HandleError::Poison(format!("the register holds a body without a code: {error}"))
    })
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
