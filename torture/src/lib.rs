//! The fault kit: what is asked of a node while its parts are killed, stopped and held up, and a checker
//! that compares every answer with what each kind of reader saw.
//!
//! * [`History`] is the callers' side: each command with the outcome of each attempt, and each read that
//!   asked to be fresh.
//! * [`Seen`] is the readers' side: the log, the topic, a subscription and the read model, each in its own
//!   order.
//! * [`check`] compares the two and answers [`Finding`]s. It does no I/O; its tests plant each defect in a
//!   history that is right and expect it to be found.
//!
//! A command that was never answered may have had its effect or not, but not twice. Everything else is
//! exact.
#![warn(missing_docs)]

mod checker;
mod history;
mod seen;

pub use self::{
    checker::{FINDINGS, Finding, check},
    history::{Asked, History, Outcome, Place, Read, Recorder},
    seen::{Delivered, Event, Reader, Seen, Sighting},
};
