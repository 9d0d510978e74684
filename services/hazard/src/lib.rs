//! Hazard (危险源): major hazards of hazardous chemicals (危险化学品重大危险源), from identification to
//! filing.
//!
//! One aggregate, [`MajorHazard`](domain::MajorHazard), one stream per major hazard
//! (`major_hazard-<UUID>`, subject: the enterprise's USCC).
//!
//! | Command | Fact | What it means |
//! |---|---|---|
//! | `IdentifyMajorHazard` | `MajorHazardIdentified` | a unit was identified and graded (辨识、分级) |
//! | `FileMajorHazard` | `MajorHazardFiled` | the county filed it (备案) |
//!
//! [`Identification::assess`](domain::Identification::assess) computes S, α, R and the level by
//! GB 18218-2018, in exact fractions, from the design maxima of a unit's substances. What the standard
//! cannot judge (an unknown number or class) is an error of the request and never reaches the
//! aggregate.
//!
//! Invariants:
//!
//! * S < 1 is no major hazard and is refused, with S;
//! * an identification keeps every figure it rests on and the version of the standard;
//! * each accepted identification is a major hazard of its own: nothing is merged or overwritten;
//! * a major hazard is filed once; the same filing again changes nothing.
#![warn(missing_docs)]

mod adapters;
mod app;
pub mod domain;

pub use adapters::context;
