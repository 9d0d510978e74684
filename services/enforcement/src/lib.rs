//! Enforcement (执法): cases and their penalties, from filing to effect, and the clues that reach organs.
//!
//! [`Case`](domain::Case), one stream per case (`case-<UUID>`, subject: the party's USCC), decides three
//! steps, each a fact of its own:
//!
//! | Command | Fact | What it means |
//! |---|---|---|
//! | `OpenCase` | `CaseOpened` | an organ filed a case (立案) against a party |
//! | `DecidePenalty` | `PenaltyDecided` | it decided the penalty (行政处罚决定), without effect yet |
//! | `ServePenalty` | `PenaltyTookEffect` | the decision was served (送达) and has effect from that day |
//!
//! [`Clue`](domain::Clue), one stream per clue (`clue-<UUIDv5 of the event it follows from>`), is what a
//! reaction to hazard records when a hidden danger is overdue or escalates: `ClueRecorded`, for the organ
//! the danger is with where that has the power to punish (行政处罚权), else for the regulator of its division
//! or of the nearest above by jurisdiction that has; where none is known the clue says so and stays with
//! the organ the danger is with. No clue opens a case or punishes anybody; an officer does.
//!
//! Invariants:
//!
//! * a case is the business of the organ that filed it, and of no other;
//! * the days follow each other: filed, decided, served;
//! * a case has one penalty, served once; the same step again, unchanged, changes nothing;
//! * `PenaltyTookEffect` carries all that another context needs to judge the penalty.
//!
//! The party stands in a case as the register had it on the day of filing. Whether the violations
//! are codes of the list, and whether the organ has enforcement power (行政处罚权) on the day of its
//! decision, is settled before a command is made: both are facts of others.
#![warn(missing_docs)]

mod adapters;
mod app;
pub mod domain;

pub use adapters::context;
