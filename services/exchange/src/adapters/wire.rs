//! Agencies and grants in protobuf. Everything written once is read for ever: an upcast belongs here.

pub(crate) mod requests;

use onenet_chassis::stored::{Malformed, message, read, read_if, required};
use onenet_kernel::{Corrupt, WireEvent};
use onenet_proto::exchange::v1 as wire;
use prost::Message as _;

use crate::domain::{
    Agency, AgencyEvent, CertificateReplacement, Grant, GrantEvent, GrantTerms, Revocation,
};

impl TryFrom<wire::Agency> for Agency {
    type Error = Malformed;

    fn try_from(agency: wire::Agency) -> Result<Self, Malformed> {
        Ok(Self {
            uscc: read("uscc", &agency.uscc)?,
            name: agency.name,
            division: agency.division,
            certificates: agency.certificate_sha256,
        })
    }
}

impl From<&Agency> for wire::Agency {
    fn from(agency: &Agency) -> Self {
        Self {
            uscc: agency.uscc.to_string(),
            name: agency.name.clone(),
            division: agency.division.clone(),
            certificate_sha256: agency.certificates.clone(),
        }
    }
}

impl TryFrom<wire::GrantTerms> for GrantTerms {
    type Error = Malformed;

    fn try_from(terms: wire::GrantTerms) -> Result<Self, Malformed> {
        Ok(Self {
            event_types: terms.event_types,
            subtree: terms.subtree,
            industries: terms.industries,
            purpose: terms.purpose,
            legal_basis: terms.legal_basis,
            from: read("from_on", &terms.from_on)?,
            to: read_if("to_on", terms.to_on.as_deref())?,
        })
    }
}

impl From<&GrantTerms> for wire::GrantTerms {
    fn from(terms: &GrantTerms) -> Self {
        Self {
            event_types: terms.event_types.clone(),
            subtree: terms.subtree.clone(),
            industries: terms.industries.clone(),
            purpose: terms.purpose.clone(),
            legal_basis: terms.legal_basis.clone(),
            from_on: terms.from.to_string(),
            to_on: terms.to.map(|day| day.to_string()),
        }
    }
}

impl TryFrom<wire::Grant> for Grant {
    type Error = Malformed;

    fn try_from(grant: wire::Grant) -> Result<Self, Malformed> {
        Ok(Self {
            id: read("grant_id", &grant.grant_id)?,
            agency: read("agency", &grant.agency)?,
            terms: required("terms", grant.terms)?.try_into()?,
            given_by: read("given_by", &grant.given_by)?,
        })
    }
}

impl From<&Grant> for wire::Grant {
    fn from(grant: &Grant) -> Self {
        Self {
            grant_id: grant.id.to_string(),
            agency: grant.agency.to_string(),
            terms: Some((&grant.terms).into()),
            given_by: grant.given_by.to_string(),
        }
    }
}

impl TryFrom<wire::Revocation> for Revocation {
    type Error = Malformed;

    fn try_from(revocation: wire::Revocation) -> Result<Self, Malformed> {
        Ok(Self { by: read("revoked_by", &revocation.revoked_by)?, reason: revocation.reason })
    }
}

impl From<&Revocation> for wire::Revocation {
    fn from(revocation: &Revocation) -> Self {
        Self { revoked_by: revocation.by.to_string(), reason: revocation.reason.clone() }
    }
}

pub(crate) const AGENCY_REGISTERED: &str = "onenet.exchange.v1.AgencyRegistered";
pub(crate) const AGENCY_CERTIFICATES_REPLACED: &str =
    "onenet.exchange.v1.AgencyCertificatesReplaced";
pub(crate) const GRANT_GIVEN: &str = "onenet.exchange.v1.GrantGiven";
pub(crate) const GRANT_REVOKED: &str = "onenet.exchange.v1.GrantRevoked";

impl WireEvent for AgencyEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Registered { .. } => AGENCY_REGISTERED,
            Self::CertificatesReplaced { .. } => AGENCY_CERTIFICATES_REPLACED,
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Registered { agency, by } => {
                let (agency, registered_by) = (Some(agency.into()), by.to_string());
                wire::AgencyRegistered { agency, registered_by }.encode_to_vec()
            }
            Self::CertificatesReplaced { agency, replacement } => {
                let CertificateReplacement { certificates, by, reason } = replacement.clone();
                wire::AgencyCertificatesReplaced {
                    agency: agency.to_string(),
                    certificate_sha256: certificates,
                    replaced_by: by.to_string(),
                    reason,
                }
                .encode_to_vec()
            }
        }
    }

    fn decode(event_type: &str, payload: &[u8]) -> Result<Self, Corrupt> {
        match event_type {
            AGENCY_REGISTERED => message::<wire::AgencyRegistered, _>(event_type, payload),
            AGENCY_CERTIFICATES_REPLACED => {
                message::<wire::AgencyCertificatesReplaced, _>(event_type, payload)
            }
            _ => Err(Corrupt::unknown_type(event_type)),
        }
    }
}

impl TryFrom<wire::AgencyRegistered> for AgencyEvent {
    type Error = Malformed;

    fn try_from(event: wire::AgencyRegistered) -> Result<Self, Malformed> {
        Ok(Self::Registered {
            agency: required("agency", event.agency)?.try_into()?,
            by: read("registered_by", &event.registered_by)?,
        })
    }
}

impl TryFrom<wire::AgencyCertificatesReplaced> for AgencyEvent {
    type Error = Malformed;

    fn try_from(event: wire::AgencyCertificatesReplaced) -> Result<Self, Malformed> {
        let replacement = CertificateReplacement {
            certificates: event.certificate_sha256,
            by: read("replaced_by", &event.replaced_by)?,
            reason: event.reason,
        };
        Ok(Self::CertificatesReplaced { agency: read("agency", &event.agency)?, replacement })
    }
}

impl WireEvent for GrantEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Given(_) => GRANT_GIVEN,
            Self::Revoked { .. } => GRANT_REVOKED,
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Given(grant) => wire::GrantGiven { grant: Some(grant.into()) }.encode_to_vec(),
            Self::Revoked { id, agency, revocation } => wire::GrantRevoked {
                grant_id: id.to_string(),
                agency: agency.to_string(),
                revocation: Some(revocation.into()),
            }
            .encode_to_vec(),
        }
    }

    fn decode(event_type: &str, payload: &[u8]) -> Result<Self, Corrupt> {
        match event_type {
            GRANT_GIVEN => message::<wire::GrantGiven, _>(event_type, payload),
            GRANT_REVOKED => message::<wire::GrantRevoked, _>(event_type, payload),
            _ => Err(Corrupt::unknown_type(event_type)),
        }
    }
}

impl TryFrom<wire::GrantGiven> for GrantEvent {
    type Error = Malformed;

    fn try_from(event: wire::GrantGiven) -> Result<Self, Malformed> {
        Ok(Self::Given(required("grant", event.grant)?.try_into()?))
    }
}

impl TryFrom<wire::GrantRevoked> for GrantEvent {
    type Error = Malformed;

    fn try_from(event: wire::GrantRevoked) -> Result<Self, Malformed> {
        Ok(Self::Revoked {
            id: read("grant_id", &event.grant_id)?,
            agency: read("agency", &event.agency)?,
            revocation: required("revocation", event.revocation)?.try_into()?,
        })
    }
}
