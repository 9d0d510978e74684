//! The register in protobuf. What a request says is checked field by field ([`requests`]); what an
//! event says was checked when it was decided, and is read as it stands. Everything written once is
//! read for ever: an upcast belongs here.

pub(crate) mod requests;

use onenet_chassis::{
    same_names,
    stored::{Coded as _, Malformed, choice, message, read, read_if, required},
};
use onenet_kernel::{Corrupt, WireEvent};
use onenet_proto::enterprise::v1 as wire;
use prost::Message as _;

use crate::domain::{
    Division, DivisionEvent, DivisionKind, EnforcementPower, Enterprise, EnterpriseEvent,
    EnterpriseKind, Function, Level, Organisation, OrganisationEvent, Tier,
};

same_names! {
    Level = wire::DivisionLevel { Province City County Township }
    DivisionKind = wire::DivisionKind { Statutory FunctionalZone Placeholder Other }
    Tier = wire::Tier { National Province City County Township }
    Function = wire::OrganisationFunction {
        Comprehensive Industry SafetyAdministration Support Dispatched
    }
    EnterpriseKind = wire::EnterpriseKind { Unit Institution }
}

impl TryFrom<wire::Division> for Division {
    type Error = Malformed;

    fn try_from(stored_as: wire::Division) -> Result<Self, Malformed> {
        Ok(Self {
            level: choice("level", stored_as.level)?,
            kind: choice("kind", stored_as.kind)?,
            code: stored_as.code,
            name: stored_as.name,
            parent: stored_as.parent,
            jurisdiction_parent: stored_as.jurisdiction_parent,
            valid_from: read_if("valid_from_on", stored_as.valid_from_on.as_deref())?,
            valid_to: read_if("valid_to_on", stored_as.valid_to_on.as_deref())?,
        })
    }
}

impl From<&Division> for wire::Division {
    fn from(division: &Division) -> Self {
        Self {
            code: division.code.clone(),
            name: division.name.clone(),
            level: division.level.to_contract().into(),
            parent: division.parent.clone(),
            jurisdiction_parent: division.jurisdiction_parent.clone(),
            kind: division.kind.to_contract().into(),
            valid_from_on: division.valid_from.map(|day| day.to_string()),
            valid_to_on: division.valid_to.map(|day| day.to_string()),
        }
    }
}

impl TryFrom<wire::Organisation> for Organisation {
    type Error = Malformed;

    fn try_from(stored_as: wire::Organisation) -> Result<Self, Malformed> {
        let power = |power: wire::EnforcementPower| {
            Ok(EnforcementPower {
                from: read("from_on", &power.from_on)?,
                to: read_if("to_on", power.to_on.as_deref())?,
                legal_basis: power.legal_basis,
            })
        };
        let functions = stored_as.functions.iter().copied();
        Ok(Self {
            uscc: read("uscc", &stored_as.uscc)?,
            tier: choice("tier", stored_as.tier)?,
            functions: functions.map(|it| choice("functions", it)).collect::<Result<_, _>>()?,
            name: stored_as.name,
            division: stored_as.division,
            industries: stored_as.industries,
            enforcement_power: stored_as.enforcement_power.map(power).transpose()?,
        })
    }
}

impl From<&Organisation> for wire::Organisation {
    fn from(organisation: &Organisation) -> Self {
        let power = |power: &EnforcementPower| wire::EnforcementPower {
            from_on: power.from.to_string(),
            to_on: power.to.map(|day| day.to_string()),
            legal_basis: power.legal_basis.clone(),
        };
        let functions = organisation.functions.iter().copied();
        Self {
            uscc: organisation.uscc.as_str().to_owned(),
            name: organisation.name.clone(),
            tier: organisation.tier.to_contract().into(),
            division: organisation.division.clone(),
            functions: functions.map(|it| it.to_contract().into()).collect(),
            industries: organisation.industries.clone(),
            enforcement_power: organisation.enforcement_power.as_ref().map(power),
        }
    }
}

impl TryFrom<wire::Enterprise> for Enterprise {
    type Error = Malformed;

    fn try_from(stored_as: wire::Enterprise) -> Result<Self, Malformed> {
        Ok(Self {
            uscc: read("uscc", &stored_as.uscc)?,
            kind: choice("kind", stored_as.kind)?,
            name: stored_as.name,
            division: stored_as.division,
            industry: stored_as.industry,
            address: stored_as.address,
        })
    }
}

impl From<&Enterprise> for wire::Enterprise {
    fn from(enterprise: &Enterprise) -> Self {
        Self {
            uscc: enterprise.uscc.as_str().to_owned(),
            name: enterprise.name.clone(),
            kind: enterprise.kind.to_contract().into(),
            division: enterprise.division.clone(),
            industry: enterprise.industry.clone(),
            address: enterprise.address.clone(),
        }
    }
}

