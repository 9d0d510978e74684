use onenet_kernel::{Aggregate, Key};
use onenet_standards::Uscc;

/// A body that receives events (接入单位).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agency {
    /// Its code; it need not be a public body of the register.
    pub uscc: Uscc,
    /// As people call it.
    pub name: String,
    /// Its division: the authority whose subtree holds it registers it.
    pub division: String,
    /// SHA-256 of each certificate it may connect with, in lower-case hexadecimal.
    pub certificates: Vec<String>,
}

/// An agency's place among those registered; empty until it is.
#[derive(Clone, Debug, Default)]
pub struct AgencyEntry {
    registered: Option<Agency>,
}

impl AgencyEntry {
    /// The agency, if it is registered.
    #[must_use]
    pub fn agency(&self) -> Option<&Agency> {
        self.registered.as_ref()
    }
}

/// Adds an agency.
#[derive(Clone, Debug)]
pub struct RegisterAgency {
    /// The agency.
    pub agency: Agency,
    /// The authority that registers it.
    pub by: Uscc,
}

/// What happens to an agency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgencyEvent {
    /// It is registered.
    Registered {
        /// The agency.
        agency: Agency,
        /// The authority.
        by: Uscc,
    },
}

/// Why an agency is not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgencyRejection {
    /// It is registered with other content.
    #[error("the agency is registered with other content")]
    AlreadyRegistered,
}

impl Aggregate for AgencyEntry {
    const CATEGORY: &'static str = "agency";
    type Command = RegisterAgency;
    type Event = AgencyEvent;
    type Rejection = AgencyRejection;

    fn decide(&self, command: &RegisterAgency) -> Result<Vec<AgencyEvent>, AgencyRejection> {
        let RegisterAgency { agency, by } = command;
        match &self.registered {
            None => Ok(vec![AgencyEvent::Registered { agency: agency.clone(), by: by.clone() }]),
            Some(registered) if registered == agency => Ok(vec![]),
            Some(_) => Err(AgencyRejection::AlreadyRegistered),
        }
    }

    fn evolve(&mut self, AgencyEvent::Registered { agency, .. }: &AgencyEvent) {
        self.registered = Some(agency.clone());
    }

    fn key(&self) -> Key {
        self.registered.as_ref().map_or_else(Key::default, |agency| Key {
            subject: agency.uscc.to_string(),
            division: agency.division.clone(),
            industry: String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use onenet_kernel::testing::given;

    use super::*;

    fn platform() -> Agency {
        Agency {
            uscc: "91230500MA1B3N1N2M".parse().unwrap(),
            name: "省信用信息共享交换平台".to_owned(),
            division: "41".to_owned(),
            certificates: vec!["ab".repeat(32)],
        }
    }

    fn bureau() -> Uscc {
        "11410000MB15291763".parse().unwrap()
    }

    fn register(agency: Agency) -> RegisterAgency {
        RegisterAgency { agency, by: bureau() }
    }

    #[test]
    fn an_agency_is_registered_once_and_not_replaced() {
        let registered = AgencyEvent::Registered { agency: platform(), by: bureau() };
        given::<AgencyEntry>([]).when(&register(platform())).then([registered.clone()]);
        given::<AgencyEntry>([registered.clone()]).when(&register(platform())).then_nothing();
        let other = Agency { certificates: vec!["cd".repeat(32)], ..platform() };
        given::<AgencyEntry>([registered])
            .when(&register(other))
            .then_rejected(&AgencyRejection::AlreadyRegistered);
    }
}
