//! One method per use case: check, authorise, decide. Queries stand beside the commands.

use std::sync::Arc;

use onenet_chassis::{Call, Door, Host, Matter, Refusal, StartError, Write};
use onenet_eventstore::PgLog;
use onenet_kernel::{Aggregate, Receipt, StreamId, look};
use onenet_proto::enterprise::v1::{
    DivisionKind as WireKind, EnterpriseErrorReason as Reason, Tier as WireTier,
};
use onenet_standards::{Industries, Uscc};

use crate::domain::{
    Division, DivisionEntry, DivisionKind, DivisionRejection, Enterprise, EnterpriseCommand,
    EnterpriseEntry, EnterpriseRejection, Organisation, OrganisationEntry, OrganisationRejection,
    RegisterDivision, RegisterOrganisation,
};

/// The use cases of the register.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) door: Door,
    pub(crate) log: PgLog,
    pub(crate) industries: Arc<Industries>,
}

impl App {
    pub(crate) fn try_new(host: &Host) -> Result<Self, StartError> {
        let industries = Arc::new(Industries::embedded()?);
        Ok(Self { door: host.door.clone(), log: host.log.clone(), industries })
    }

    pub(crate) async fn register_division(
        &self,
        call: &Write,
        division: Division,
    ) -> Result<Receipt, Refusal> {
        self.door.authorise(call, &Matter::default(), call.today)?;
        for above in [&division.parent, &division.jurisdiction_parent].into_iter().flatten() {
            let known = self.known_division(above).await?;
            let is_authority = division.jurisdiction_parent.as_ref() == Some(above);
            if is_authority && known.kind == DivisionKind::Placeholder {
                return Err(placeholder(above));
            }
        }
        let stream = stream::<DivisionEntry>(&division.code);
        let command = RegisterDivision(division);
        call.execute::<DivisionEntry>(&self.log, &stream, &command, call.now, "").await
    }

    pub(crate) async fn register_organisation(
        &self,
        call: &Write,
        organisation: Organisation,
    ) -> Result<Receipt, Refusal> {
        self.door.authorise(call, &Matter::default(), call.today)?;
        self.inhabited_division(&organisation.division).await?;
        let stream = stream::<OrganisationEntry>(organisation.uscc.as_str());
        let command = RegisterOrganisation(organisation);
        call.execute::<OrganisationEntry>(&self.log, &stream, &command, call.now, "").await
    }

    /// By a township's body it is a proposal; by any other it is the registration.
    pub(crate) async fn register_enterprise(
        &self,
        call: &Write,
        enterprise: Enterprise,
    ) -> Result<Receipt, Refusal> {
        self.inhabited_division(&enterprise.division).await?;
        let matter = self.matter(&enterprise).await?;
        self.door.authorise(call, &matter, call.today)?;
        let stream = stream::<EnterpriseEntry>(enterprise.uscc.as_str());
        let by = call.uscc().clone();
        let tier =
            call.caller.office.as_ref().map(onenet_proto::enterprise::v1::Organisation::tier);
        let command = if tier == Some(WireTier::Township) {
            EnterpriseCommand::Propose { enterprise, by }
        } else {
            EnterpriseCommand::Register { enterprise, by }
        };
        call.execute::<EnterpriseEntry>(&self.log, &stream, &command, call.now, "").await
    }

    pub(crate) async fn confirm_enterprise(
        &self,
        call: &Write,
        uscc: &Uscc,
    ) -> Result<Receipt, Refusal> {
        let command = EnterpriseCommand::Confirm { by: call.uscc().clone() };
        self.change_enterprise(call, uscc, &command).await
    }

    pub(crate) async fn designate_key_enterprise(
        &self,
        call: &Write,
        uscc: &Uscc,
        basis: String,
    ) -> Result<Receipt, Refusal> {
        let command = EnterpriseCommand::DesignateKey { by: call.uscc().clone(), basis };
        self.change_enterprise(call, uscc, &command).await
    }

    async fn change_enterprise(
        &self,
        call: &Write,
        uscc: &Uscc,
        command: &EnterpriseCommand,
    ) -> Result<Receipt, Refusal> {
        let stream = stream::<EnterpriseEntry>(uscc.as_str());
        let (entry, _) = look::<EnterpriseEntry>(&self.log, &stream).await?;
        let Some(enterprise) = entry.enterprise() else {
            return Err(unknown_enterprise(call));
        };
        self.door.authorise(call, &self.matter(enterprise).await?, call.today)?;
        call.execute::<EnterpriseEntry>(&self.log, &stream, command, call.now, "").await
    }

    async fn matter<'a>(&self, enterprise: &'a Enterprise) -> Result<Matter<'a>, Refusal> {
        let matter = self.door.matter(&enterprise.division, &enterprise.industry).await?;
        Ok(Matter { subject: Some(enterprise.uscc.as_str()), ..matter })
    }

    /// Read from its own stream, so that a registration made a moment ago counts.
    pub(crate) async fn known_division(&self, code: &str) -> Result<Division, Refusal> {
        let (entry, _) = look::<DivisionEntry>(&self.log, &stream::<DivisionEntry>(code)).await?;
        entry.division().cloned().ok_or_else(|| {
            Refusal::new(Reason::DivisionUnknown, format_args!("division {code} is not registered"))
        })
    }

    async fn inhabited_division(&self, code: &str) -> Result<(), Refusal> {
        let is_placeholder = match self.door.register().division(code).await? {
            Some(division) => division.kind() == WireKind::Placeholder,
            None => self.known_division(code).await?.kind == DivisionKind::Placeholder,
        };
        if is_placeholder { Err(placeholder(code)) } else { Ok(()) }
    }
}

pub(crate) fn stream<A: Aggregate>(key: &str) -> StreamId {
    StreamId::new(A::CATEGORY, key)
}

/// Who may not know that an enterprise exists is not told that it does not.
pub(crate) fn unknown_enterprise(call: &Call) -> Refusal {
    if call.caller.office.is_none() {
        return Refusal::not_authorised("enterprises-read-themselves");
    }
    EnterpriseRejection::Unknown.into()
}

fn placeholder(code: &str) -> Refusal {
    let message = format_args!("division {code} only groups others");
    Refusal::new(Reason::DivisionIsPlaceholder, message)
}

impl From<DivisionRejection> for Refusal {
    fn from(rejection: DivisionRejection) -> Self {
        match rejection {
            DivisionRejection::AlreadyRegistered { .. } => {
                Self::new(Reason::DivisionAlreadyRegistered, rejection)
            }
        }
    }
}

impl From<OrganisationRejection> for Refusal {
    fn from(rejection: OrganisationRejection) -> Self {
        match rejection {
            OrganisationRejection::AlreadyRegistered { .. } => {
                Self::new(Reason::OrganisationAlreadyRegistered, rejection)
            }
        }
    }
}

impl From<EnterpriseRejection> for Refusal {
    fn from(rejection: EnterpriseRejection) -> Self {
        let reason = match rejection {
            EnterpriseRejection::Unknown => Reason::EnterpriseUnknown,
            EnterpriseRejection::AlreadyRegistered => Reason::EnterpriseAlreadyRegistered,
            EnterpriseRejection::AlreadyProposed => Reason::EnterpriseAlreadyProposed,
            EnterpriseRejection::NotRegistered => Reason::EnterpriseNotRegistered,
        };
        Self::new(reason, rejection)
    }
}
