//! The vocabulary of hazards: units, substances, what the standard says of them, and filings; hidden
//! dangers, their grades, orders, reports and deadlines.
#![deny(clippy::wildcard_enum_match_arm)]

mod assessment;
mod danger;
mod hidden_danger;
mod major_hazard;
mod obligation;

use jiff::civil::Date;
use onenet_standards::Uscc;

pub use assessment::{AssessedSubstance, Assessment, Identification, Substance};
pub use danger::{
    Acceptance, CongressReceipt, Criterion, DepartmentReceipt, Due, Finding, FindingCause,
    FindingKind, FindingSource, Grade, Grading, NextEscalation, OverdueDanger, Recheck,
    RecheckOutcome, Rectification, RectificationOrder, Severity, ThirdPartyAcceptance, TimeGiven,
    TreatmentReport,
};
pub use hidden_danger::{
    HiddenDanger, HiddenDangerCommand, HiddenDangerEvent, HiddenDangerRejection,
};
pub use major_hazard::{MajorHazard, MajorHazardCommand, MajorHazardEvent, MajorHazardRejection};
pub use obligation::{Obligation, ObligationKind, ObligationState};
pub use onenet_standards::gb18218::Level;

/// The unit (单元) that is identified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HazardUnit {
    /// The enterprise's own name of it.
    pub name: String,
    /// How its border is drawn.
    pub kind: HazardUnitKind,
}

/// How the border of a unit is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HazardUnitKind {
    /// 生产单元: bounded by shut-off valves.
    Production,
    /// 储存单元: a tank farm bounded by dikes, or one warehouse building.
    Storage,
}

/// Why an authority entered what is the enterprise's to enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnBehalf {
    /// The reason.
    pub reason: String,
    /// Reference of the record the entry rests on (检查记录 or the like).
    pub record: String,
}

/// The filing (备案) of a major hazard with the county.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filing {
    /// The county's filing number as written: no national numbering rule is known.
    pub number: String,
    /// The day of filing.
    pub filed_on: Date,
    /// The county's authority.
    pub filed_by: Uscc,
}
