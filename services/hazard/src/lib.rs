//! Hazard (危险源、隐患): major hazards of hazardous chemicals (危险化学品重大危险源), from identification to
//! filing, and hidden dangers (事故隐患), from report to acceptance.
//!
//! [`MajorHazard`](domain::MajorHazard), one stream per major hazard (`major_hazard-<UUID>`, subject: the
//! enterprise's USCC).
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
//! [`HiddenDanger`](domain::HiddenDanger), one stream per hidden danger (`hidden_danger-<UUID>`, the same
//! subject). Every event that arms, meets or passes a deadline carries its
//! [`Obligation`](domain::Obligation).
//!
//! | Command | From | Fact | What it means |
//! |---|---|---|---|
//! | `ReportHiddenDanger` | both | `HiddenDangerReported` | found and reported (自查自报, 部门检查发现) |
//! | `GradeHiddenDanger` | both | `HiddenDangerGraded` | 一般, or 重大 by a cited criterion |
//! | `OrderRectification` | department | `RectificationOrdered` | 责令限期整改: the deadline runs |
//! | `ReportTreatment` | enterprise | `TreatmentReported` | 治理情况, of a major one to both (双报告) |
//! | `RectifyHiddenDanger` | enterprise | `HiddenDangerRectified` | it is gone, as the enterprise says |
//! | `AcceptRectification` | both | `RectificationAccepted` | 验收: the end |
//! | `RecheckHiddenDanger` | both | `HiddenDangerRechecked`, `HiddenDangerReopened` | 复查 |
//! | `CorrectHiddenDanger` | reporter | `HiddenDangerCorrected` | names the events it corrects |
//! | `CorrectTreatmentReport` | enterprise | `TreatmentReportCorrected` | the same of one report |
//! | `WithdrawHiddenDanger` | reporter | `HiddenDangerWithdrawn` | names every event of the danger |
//! | `PassDeadline` | timer | `HiddenDangerOverdue` | what enforcement needs for a clue |
//! | `Escalate` | timer | `HiddenDangerEscalated` | to the organ of the same function one tier up |
//! | `RescheduleDeadline` | timer | `RectificationRescheduled` | a holiday notice moved the deadline |
//!
//! Invariants:
//!
//! * a department's finding, and what a department ordered, is accepted by that department; a general
//!   danger of its own finding by the enterprise, a major one never;
//! * a major danger is not rectified before its treatment was reported to both, and not accepted without
//!   a third party where the rules of the day ask for one; a correction of such a report keeps both
//!   receipts;
//! * what a department has graded, the enterprise does not grade anew; what a department has in hand, the
//!   enterprise does not withdraw;
//! * escalation follows the jurisdiction, never the code, and ends at the province;
//! * a timer is never refused: a deadline that no longer fits is none;
//! * S < 1 is no major hazard and is refused, with S;
//! * an identification keeps every figure it rests on and the version of the standard;
//! * each accepted identification is a major hazard of its own: nothing is merged or overwritten;
//! * a major hazard is filed once; the same filing again changes nothing.
#![warn(missing_docs)]

mod adapters;
mod app;
pub mod domain;

pub use adapters::context;
