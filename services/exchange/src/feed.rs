//! The feed: every context's events in one gapless order, and the streams that subscribers read it by.

mod corrections;
mod deliveries;
mod directory;
mod fill;
mod filter;
mod live;
mod meters;
mod passing;
mod reached;
mod subscription;
mod tail;
#[cfg(test)]
mod tests;
mod token;

pub use directory::{Directory, Snapshot};
pub use fill::Fill;
pub use filter::Filter;
pub use live::{Subscriptions, Wanted};
pub use tail::{FeedEvent, Tail};
pub use token::{Resume, Tokens};

/// Schema of the feed's log.
pub const FEED: &str = "exchange_feed";

/// The events that leave the node: decided facts. What leads to them (proposals, notices, statements,
/// a case that has no effect yet) stays inside.
pub const SHARED: &[&str] = &[
    "onenet.enterprise.v1.DivisionRegistered",
    "onenet.enterprise.v1.OrganisationRegistered",
    "onenet.enterprise.v1.EnterpriseRegistered",
    "onenet.enterprise.v1.KeyEnterpriseDesignated",
    "onenet.hazard.v1.MajorHazardIdentified",
    "onenet.hazard.v1.MajorHazardFiled",
    "onenet.hazard.v1.HiddenDangerReported",
    "onenet.hazard.v1.HiddenDangerGraded",
    "onenet.hazard.v1.RectificationOrdered",
    "onenet.hazard.v1.TreatmentReported",
    "onenet.hazard.v1.HiddenDangerRectified",
    "onenet.hazard.v1.RectificationAccepted",
    "onenet.hazard.v1.HiddenDangerRechecked",
    "onenet.hazard.v1.HiddenDangerReopened",
    "onenet.hazard.v1.HiddenDangerOverdue",
    "onenet.hazard.v1.HiddenDangerEscalated",
    "onenet.hazard.v1.RectificationRescheduled",
    "onenet.hazard.v1.HiddenDangerCorrected",
    "onenet.hazard.v1.TreatmentReportCorrected",
    "onenet.hazard.v1.HiddenDangerWithdrawn",
    "onenet.enforcement.v1.PenaltyTookEffect",
    "onenet.credit.v1.SubjectListed",
    "onenet.credit.v1.SubjectRemoved",
];
