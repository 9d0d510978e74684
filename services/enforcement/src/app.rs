//! One method per use case: check, authorise, decide. Queries stand beside the commands.

mod clue;

use std::sync::Arc;

use jiff::civil::Date;
use onenet_chassis::{Call, Door, Host, Matter, Refusal, StartError, Write, day};
use onenet_eventstore::PgLog;
use onenet_kernel::{Aggregate as _, Receipt, StreamId, look};
use onenet_proto::{
    common::v1::ErrorReason,
    enforcement::v1::EnforcementErrorReason as Reason,
    enterprise::v1::{Enterprise, EnterpriseKind},
};
use onenet_standards::{Uscc, Violations};
use uuid::Uuid;

pub(crate) use self::clue::{RECORD_CLUES, unknown_clue};
use crate::domain::{Case, CaseCommand, CaseRejection, Party, PartyKind, Penalty};

/// The use cases of enforcement.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) door: Door,
    pub(crate) log: PgLog,
    pub(crate) violations: Arc<Violations>,
}

impl App {
    pub(crate) fn try_new(host: &Host) -> Result<Self, StartError> {
        let violations = Arc::new(Violations::embedded()?);
        Ok(Self { door: host.door.clone(), log: host.log.clone(), violations })
    }

    pub(crate) async fn open_case(
        &self,
        call: &Write,
        party: Uscc,
        filed_on: Date,
        cause: String,
    ) -> Result<Receipt, Refusal> {
        let enterprise = self.door.register().registered(party.as_str()).await?;
        let party = as_party(party, enterprise.ok_or_else(|| unknown_enterprise(call))?)?;
        let matter = self.matter(&party).await?;
        self.door.authorise(call, &matter, filed_on)?;
        let case_id = call.new_key(Case::CATEGORY);
        let organ = call.uscc().clone();
        let command = CaseCommand::OpenCase { case_id, organ, party, filed_on, cause };
        let happened = day::start(filed_on);
        call.execute::<Case>(&self.log, &stream(case_id), &command, happened, "").await
    }

    pub(crate) async fn decide_penalty(
        &self,
        call: &Write,
        case_id: Uuid,
        penalty: Penalty,
    ) -> Result<Receipt, Refusal> {
        let decided_on = penalty.decided_on;
        self.authorise(call, case_id, decided_on).await?;
        let command = CaseCommand::DecidePenalty { organ: call.uscc().clone(), penalty };
        let happened = day::start(decided_on);
        call.execute::<Case>(&self.log, &stream(case_id), &command, happened, "").await
    }

    pub(crate) async fn serve_penalty(
        &self,
        call: &Write,
        case_id: Uuid,
        served_on: Date,
    ) -> Result<Receipt, Refusal> {
        self.authorise(call, case_id, call.today).await?;
        let command = CaseCommand::ServePenalty { organ: call.uscc().clone(), served_on };
        let happened = day::start(served_on);
        call.execute::<Case>(&self.log, &stream(case_id), &command, happened, "").await
    }

    /// Whether the caller may do this to the case; answers its party.
    pub(crate) async fn authorise(
        &self,
        call: &Call,
        case_id: Uuid,
        on: Date,
    ) -> Result<Uscc, Refusal> {
        let (case, _) = look::<Case>(&self.log, &stream(case_id)).await?;
        let (organ, party) = case.between().ok_or_else(|| unknown_case(call))?;
        let matter = Matter { organ: Some(organ.as_str()), ..self.matter(party).await? };
        self.door.authorise(call, &matter, on)?;
        Ok(party.uscc.clone())
    }

    async fn matter<'a>(&self, party: &'a Party) -> Result<Matter<'a>, Refusal> {
        let matter = self.door.matter(&party.division, &party.industry).await?;
        Ok(Matter { subject: Some(party.uscc.as_str()), ..matter })
    }
}

fn stream(case_id: Uuid) -> StreamId {
    StreamId::new(Case::CATEGORY, &case_id.to_string())
}

/// An enterprise as a party, as the register has it now.
fn as_party(uscc: Uscc, enterprise: Enterprise) -> Result<Party, Refusal> {
    let kind = match enterprise.kind() {
        EnterpriseKind::Unit => PartyKind::Unit,
        EnterpriseKind::Institution => PartyKind::Institution,
        EnterpriseKind::Unspecified => {
            return Err(Refusal::internal(format!("{uscc} is registered without a kind")));
        }
    };
    let Enterprise { name, division, industry, .. } = enterprise;
    Ok(Party { uscc, name, kind, division, industry })
}

/// Who may not open a case anyway is not told which enterprises there are.
fn unknown_enterprise(call: &Call) -> Refusal {
    if call.caller.office.is_none() {
        return Refusal::not_authorised("organs-with-enforcement-power-open-and-decide");
    }
    Refusal::new(Reason::EnterpriseUnknown, "no registered enterprise has this code")
}

/// Who may not know that a case exists is not told that it does not.
pub(crate) fn unknown_case(call: &Call) -> Refusal {
    if call.caller.office.is_none() {
        return Refusal::not_authorised("parties-read-their-own-cases");
    }
    CaseRejection::CaseUnknown.into()
}

impl From<CaseRejection> for Refusal {
    fn from(rejection: CaseRejection) -> Self {
        match rejection {
            CaseRejection::CaseUnknown => Self::new(Reason::CaseUnknown, rejection),
            CaseRejection::NotAuthorised { rule } => Self::not_authorised(rule),
            CaseRejection::PenaltyAlreadyDecided => {
                Self::new(Reason::PenaltyAlreadyDecided, rejection)
            }
            CaseRejection::PenaltyNotDecided => Self::new(Reason::PenaltyNotDecided, rejection),
            CaseRejection::PenaltyAlreadyServed => {
                Self::new(Reason::PenaltyAlreadyServed, rejection)
            }
            CaseRejection::DateTooEarly { earliest } => {
                Self::new(ErrorReason::DateTooEarly, rejection).with("earliest", earliest)
            }
        }
    }
}
