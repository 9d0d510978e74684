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

/// What is asked for an agency.
#[derive(Clone, Debug)]
pub enum AgencyCommand {
    /// Add it.
    Register {
        /// The agency.
        agency: Agency,
        /// The authority that registers it.
        by: Uscc,
    },
    /// Put a whole new set of certificates in place of its own.
    ReplaceCertificates(CertificateReplacement),
}

/// A new set of certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateReplacement {
    /// SHA-256 of each, in lower-case hexadecimal.
    pub certificates: Vec<String>,
    /// The authority.
    pub by: Uscc,
    /// Why.
    pub reason: String,
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
    /// It connects with other certificates from now on.
    CertificatesReplaced {
        /// The agency.
        agency: Uscc,
        /// The new set.
        replacement: CertificateReplacement,
    },
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgencyRejection {
    /// It is registered with other content.
    #[error("the agency is registered with other content")]
    AlreadyRegistered,
    /// It is not registered.
    #[error("no agency has this code")]
    Unknown,
}

impl Aggregate for AgencyEntry {
    const CATEGORY: &'static str = "agency";
    type Command = AgencyCommand;
    type Event = AgencyEvent;
    type Rejection = AgencyRejection;

    fn decide(&self, command: &AgencyCommand) -> Result<Vec<AgencyEvent>, AgencyRejection> {
        match (command, &self.registered) {
            (AgencyCommand::Register { agency, by }, None) => {
                Ok(vec![AgencyEvent::Registered { agency: agency.clone(), by: by.clone() }])
            }
            (AgencyCommand::Register { agency, .. }, Some(registered)) if registered == agency => {
                Ok(vec![])
            }
            (AgencyCommand::Register { .. }, Some(_)) => Err(AgencyRejection::AlreadyRegistered),
            (AgencyCommand::ReplaceCertificates(_), None) => Err(AgencyRejection::Unknown),
            (AgencyCommand::ReplaceCertificates(replacement), Some(registered)) => {
                if is_same_set(&replacement.certificates, &registered.certificates) {
                    return Ok(vec![]);
                }
                let (agency, replacement) = (registered.uscc.clone(), replacement.clone());
                Ok(vec![AgencyEvent::CertificatesReplaced { agency, replacement }])
            }
        }
    }

    fn evolve(&mut self, event: &AgencyEvent) {
        match event {
            AgencyEvent::Registered { agency, .. } => self.registered = Some(agency.clone()),
            AgencyEvent::CertificatesReplaced { replacement, .. } => {
                if let Some(agency) = &mut self.registered {
                    agency.certificates.clone_from(&replacement.certificates);
                }
            }
        }
    }

    fn key(&self) -> Key {
        self.registered.as_ref().map_or_else(Key::default, |agency| Key {
            subject: agency.uscc.to_string(),
            division: agency.division.clone(),
            industry: String::new(),
        })
    }
}

/// Each set holds a certificate once; in which order says nothing.
fn is_same_set(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|certificate| other.contains(certificate))
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

    fn register(agency: Agency) -> AgencyCommand {
        AgencyCommand::Register { agency, by: bureau() }
    }

    fn registered() -> AgencyEvent {
        AgencyEvent::Registered { agency: platform(), by: bureau() }
    }

    fn replacement(certificates: &[&str]) -> CertificateReplacement {
        CertificateReplacement {
            certificates: certificates.iter().map(|pair| pair.repeat(32)).collect(),
            by: bureau(),
            reason: "证书到期".to_owned(),
        }
    }

    fn replace(certificates: &[&str]) -> AgencyCommand {
        AgencyCommand::ReplaceCertificates(replacement(certificates))
    }

    #[test]
    fn an_agency_is_registered_once_and_not_replaced() {
        given::<AgencyEntry>([]).when(&register(platform())).then([registered()]);
        given::<AgencyEntry>([registered()]).when(&register(platform())).then_nothing();
        let other = Agency { certificates: vec!["cd".repeat(32)], ..platform() };
        given::<AgencyEntry>([registered()])
            .when(&register(other))
            .then_rejected(&AgencyRejection::AlreadyRegistered);
    }

    #[test]
    fn a_new_set_of_certificates_takes_the_place_of_the_old_one() {
        let replaced = AgencyEvent::CertificatesReplaced {
            agency: platform().uscc,
            replacement: replacement(&["cd", "ef"]),
        };
        let entry = given::<AgencyEntry>([registered()])
            .when(&replace(&["cd", "ef"]))
            .then([replaced.clone()])
            .state();
        assert_eq!(entry.agency().unwrap().certificates, replacement(&["cd", "ef"]).certificates);
        assert_eq!(entry.key().division, "41");
        // in whatever order
        given::<AgencyEntry>([registered(), replaced.clone()])
            .when(&replace(&["ef", "cd"]))
            .then_nothing();
        // the content it was registered with is no longer its own
        given::<AgencyEntry>([registered(), replaced])
            .when(&register(platform()))
            .then_rejected(&AgencyRejection::AlreadyRegistered);
        given::<AgencyEntry>([]).when(&replace(&["cd"])).then_rejected(&AgencyRejection::Unknown);
    }
}
