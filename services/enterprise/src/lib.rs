//! The register of the network: divisions (行政区划), public bodies, and the enterprises they supervise.
//!
//! Everybody else keeps what it knows of these from this context's events, so what is registered here
//! decides who may do what everywhere: a body's tier, division, functions, industries and power to
//! punish, and under whose eyes an enterprise works.
//!
//! Aggregates and their events:
//!
//! * [`Division`](domain::DivisionEntry): `DivisionRegistered`. Authority follows the jurisdiction
//!   parent (直管县 and 济源 skip the city), never the code's prefix. A placeholder (4190) groups codes
//!   and is never an authority; nothing lies in it.
//! * [`Organisation`](domain::OrganisationEntry): `OrganisationRegistered`.
//! * [`Enterprise`](domain::EnterpriseEntry): `EnterpriseProposed` by a township, `EnterpriseRegistered`
//!   by a county or above (directly, or by confirming), `KeyEnterpriseDesignated` (重点监管企业).
//!
//! Invariants: an enterprise is one stream, named by its unified social credit code; it works in a
//! known division that is no placeholder; what is registered once is never silently replaced.
#![warn(missing_docs)]

mod adapters;
mod app;
pub mod domain;

pub use adapters::context;
