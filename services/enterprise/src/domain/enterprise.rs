use onenet_kernel::{Aggregate, Key};
use onenet_standards::Uscc;

/// An organisation that is supervised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enterprise {
    /// Its code.
    pub uscc: Uscc,
    /// As it is registered.
    pub name: String,
    /// As what it is supervised.
    pub kind: EnterpriseKind,
    /// Where it works; says who supervises it.
    pub division: String,
    /// Class of its main activity, 4 digits of GB/T 4754-2017.
    pub industry: String,
    /// Where it works, for people.
    pub address: String,
}

/// As what an enterprise is supervised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnterpriseKind {
    /// 生产经营单位.
    Unit,
    /// 安全评价、认证、检测、检验机构.
    Institution,
}

/// What is asked for an enterprise; `by` is the body that asks.
#[derive(Clone, Debug)]
pub enum EnterpriseCommand {
    /// By a township, for the county to confirm.
    Propose {
        /// The enterprise.
        enterprise: Enterprise,
        /// The township's body.
        by: Uscc,
    },
    /// By a county or above, also over an open proposal.
    Register {
        /// The enterprise.
        enterprise: Enterprise,
        /// The authority.
        by: Uscc,
    },
    /// Registers a proposed one as it was proposed.
    Confirm {
        /// The authority.
        by: Uscc,
    },
    /// Puts it under key supervision (重点监管企业).
    DesignateKey {
        /// The authority.
        by: Uscc,
        /// The document or ground it rests on.
        basis: String,
    },
}

/// What happens to an enterprise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnterpriseEvent {
    /// A township proposed it.
    Proposed {
        /// As proposed.
        enterprise: Enterprise,
        /// The township's body.
        by: Uscc,
    },
    /// It is registered.
    Registered {
        /// As registered.
        enterprise: Enterprise,
        /// The authority.
        by: Uscc,
        /// The township's body that had proposed it.
        proposed_by: Option<Uscc>,
    },
    /// It is under key supervision.
    KeyDesignated {
        /// The enterprise.
        enterprise: Uscc,
        /// The authority.
        by: Uscc,
        /// What it rests on.
        basis: String,
    },
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnterpriseRejection {
    /// Neither registered nor proposed.
    #[error("the enterprise is neither registered nor proposed")]
    Unknown,
    /// Registered with other content.
    #[error("the enterprise is registered with other content")]
    AlreadyRegistered,
    /// Another proposal waits for the county.
    #[error("another proposal of the enterprise waits for the county")]
    AlreadyProposed,
    /// Only proposed.
    #[error("the enterprise is only proposed")]
    NotRegistered,
}

/// An enterprise's place in the register.
#[derive(Clone, Debug, Default)]
pub struct EnterpriseEntry {
    standing: Standing,
    is_key: bool,
}

#[derive(Clone, Debug, Default)]
enum Standing {
    #[default]
    Absent,
    Proposed {
        enterprise: Enterprise,
        by: Uscc,
    },
    Registered(Enterprise),
}

impl EnterpriseEntry {
    /// The enterprise as it stands, proposed or registered.
    #[must_use]
    pub fn enterprise(&self) -> Option<&Enterprise> {
        match &self.standing {
            Standing::Absent => None,
            Standing::Proposed { enterprise, .. } | Standing::Registered(enterprise) => {
                Some(enterprise)
            }
        }
    }

    fn propose(
        &self,
        enterprise: &Enterprise,
        by: &Uscc,
    ) -> Result<Vec<EnterpriseEvent>, EnterpriseRejection> {
        match &self.standing {
            Standing::Absent => Ok(vec![EnterpriseEvent::Proposed {
                enterprise: enterprise.clone(),
                by: by.clone(),
            }]),
            Standing::Proposed { enterprise: open, .. } if open == enterprise => Ok(vec![]),
            Standing::Proposed { .. } => Err(EnterpriseRejection::AlreadyProposed),
            Standing::Registered(registered) if registered == enterprise => Ok(vec![]),
            Standing::Registered(_) => Err(EnterpriseRejection::AlreadyRegistered),
        }
    }

    fn register(
        &self,
        enterprise: &Enterprise,
        by: &Uscc,
    ) -> Result<Vec<EnterpriseEvent>, EnterpriseRejection> {
        let proposed_by = match &self.standing {
            Standing::Absent => None,
            Standing::Proposed { by, .. } => Some(by.clone()),
            Standing::Registered(registered) if registered == enterprise => return Ok(vec![]),
            Standing::Registered(_) => return Err(EnterpriseRejection::AlreadyRegistered),
        };
        Ok(vec![EnterpriseEvent::Registered {
            enterprise: enterprise.clone(),
            by: by.clone(),
            proposed_by,
        }])
    }
}

impl Aggregate for EnterpriseEntry {
    const CATEGORY: &'static str = "enterprise";
    type Command = EnterpriseCommand;
    type Event = EnterpriseEvent;
    type Rejection = EnterpriseRejection;

