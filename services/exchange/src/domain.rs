//! The vocabulary of exchange.

mod agency;
mod grant;

pub use agency::{
    Agency, AgencyCommand, AgencyEntry, AgencyEvent, AgencyRejection, CertificateReplacement,
};
pub use grant::{
    Grant, GrantCommand, GrantEntry, GrantEvent, GrantRejection, GrantTerms, Revocation,
};
