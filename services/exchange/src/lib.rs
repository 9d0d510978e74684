//! How others receive what happens: agencies (接入单位), what each may have (授权), and one ordered feed
//! of every context's events that all of them read from.
//!
//! Aggregates and their events:
//!
//! * [`Agency`](domain::AgencyEntry): `AgencyRegistered`, with the certificates it may connect with;
//!   `AgencyCertificatesReplaced`.
//! * [`Grant`](domain::GrantEntry): `GrantGiven`, `GrantRevoked`. A grant names event types, a division
//!   subtree, industries, purpose, legal basis and term; it is given by an authority for its own area.
//!
//! The [`feed`] is an event log of its own. A follower per context appends what it reads from Kafka,
//! stream by stream and version by version, so that a lost or reordered record shows as a conflict.
//! One reader tails it for all subscribers; one that is slow pages by itself and harms nobody.
//!
//! Invariants: what lies outside a subscriber's rights is neither sent nor hinted at (its sequence is
//! its own); rights are judged on each event, so a revoked grant or a replaced
//! certificate ends a stream at once; before an event leaves,
//! a row says that it may have been delivered, so that a correction can find everyone who has it;
//! only [types that leave the node](feed::SHARED) are ever sent.
#![warn(missing_docs)]

mod adapters;
mod app;
pub mod domain;
pub mod feed;

pub use adapters::context;
