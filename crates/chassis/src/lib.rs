//! What every context stands on when it meets the world: settings, telemetry, the gRPC server,
//! identity, access, refusals, and the roles a process runs.
//!
//! A call comes in at the [`Door`]. The door says who calls (the organisation in the verified
//! certificate), reads what that organisation is from the context's own [`Register`](register), asks
//! the context's Cedar policies, waits for what the caller wants to have been seen, and turns every
//! [`Refusal`] into a `google.rpc.Status` with the code and the Chinese text of its contract. A write
//! that is refused leaves only after the log was asked whether this very command was carried out.
//!
//! A [`Context`] is what a service crate exports: its tables, policies, services, followers and
//! clocks. [`run`] runs the roles of it that a process is told to; [`prepare`] makes its schemas and
//! topics.
//!
//! What must never happen here: a caller is believed for what a header says; a fault's own words
//! reach a caller; a call is answered without a policy having permitted it; a process starts with
//! settings it does not know.
#![warn(missing_docs)]

mod access;
mod audit;
mod calendar;
mod call;
mod certificates;
pub mod clock;
pub mod config;
mod context;
pub mod day;
mod door;
mod endpoint;
pub mod field;
mod fresh;
mod health;
mod identity;
mod memo;
mod meters;
mod parts;
pub mod private;
mod receipt;
mod refusal;
pub mod register;
mod scope;
mod server;
pub mod stored;
mod telemetry;
pub mod testing;
mod tools;
pub mod trace;
pub mod view;

pub use access::{AgencyStanding, Caller, Matter, Policies, PolicyError};
pub use calendar::recount_deadlines;
pub use call::{Call, Write, derived_key, ended, reaction_cause, timer_cause};
pub use context::{Context, Opening, Role, StartError, run};
pub use door::Door;
pub use identity::{NoIdentity, Peer, peer};
pub use parts::{Host, Parts};
pub use receipt::{instant, position, timestamp, to_wire as receipt_to_wire};
pub use refusal::Refusal;
pub use scope::Scope;
pub use telemetry::{Telemetry, TelemetryError};
pub use tools::{check_topics, logs, open_log, prepare, tools};
