//! One method per use case: check, authorise, decide.

use std::sync::Arc;

use onenet_chassis::{Call, Door, Host, Matter, Refusal, StartError, Write};
use onenet_eventstore::PgLog;
use onenet_kernel::{Aggregate as _, EventStore as _, Receipt, StreamId, look};
use onenet_proto::exchange::v1::ExchangeErrorReason as Reason;
use onenet_standards::{Industries, Uscc};
use uuid::Uuid;

use crate::{
    domain::{
        Agency, AgencyCommand, AgencyEntry, AgencyRejection, CertificateReplacement, Grant,
        GrantCommand, GrantEntry, GrantRejection, GrantTerms, Revocation,
    },
    feed::Subscriptions,
};

/// The use cases of exchange.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) door: Door,
    pub(crate) log: PgLog,
    pub(crate) industries: Arc<Industries>,
    pub(crate) subscriptions: Subscriptions,
}

impl App {
    pub(crate) fn try_new(host: &Host, subscriptions: Subscriptions) -> Result<Self, StartError> {
        let industries = Arc::new(Industries::embedded()?);
        Ok(Self { door: host.door.clone(), log: host.log.clone(), industries, subscriptions })
    }

    pub(crate) async fn register_agency(
        &self,
        call: &Write,
        agency: Agency,
    ) -> Result<Receipt, Refusal> {
        let matter = self.area(&agency.division).await?;
        self.door.authorise(call, &matter, call.today)?;
        let stream = StreamId::new(AgencyEntry::CATEGORY, agency.uscc.as_str());
        let command = AgencyCommand::Register { agency, by: call.uscc().clone() };
        call.execute::<AgencyEntry>(&self.log, &stream, &command, call.now, "").await
    }

    pub(crate) async fn replace_certificates(
        &self,
        call: &Write,
        agency: &Uscc,
        certificates: Vec<String>,
        reason: String,
    ) -> Result<Receipt, Refusal> {
        let registered = self.agency(agency).await?.ok_or(AgencyRejection::Unknown)?;
        self.door.authorise(call, &self.area(&registered.division).await?, call.today)?;
        let stream = StreamId::new(AgencyEntry::CATEGORY, agency.as_str());
        let by = call.uscc().clone();
        let replacement = CertificateReplacement { certificates, by, reason };
        let command = AgencyCommand::ReplaceCertificates(replacement);
        call.execute::<AgencyEntry>(&self.log, &stream, &command, call.now, "").await
    }

    pub(crate) async fn give_grant(
        &self,
        call: &Write,
        agency: Uscc,
        terms: GrantTerms,
    ) -> Result<Receipt, Refusal> {
        let matter = self.area(&terms.subtree).await?;
        self.door.authorise(call, &matter, call.today)?;
        owns_industries(call, &terms)?;
        self.agency(&agency).await?.ok_or(AgencyRejection::Unknown)?;
        let id = call.new_key(GrantEntry::CATEGORY);
        let stream = StreamId::new(GrantEntry::CATEGORY, &id.to_string());
        let grant = Grant { id, agency, terms, given_by: call.uscc().clone() };
        let command = GrantCommand::Give(grant);
        call.execute::<GrantEntry>(&self.log, &stream, &command, call.now, "").await
    }

    pub(crate) async fn revoke_grant(
        &self,
        call: &Write,
        id: Uuid,
        reason: String,
    ) -> Result<Receipt, Refusal> {
        let stream = StreamId::new(GrantEntry::CATEGORY, &id.to_string());
        let (entry, _) = look::<GrantEntry>(&self.log, &stream).await?;
        let grant = entry.grant().ok_or(GrantRejection::Unknown)?;
        self.door.authorise(call, &self.area(&grant.terms.subtree).await?, call.today)?;
        let command = GrantCommand::Revoke(Revocation { by: call.uscc().clone(), reason });
        call.execute::<GrantEntry>(&self.log, &stream, &command, call.now, "").await
    }

    /// Every organisation may subscribe for itself; an agency with one of its certificates.
    pub(crate) async fn may_subscribe(&self, call: &Call) -> Result<(), Refusal> {
        let matter = Matter { subject: Some(call.uscc().as_str()), ..Matter::default() };
        self.door.authorise(call, &matter, call.today)?;
        let Some(agency) = self.agency(call.uscc()).await? else {
            let itself = self.door.register().registered(call.uscc().as_str()).await?;
            return if itself.is_some() { Ok(()) } else { Err(AgencyRejection::Unknown.into()) };
        };
        let sent = hex::encode(call.caller.certificate_sha256);
        if agency.certificates.contains(&sent) {
            return Ok(());
        }
        Err(certificate_not_registered(&sent))
    }

    async fn area(&self, division: &str) -> Result<Matter<'static>, Refusal> {
        let matter = self.door.matter(division, "").await?;
        if matter.chain.is_empty() {
            let message = format_args!("division {division} is not known here");
            return Err(Refusal::new(Reason::DivisionUnknown, message));
        }
        Ok(matter)
    }

    /// Read from its own stream, so that what was done a moment ago counts, by whichever process.
    async fn agency(&self, agency: &Uscc) -> Result<Option<Agency>, Refusal> {
        let stream = StreamId::new(AgencyEntry::CATEGORY, agency.as_str());
        // its certificates change: what this process kept may lack a replacement
        self.log.forget(&stream);
        let (entry, _) = look::<AgencyEntry>(&self.log, &stream).await?;
        Ok(entry.agency().cloned())
    }
}

/// A body that supervises some industries owns the data of these and of no other.
fn owns_industries(call: &Write, terms: &GrantTerms) -> Result<(), Refusal> {
    let own = call.caller.office.as_ref().map(|office| office.industries.as_slice());
    let own = own.unwrap_or_default();
    let is_own = |prefix: &String| own.iter().any(|own| prefix.starts_with(own.as_str()));
    let owns_all =
        own.is_empty() || (!terms.industries.is_empty() && terms.industries.iter().all(is_own));
    if owns_all { Ok(()) } else { Err(Refusal::not_authorised("a body grants its own industries")) }
}

/// An agency came with a certificate that is not, or no longer, its own.
pub(crate) fn certificate_not_registered(sha256: &str) -> Refusal {
    let message = "the certificate is not registered for this agency";
    Refusal::new(Reason::CertificateNotRegistered, message).with("certificate_sha256", sha256)
}

impl From<AgencyRejection> for Refusal {
    fn from(rejection: AgencyRejection) -> Self {
        match rejection {
            AgencyRejection::AlreadyRegistered => {
                Self::new(Reason::AgencyAlreadyRegistered, rejection)
            }
            AgencyRejection::Unknown => Self::new(Reason::AgencyUnknown, rejection),
        }
    }
}

impl From<GrantRejection> for Refusal {
    fn from(rejection: GrantRejection) -> Self {
        match rejection {
            GrantRejection::Unknown => Self::new(Reason::GrantUnknown, rejection),
        }
    }
}