    fn decide(
        &self,
        command: &EnterpriseCommand,
    ) -> Result<Vec<EnterpriseEvent>, EnterpriseRejection> {
        match command {
            EnterpriseCommand::Propose { enterprise, by } => self.propose(enterprise, by),
            EnterpriseCommand::Register { enterprise, by } => self.register(enterprise, by),
            EnterpriseCommand::Confirm { by } => match &self.standing {
                Standing::Absent => Err(EnterpriseRejection::Unknown),
                Standing::Proposed { enterprise, .. } => self.register(enterprise, by),
                Standing::Registered(_) => Ok(vec![]),
            },
            EnterpriseCommand::DesignateKey { by, basis } => match &self.standing {
                Standing::Absent => Err(EnterpriseRejection::Unknown),
                Standing::Proposed { .. } => Err(EnterpriseRejection::NotRegistered),
                Standing::Registered(_) if self.is_key => Ok(vec![]),
                Standing::Registered(Enterprise { uscc, .. }) => {
                    Ok(vec![EnterpriseEvent::KeyDesignated {
                        enterprise: uscc.clone(),
                        by: by.clone(),
                        basis: basis.clone(),
                    }])
                }
            },
        }
    }

    fn evolve(&mut self, event: &EnterpriseEvent) {
        match event {
            EnterpriseEvent::Proposed { enterprise, by } => {
                self.standing =
                    Standing::Proposed { enterprise: enterprise.clone(), by: by.clone() };
            }
            EnterpriseEvent::Registered { enterprise, .. } => {
                self.standing = Standing::Registered(enterprise.clone());
            }
            EnterpriseEvent::KeyDesignated { .. } => self.is_key = true,
        }
    }

    fn key(&self) -> Key {
        self.enterprise().map_or_else(Key::default, |enterprise| Key {
            subject: enterprise.uscc.as_str().to_owned(),
            division: enterprise.division.clone(),
            industry: enterprise.industry.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use onenet_kernel::testing::given;

    use super::*;

    fn plant() -> Enterprise {
        Enterprise {
            uscc: "91230500MA1B3N1N2M".parse().unwrap(),
            name: "某化工有限公司".to_owned(),
            kind: EnterpriseKind::Unit,
            division: "410102001".to_owned(),
            industry: "2614".to_owned(),
            address: "中原区".to_owned(),
        }
    }

    fn county() -> Uscc {
        Uscc::from_body("114101020000000AX").unwrap()
    }

    fn township() -> Uscc {
        Uscc::from_body("114101020000000BX").unwrap()
    }

    fn elsewhere() -> Enterprise {
        Enterprise { address: "别处".to_owned(), ..plant() }
    }

    fn proposed() -> EnterpriseEvent {
        EnterpriseEvent::Proposed { enterprise: plant(), by: township() }
    }

    fn registered(proposed_by: Option<Uscc>) -> EnterpriseEvent {
        EnterpriseEvent::Registered { enterprise: plant(), by: county(), proposed_by }
    }

    fn propose(enterprise: Enterprise) -> EnterpriseCommand {
        EnterpriseCommand::Propose { enterprise, by: township() }
    }

    fn register(enterprise: Enterprise) -> EnterpriseCommand {
        EnterpriseCommand::Register { enterprise, by: county() }
    }

    fn designate() -> EnterpriseCommand {
        EnterpriseCommand::DesignateKey {
            by: county(), basis: "豫安委〔2026〕3号".to_owned()
        }
    }

    #[test]
    fn a_township_proposes_and_the_county_confirms() {
        given::<EnterpriseEntry>([]).when(&propose(plant())).then([proposed()]);
        given::<EnterpriseEntry>([proposed()])
            .when(&EnterpriseCommand::Confirm { by: county() })
            .then([registered(Some(township()))]);
    }

    #[test]
    fn a_county_registers_directly_and_over_a_proposal() {
        given::<EnterpriseEntry>([]).when(&register(plant())).then([registered(None)]);
        given::<EnterpriseEntry>([proposed()])
            .when(&register(plant()))
            .then([registered(Some(township()))]);
    }

    #[test]
    fn the_same_again_changes_nothing() {
        given::<EnterpriseEntry>([proposed()]).when(&propose(plant())).then_nothing();
        given::<EnterpriseEntry>([registered(None)]).when(&register(plant())).then_nothing();
        given::<EnterpriseEntry>([registered(None)]).when(&propose(plant())).then_nothing();
        given::<EnterpriseEntry>([registered(None)])
            .when(&EnterpriseCommand::Confirm { by: county() })
            .then_nothing();
    }

    #[test]
    fn other_content_is_refused() {
        given::<EnterpriseEntry>([proposed()])
            .when(&propose(elsewhere()))
            .then_rejected(&EnterpriseRejection::AlreadyProposed);
        for command in [register(elsewhere()), propose(elsewhere())] {
            given::<EnterpriseEntry>([registered(None)])
                .when(&command)
                .then_rejected(&EnterpriseRejection::AlreadyRegistered);
        }
    }

    #[test]
    fn a_registered_enterprise_is_put_under_key_supervision_once() {
        let designated = EnterpriseEvent::KeyDesignated {
            enterprise: plant().uscc,
            by: county(),
            basis: "豫安委〔2026〕3号".to_owned(),
        };
        given::<EnterpriseEntry>([registered(None)]).when(&designate()).then([designated.clone()]);
        given::<EnterpriseEntry>([registered(None), designated]).when(&designate()).then_nothing();
    }

    #[test]
    fn key_supervision_and_confirmation_need_an_enterprise() {
        given::<EnterpriseEntry>([])
            .when(&designate())
            .then_rejected(&EnterpriseRejection::Unknown);
        given::<EnterpriseEntry>([])
            .when(&EnterpriseCommand::Confirm { by: county() })
            .then_rejected(&EnterpriseRejection::Unknown);
        given::<EnterpriseEntry>([proposed()])
            .when(&designate())
            .then_rejected(&EnterpriseRejection::NotRegistered);
    }
}
