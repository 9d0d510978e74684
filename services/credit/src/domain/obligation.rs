use jiff::civil::Date;
use onenet_kernel::Timestamp;
use onenet_standards::{Deadline, Uscc, listing::Terms};
use uuid::Uuid;

use super::days;

/// A deadline in an organ's care, as it stands after the event that carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obligation {
    /// Derived from the case and the kind, hence the same in every event about this deadline.
    pub id: Uuid,
    /// The organ that has to act when it comes.
    pub organ: Uscc,
    /// What is due.
    pub kind: ObligationKind,
    /// The rule that sets it, as an officer would cite it.
    pub legal_basis: String,
    /// The first instant after the last day.
    pub due_at: Timestamp,
    /// The holiday calendar its working days were counted with; empty where calendar days count.
    pub calendar_version: String,
    /// Counted in part beyond the last published arrangement of holidays.
    pub provisional: bool,
    /// What the carrying event did to it.
    pub state: ObligationState,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObligationKind {
    /// The end of the time for a statement: the organ has to decide.
    ListingStatement,
    /// The end of a listing's term.
    ListingExpiry,
}

/// Where a deadline stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObligationState {
    /// It runs.
    Open,
    /// Fulfilled or no longer needed before it was due.
    Met,
    /// It came.
    Passed,
}

/// The time a subject has for a statement (陈述申辩期限), counted out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementPeriod {
    /// Its last day.
    pub deadline: Deadline,
    /// The calendar it was counted with.
    pub calendar_version: String,
    /// The rule that sets it: 令第11号 leaves the length to 行政处罚法, so a node's configuration says.
    pub legal_basis: String,
}

impl ObligationKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::ListingStatement, Self::ListingExpiry];

    /// Its stable code, `<context>.<deadline>`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ListingStatement => "credit.listing_statement",
            Self::ListingExpiry => "credit.listing_expiry",
        }
    }

    fn id(self, credit_case_id: Uuid) -> Uuid {
        Uuid::new_v5(&credit_case_id, self.code().as_bytes())
    }
}

impl Obligation {
    pub(super) fn statement_period(
        credit_case_id: Uuid,
        organ: &Uscc,
        period: &StatementPeriod,
    ) -> Self {
        let kind = ObligationKind::ListingStatement;
        Self {
            id: kind.id(credit_case_id),
            organ: organ.clone(),
            kind,
            legal_basis: period.legal_basis.clone(),
            due_at: days::end_of(period.deadline.on),
            calendar_version: period.calendar_version.clone(),
            provisional: period.deadline.provisional,
            state: ObligationState::Open,
        }
    }

    pub(super) fn expiry(
        credit_case_id: Uuid,
        organ: &Uscc,
        terms: &Terms,
        expires_on: Date,
    ) -> Self {
        let kind = ObligationKind::ListingExpiry;
        Self {
            id: kind.id(credit_case_id),
            organ: organ.clone(),
            kind,
            legal_basis: terms.legal_basis.clone(),
            due_at: days::start_of(expires_on),
            calendar_version: String::new(),
            provisional: false,
            state: ObligationState::Open,
        }
    }

    pub(super) fn after(&self, state: ObligationState) -> Self {
        Self { state, ..self.clone() }
    }

    /// Whether a timer for `due_at` means this deadline as it is armed now.
    pub(super) fn comes_at(&self, due_at: Timestamp) -> bool {
        self.is_open() && self.due_at == due_at
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == ObligationState::Open
    }

    pub(super) fn last_day(&self) -> Date {
        days::last_day_before(self.due_at)
    }
}
