use jiff::civil::Date;
use onenet_kernel::{Aggregate, Key};
use onenet_standards::Uscc;
use uuid::Uuid;

/// What an agency may receive, for what purpose and on what ground (授权).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: Uuid,
    /// The agency.
    pub agency: Uscc,
    /// What it may receive.
    pub terms: GrantTerms,
    /// The authority that gave it.
    pub given_by: Uscc,
}

/// The content of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantTerms {
    /// Full protobuf names.
    pub event_types: Vec<String>,
    /// Events of this division and those below it.
    pub subtree: String,
    /// Prefixes of the industries; none means every industry, also events without one.
    pub industries: Vec<String>,
    /// The purpose of use.
    pub purpose: String,
    /// The law or agreement it rests on.
    pub legal_basis: String,
    /// First day.
    pub from: Date,
    /// First day without it; none: until revoked.
    pub to: Option<Date>,
}

impl GrantTerms {
    /// Whether the term covers a day.
    #[must_use]
    pub fn covers(&self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|to| day < to)
    }
}

/// The end of a grant before its term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The authority that revoked it.
    pub by: Uscc,
    /// Why.
    pub reason: String,
}

/// A grant from being given to being revoked.
#[derive(Clone, Debug, Default)]
pub struct GrantEntry {
    given: Option<Grant>,
    is_revoked: bool,
}

impl GrantEntry {
    /// The grant, if it was given.
    #[must_use]
    pub fn grant(&self) -> Option<&Grant> {
        self.given.as_ref()
    }
}

/// What is asked for a grant.
#[derive(Clone, Debug)]
pub enum GrantCommand {
    /// Give it.
    Give(Grant),
    /// End it.
    Revoke(Revocation),
}

/// What happens to a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantEvent {
    /// It was given.
    Given(Grant),
    /// It was revoked.
    Revoked {
        /// The grant.
        id: Uuid,
        /// The agency.
        agency: Uscc,
        /// By whom and why.
        revocation: Revocation,
    },
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantRejection {
    /// No grant has this id.
    #[error("no grant has this id")]
    Unknown,
}

impl Aggregate for GrantEntry {
    const CATEGORY: &'static str = "grant";
    type Command = GrantCommand;
    type Event = GrantEvent;
    type Rejection = GrantRejection;

    fn decide(&self, command: &GrantCommand) -> Result<Vec<GrantEvent>, GrantRejection> {
        match (command, &self.given) {
            (GrantCommand::Give(grant), None) => Ok(vec![GrantEvent::Given(grant.clone())]),
            // its id comes from the command: the log tells a retry from a reuse
            (GrantCommand::Give(_), Some(_)) => Ok(vec![]),
            (GrantCommand::Revoke(_), None) => Err(GrantRejection::Unknown),
            (GrantCommand::Revoke(_), Some(_)) if self.is_revoked => Ok(vec![]),
            (GrantCommand::Revoke(revocation), Some(grant)) => Ok(vec![GrantEvent::Revoked {
                id: grant.id,
                agency: grant.agency.clone(),
                revocation: revocation.clone(),
            }]),
        }
    }

    fn evolve(&mut self, event: &GrantEvent) {
        match event {
            GrantEvent::Given(grant) => self.given = Some(grant.clone()),
            GrantEvent::Revoked { .. } => self.is_revoked = true,
        }
    }

    fn key(&self) -> Key {
        self.given.as_ref().map_or_else(Key::default, |grant| Key {
            subject: grant.agency.to_string(),
            division: grant.terms.subtree.clone(),
            industry: String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use onenet_kernel::testing::given;

    use super::*;

    fn grant() -> Grant {
        Grant {
            id: Uuid::from_u128(7),
            agency: "91230500MA1B3N1N2M".parse().unwrap(),
            terms: GrantTerms {
                event_types: vec!["onenet.hazard.v1.MajorHazardFiled".to_owned()],
                subtree: "41".to_owned(),
                industries: vec!["26".to_owned()],
                purpose: "行业监管".to_owned(),
                legal_basis: "政务数据共享条例".to_owned(),
                from: date(2026, 1, 1),
                to: Some(date(2027, 1, 1)),
            },
            given_by: "11410000MB15291763".parse().unwrap(),
        }
    }

    fn revocation() -> Revocation {
        Revocation { by: grant().given_by, reason: "用途变更".to_owned() }
    }

    #[test]
    fn a_grant_is_given_and_revoked_once() {
        let revoked = GrantEvent::Revoked {
            id: grant().id,
            agency: grant().agency,
            revocation: revocation(),
        };
        given::<GrantEntry>([])
            .when(&GrantCommand::Give(grant()))
            .then([GrantEvent::Given(grant())]);
        given::<GrantEntry>([GrantEvent::Given(grant())])
            .when(&GrantCommand::Give(grant()))
            .then_nothing();
        given::<GrantEntry>([GrantEvent::Given(grant())])
            .when(&GrantCommand::Revoke(revocation()))
            .then([revoked.clone()]);
        given::<GrantEntry>([GrantEvent::Given(grant()), revoked])
            .when(&GrantCommand::Revoke(revocation()))
            .then_nothing();
    }

    #[test]
    fn what_was_never_given_cannot_be_revoked() {
        given::<GrantEntry>([])
            .when(&GrantCommand::Revoke(revocation()))
            .then_rejected(&GrantRejection::Unknown);
    }

    #[test]
    fn a_term_holds_from_its_first_day_up_to_the_first_day_without_it() {
        let terms = grant().terms;
        assert!(!terms.covers(date(2025, 12, 31)));
        assert!(terms.covers(date(2026, 1, 1)) && terms.covers(date(2026, 12, 31)));
        assert!(!terms.covers(date(2027, 1, 1)));
    }
}
