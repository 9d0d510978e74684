//! The vocabulary of exchange.

mod agency;
mod grant;

pub use agency::{Agency, AgencyEntry, AgencyEvent, AgencyRejection, RegisterAgency};
pub use grant::{
    Grant, GrantCommand, GrantEntry, GrantEvent, GrantRejection, GrantTerms, Revocation,
};
