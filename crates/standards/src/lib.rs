//! Value types and rules of the field: pure, and tested with published vectors.
//!
//! A rule is data with dates. The tables under `data/` carry their source; each rule set here is read
//! from them once, by whoever starts a process, and handed to those who decide. Nothing in this crate
//! reads a clock: the day a rule is asked about is an argument.
//!
//! ```
//! use onenet_standards::Uscc;
//!
//! let uscc: Uscc = "91230500MA1B3N1N2M".parse()?;
//! assert_eq!(uscc.as_str(), "91230500MA1B3N1N2M");
//! # Ok::<(), onenet_standards::UsccError>(())
//! ```
#![warn(missing_docs)]

mod calendar;
mod decimal;
pub mod gb18218;
mod hidden_danger;
mod industry;
pub mod listing;
mod table;
mod uscc;
mod violation;

pub use calendar::{Calendar, CalendarError, Deadline, supersedes};
pub use decimal::{DecimalError, decimal_text, exact};
pub use hidden_danger::{HiddenDangerCriteria, HiddenDangerCriterion};
pub use industry::{Industries, IndustryCode};
pub use table::TableError;
pub use uscc::{Uscc, UsccError};
pub use violation::Violations;
