use jiff::civil::Date;
use onenet_kernel::{Aggregate, Key};
use onenet_standards::Uscc;

/// A public body of the network. What it may do follows from all of this, never from the tier alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Its code.
    pub uscc: Uscc,
    /// As people call it.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// The root of the subtree it acts in.
    pub division: String,
    /// What it does for work safety; at least one.
    pub functions: Vec<Function>,
    /// Prefixes of the industries it supervises; none means every industry.
    pub industries: Vec<String>,
    /// Its power to decide penalties (行政处罚权), if it has one.
    pub enforcement_power: Option<EnforcementPower>,
}

/// The power to decide penalties, over the body's subtree and industries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnforcementPower {
    /// First day.
    pub from: Date,
    /// First day without it, where known.
    pub to: Option<Date>,
    /// The law or delegation it rests on.
    pub legal_basis: String,
}

/// Tier of a public body (中央、省、市、县、乡).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// 中央.
    National,
    /// 省.
    Province,
    /// 市.
    City,
    /// 县.
    County,
    /// 乡镇、街道.
    Township,
}

/// What a public body does for work safety (豫发〔2017〕31号).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// 综合监管.
    Comprehensive,
    /// 行业领域监管.
    Industry,
    /// 安全生产管理.
    SafetyAdministration,
    /// 支持保障.
    Support,
    /// 派出机关.
    Dispatched,
}

/// A body's place in the register; empty until it is registered.
#[derive(Clone, Debug, Default)]
pub struct OrganisationEntry {
    registered: Option<Organisation>,
}

/// Adds a body.
#[derive(Clone, Debug)]
pub struct RegisterOrganisation(pub Organisation);

/// What happens to a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrganisationEvent {
    /// It entered the register.
    Registered(Organisation),
}

/// Why a body is not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrganisationRejection {
    /// The register holds it with other content.
    #[error("organisation {} is registered with other content", uscc.as_str())]
    AlreadyRegistered {
        /// Its code.
        uscc: Uscc,
    },
}

impl Aggregate for OrganisationEntry {
    const CATEGORY: &'static str = "organisation";
    type Command = RegisterOrganisation;
    type Event = OrganisationEvent;
    type Rejection = OrganisationRejection;

    fn decide(
        &self,
        RegisterOrganisation(organisation): &RegisterOrganisation,
    ) -> Result<Vec<OrganisationEvent>, OrganisationRejection> {
        match &self.registered {
            None => Ok(vec![OrganisationEvent::Registered(organisation.clone())]),
            Some(registered) if registered == organisation => Ok(vec![]),
            Some(_) => {
                Err(OrganisationRejection::AlreadyRegistered { uscc: organisation.uscc.clone() })
            }
        }
    }

    fn evolve(&mut self, OrganisationEvent::Registered(organisation): &OrganisationEvent) {
        self.registered = Some(organisation.clone());
    }

    fn key(&self) -> Key {
        self.registered.as_ref().map_or_else(Key::default, |organisation| Key {
            subject: organisation.uscc.as_str().to_owned(),
            division: organisation.division.clone(),
            industry: String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use onenet_kernel::testing::given;

    use super::*;

    fn bureau() -> Organisation {
        Organisation {
            uscc: "11410000MB15291763".parse().unwrap(),
            name: "省应急管理厅".to_owned(),
            tier: Tier::Province,
            division: "41".to_owned(),
            functions: vec![Function::Comprehensive],
            industries: vec![],
            enforcement_power: Some(EnforcementPower {
                from: date(2018, 11, 1),
                to: None,
                legal_basis: "安全生产法".to_owned(),
            }),
        }
    }

    #[test]
    fn a_body_is_registered_once() {
        let registered = OrganisationEvent::Registered(bureau());
        given::<OrganisationEntry>([])
            .when(&RegisterOrganisation(bureau()))
            .then([registered.clone()]);
        given::<OrganisationEntry>([registered])
            .when(&RegisterOrganisation(bureau()))
            .then_nothing();
    }

    #[test]
    fn a_body_with_other_powers_does_not_replace_the_one_registered() {
        let without_power = Organisation { enforcement_power: None, ..bureau() };
        given::<OrganisationEntry>([OrganisationEvent::Registered(bureau())])
            .when(&RegisterOrganisation(without_power))
            .then_rejected(&OrganisationRejection::AlreadyRegistered { uscc: bureau().uscc });
    }
}
