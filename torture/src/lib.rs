//! The fault kit: what is asked of a node while its parts are killed, stopped and held up, and a checker
//! that compares every answer with what each kind of reader saw.
//!
//! * [`History`] is the callers' side: each command with the outcome of each attempt, and each read that
//!   asked to be fresh.
//! * [`Seen`] is the readers' side: log and topic of each context, a subscription, the read models and the
//!   blacklist, each in its own order.
//! * [`check`] compares the two and answers [`Finding`]s. It does no I/O; its tests plant each defect in a
//!   history that is right and expect it to be found.
//!
//! * [`Torture`] starts a node on private servers, as processes of the executable, lets callers ask and a
//!   subscriber receive while faults strike by a schedule that a seed decides, and hands what came of it to
//!   the checker.
//!
//! A command that was never answered may have had its effect or not, but not twice. Everything else is
//! exact.
#![warn(missing_docs)]

mod ask;
mod asker;
mod blacklist;
mod certificates;
mod checker;
mod clocks;
mod faults;
mod history;
mod inbox;
mod inspector;
mod load;
mod names;
mod node;
mod officer;
mod platform;
mod process;
mod province;
mod proxy;
mod readers;
mod reconciled;
mod report;
mod rights;
mod run;
mod scopes;
mod seen;
mod setup;
mod subscriber;
mod terms;

pub use self::{
    blacklist::{Blacklist, Change, Fact, InForce, Record},
    checker::{FINDINGS, Finding, check},
    faults::{Fault, Link},
    history::{Asked, History, Outcome, Place, Read, Recorder},
    reconciled::{Acknowledged, Claim, Compared, Count, Line, Open, Reconciled, Refused},
    report::Report,
    rights::{
        Certificate, Correction, Delivered, Fed, Feed, Felt, Grant, Knock, Scope, Subscription,
        Wish,
    },
    run::Torture,
    seen::{About, Agency, Content, Context, Event, Published, Reader, Seen, Sighting},
};
