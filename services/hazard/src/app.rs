//! One method per use case: check, authorise, decide. Queries stand beside the commands. Hidden dangers
//! are in [`hidden_danger`], what the clock does to them in [`deadlines`].

mod corrections;
mod deadlines;
mod hidden_danger;

use std::sync::Arc;

use jiff::civil::Date;
use onenet_chassis::{
    Call, Door, Host, Matter, Refusal, StartError, Write, config::RuleSettings, day, field,
};
use onenet_eventstore::PgLog;
use onenet_kernel::{Aggregate as _, Key, Receipt, StreamId, look};
use onenet_proto::{
    common::v1::ErrorReason, enterprise::v1::Enterprise, hazard::v1::HazardErrorReason as Reason,
};
use onenet_standards::{
    Calendar, HiddenDangerCriteria, Industries, Uscc,
    gb18218::{AssessError, Gb18218},
};
use uuid::Uuid;

pub(crate) use self::hidden_danger::{Cited, Graded, unknown_danger};
use crate::domain::{
    Filing, HazardUnit, Identification, MajorHazard, MajorHazardCommand as Command,
    MajorHazardRejection as Rejection, OnBehalf, Substance,
};

/// The use cases of hazard.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) door: Door,
    pub(crate) log: PgLog,
    pub(crate) industries: Arc<Industries>,
    standard: Arc<Gb18218>,
    criteria: Arc<HiddenDangerCriteria>,
    calendar: Arc<Calendar>,
    rules: Arc<RuleSettings>,
}

/// A unit as it is stated.
pub(crate) struct Stated {
    pub(crate) enterprise: Uscc,
    pub(crate) unit: HazardUnit,
    pub(crate) substances: Vec<Substance>,
    pub(crate) residents_within_500m: u32,
    pub(crate) on_behalf: Option<OnBehalf>,
}

impl App {
    pub(crate) fn try_new(host: &Host) -> Result<Self, StartError> {
        Ok(Self {
            door: host.door.clone(),
            log: host.log.clone(),
            industries: Arc::new(Industries::embedded()?),
            standard: Arc::new(Gb18218::embedded()?),
            criteria: Arc::new(HiddenDangerCriteria::embedded()?),
            calendar: Arc::new(host.settings.rules.calendar()?),
            rules: Arc::new(host.settings.rules.clone()),
        })
    }

    pub(crate) async fn identify(&self, call: &Write, stated: Stated) -> Result<Receipt, Refusal> {
        let Stated { enterprise, unit, substances, residents_within_500m, on_behalf } = stated;
        let registered = self.authorise_at(call, &enterprise).await?;
        check_on_behalf(*call.uscc() == enterprise, on_behalf.as_ref())?;
        let identification =
            Identification::assess(&self.standard, substances, residents_within_500m)
                .map_err(cannot_be_judged)?;
        let hazard_id = call.new_key(MajorHazard::CATEGORY);
        let command = Command::IdentifyMajorHazard {
            hazard_id,
            enterprise,
            division: registered.division,
            industry: registered.industry,
            unit,
            identification,
            identified_by: call.uscc().clone(),
            on_behalf,
        };
        let (stream, version) = (stream(hazard_id), Gb18218::VERSION);
        call.execute::<MajorHazard>(&self.log, &stream, &command, call.now, version).await
    }

    pub(crate) async fn file(
        &self,
        call: &Write,
        hazard_id: Uuid,
        number: String,
        filed_on: Date,
    ) -> Result<Receipt, Refusal> {
        self.authorise(call, hazard_id).await?;
        let filing = Filing { number, filed_on, filed_by: call.uscc().clone() };
        let (stream, command) = (stream(hazard_id), Command::FileMajorHazard { filing });
        let happened = day::start(filed_on);
        call.execute::<MajorHazard>(&self.log, &stream, &command, happened, "").await
    }

