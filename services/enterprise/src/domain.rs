//! The vocabulary of the register.

mod division;
mod enterprise;
mod organisation;

pub use division::{
    Division, DivisionEntry, DivisionEvent, DivisionKind, DivisionRejection, Level,
    RegisterDivision,
};
pub use enterprise::{
    Enterprise, EnterpriseCommand, EnterpriseEntry, EnterpriseEvent, EnterpriseKind,
    EnterpriseRejection,
};
pub use organisation::{
    EnforcementPower, Function, Organisation, OrganisationEntry, OrganisationEvent,
    OrganisationRejection, RegisterOrganisation, Tier,
};