const DIVISION_REGISTERED: &str = "onenet.enterprise.v1.DivisionRegistered";
const ORGANISATION_REGISTERED: &str = "onenet.enterprise.v1.OrganisationRegistered";
const ENTERPRISE_PROPOSED: &str = "onenet.enterprise.v1.EnterpriseProposed";
const ENTERPRISE_REGISTERED: &str = "onenet.enterprise.v1.EnterpriseRegistered";
const KEY_ENTERPRISE_DESIGNATED: &str = "onenet.enterprise.v1.KeyEnterpriseDesignated";

impl WireEvent for DivisionEvent {
    fn event_type(&self) -> &'static str {
        DIVISION_REGISTERED
    }

    fn encode(&self) -> Vec<u8> {
        let Self::Registered(division) = self;
        wire::DivisionRegistered { division: Some(division.into()) }.encode_to_vec()
    }

    fn decode(event_type: &str, payload: &[u8]) -> Result<Self, Corrupt> {
        match event_type {
            DIVISION_REGISTERED => message::<wire::DivisionRegistered, _>(event_type, payload),
            _ => Err(Corrupt::unknown_type(event_type)),
        }
    }
}

impl WireEvent for OrganisationEvent {
    fn event_type(&self) -> &'static str {
        ORGANISATION_REGISTERED
    }

    fn encode(&self) -> Vec<u8> {
        let Self::Registered(organisation) = self;
        wire::OrganisationRegistered { organisation: Some(organisation.into()) }.encode_to_vec()
    }

    fn decode(event_type: &str, payload: &[u8]) -> Result<Self, Corrupt> {
        match event_type {
            ORGANISATION_REGISTERED => {
                message::<wire::OrganisationRegistered, _>(event_type, payload)
            }
            _ => Err(Corrupt::unknown_type(event_type)),
        }
    }
}

impl WireEvent for EnterpriseEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Proposed { .. } => ENTERPRISE_PROPOSED,
            Self::Registered { .. } => ENTERPRISE_REGISTERED,
            Self::KeyDesignated { .. } => KEY_ENTERPRISE_DESIGNATED,
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Proposed { enterprise, by } => wire::EnterpriseProposed {
                enterprise: Some(enterprise.into()),
                proposed_by: by.as_str().to_owned(),
            }
            .encode_to_vec(),
            Self::Registered { enterprise, by, proposed_by } => wire::EnterpriseRegistered {
                enterprise: Some(enterprise.into()),
                registered_by: by.as_str().to_owned(),
                proposed_by: proposed_by.as_ref().map(|by| by.as_str().to_owned()),
            }
            .encode_to_vec(),
            Self::KeyDesignated { enterprise, by, basis } => wire::KeyEnterpriseDesignated {
                enterprise: enterprise.as_str().to_owned(),
                designated_by: by.as_str().to_owned(),
                basis: basis.clone(),
            }
            .encode_to_vec(),
        }
    }

    fn decode(event_type: &str, payload: &[u8]) -> Result<Self, Corrupt> {
        match event_type {
            ENTERPRISE_PROPOSED => message::<wire::EnterpriseProposed, _>(event_type, payload),
            ENTERPRISE_REGISTERED => message::<wire::EnterpriseRegistered, _>(event_type, payload),
            KEY_ENTERPRISE_DESIGNATED => {
                message::<wire::KeyEnterpriseDesignated, _>(event_type, payload)
            }
            _ => Err(Corrupt::unknown_type(event_type)),
        }
    }
}

impl TryFrom<wire::DivisionRegistered> for DivisionEvent {
    type Error = Malformed;

    fn try_from(event: wire::DivisionRegistered) -> Result<Self, Malformed> {
        Ok(Self::Registered(required("division", event.division)?.try_into()?))
    }
}

impl TryFrom<wire::OrganisationRegistered> for OrganisationEvent {
    type Error = Malformed;

    fn try_from(event: wire::OrganisationRegistered) -> Result<Self, Malformed> {
        Ok(Self::Registered(required("organisation", event.organisation)?.try_into()?))
    }
}

impl TryFrom<wire::EnterpriseProposed> for EnterpriseEvent {
    type Error = Malformed;

    fn try_from(event: wire::EnterpriseProposed) -> Result<Self, Malformed> {
        Ok(Self::Proposed {
            enterprise: required("enterprise", event.enterprise)?.try_into()?,
            by: read("proposed_by", &event.proposed_by)?,
        })
    }
}

impl TryFrom<wire::EnterpriseRegistered> for EnterpriseEvent {
    type Error = Malformed;

    fn try_from(event: wire::EnterpriseRegistered) -> Result<Self, Malformed> {
        Ok(Self::Registered {
            enterprise: required("enterprise", event.enterprise)?.try_into()?,
            by: read("registered_by", &event.registered_by)?,
            proposed_by: read_if("proposed_by", event.proposed_by.as_deref())?,
        })
    }
}

impl TryFrom<wire::KeyEnterpriseDesignated> for EnterpriseEvent {
    type Error = Malformed;

    fn try_from(event: wire::KeyEnterpriseDesignated) -> Result<Self, Malformed> {
        Ok(Self::KeyDesignated {
            enterprise: read("enterprise", &event.enterprise)?,
            by: read("designated_by", &event.designated_by)?,
            basis: event.basis,
        })
    }
}