    /// Whether the caller may do this where the enterprise works; answers what the register says of it.
    async fn authorise_at(&self, call: &Call, enterprise: &Uscc) -> Result<Enterprise, Refusal> {
        let registered = self.door.register().registered(enterprise.as_str()).await?;
        let registered = registered.ok_or_else(|| unknown_enterprise(call, enterprise))?;
        let matter = self.door.matter(&registered.division, &registered.industry).await?;
        let matter = Matter { subject: Some(enterprise.as_str()), ..matter };
        self.door.authorise(call, &matter, call.today)?;
        Ok(registered)
    }

    /// Whether the caller may do this to the major hazard; answers whose it is.
    pub(crate) async fn authorise(&self, call: &Call, hazard_id: Uuid) -> Result<String, Refusal> {
        let (hazard, _) = look::<MajorHazard>(&self.log, &stream(hazard_id)).await?;
        let Key { subject, division, industry } = hazard.key();
        if subject.is_empty() {
            return Err(unknown_hazard(call));
        }
        let matter = self.door.matter(&division, &industry).await?;
        let matter = Matter { subject: Some(&subject), ..matter };
        self.door.authorise(call, &matter, call.today)?;
        Ok(subject)
    }
}

fn stream(hazard_id: Uuid) -> StreamId {
    StreamId::new(MajorHazard::CATEGORY, &hazard_id.to_string())
}

/// An authority says why it enters what is the enterprise's to enter; an enterprise has nothing to say.
fn check_on_behalf(is_enterprise: bool, on_behalf: Option<&OnBehalf>) -> Result<(), Refusal> {
    match (is_enterprise, on_behalf) {
        (true, Some(_)) => Err(field::not_allowed("on_behalf", "the enterprise acts for itself")),
        (false, None) => Err(field::missing("on_behalf")),
        (true, None) | (false, Some(_)) => Ok(()),
    }
}

/// Who may not know which enterprises there are is not told.
fn unknown_enterprise(call: &Call, enterprise: &Uscc) -> Refusal {
    if call.caller.office.is_none() && call.uscc() != enterprise {
        return Refusal::not_authorised("enterprises-act-for-themselves");
    }
    Refusal::new(Reason::EnterpriseUnknown, "no registered enterprise has this code")
}

/// Who may not know that a major hazard exists is not told that it does not.
pub(crate) fn unknown_hazard(call: &Call) -> Refusal {
    if call.caller.office.is_none() {
        return Refusal::not_authorised("enterprises-read-their-own");
    }
    Rejection::MajorHazardUnknown.into()
}

/// What the standard cannot judge is an error of the request, in one substance of it.
fn cannot_be_judged(error: AssessError) -> Refusal {
    let path = |item, name: &str| format!("{}{name}", field::at("substances", item));
    match error {
        AssessError::NoItems => field::missing("substances"),
        AssessError::NegativeQuantity { item } => {
            Refusal::field(ErrorReason::NumberOutOfRange, path(item, ".quantity_t"), error)
        }
        AssessError::UnknownTable1No { item, .. } => {
            Refusal::field(Reason::Table1NoUnknown, path(item, ".table1_no"), error)
        }
        AssessError::UnknownSymbol { item, .. } => {
            Refusal::field(Reason::ClassSymbolUnknown, path(item, ".class_symbols"), error)
        }
        AssessError::Unclassified { item } => {
            Refusal::field(Reason::SubstanceUnclassified, path(item, ""), error)
        }
        AssessError::SymbolRequired { item } => {
            Refusal::field(Reason::ClassSymbolRequired, path(item, ".class_symbols"), error)
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        match &rejection {
            Rejection::MajorHazardUnknown => Self::new(Reason::MajorHazardUnknown, rejection),
            Rejection::BelowThreshold { s } => {
                let s = format!("{}/{}", s.numer(), s.denom());
                Self::new(Reason::BelowThreshold, rejection).with("s", s)
            }
            Rejection::AlreadyFiled => Self::new(Reason::AlreadyFiled, rejection),
        }
    }
}
