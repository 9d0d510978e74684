use onenet_kernel::Timestamp;
use onenet_standards::Uscc;
use uuid::Uuid;

use super::{Due, NextEscalation};

/// A deadline in an organ's care, as it stands after the event that carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obligation {
    /// Derived from the danger, the kind and the number, hence the same in every event about this
    /// deadline.
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
    /// The end of the time an order gives.
    Rectification,
    /// An overdue major danger goes one tier up.
    Escalation,
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

impl ObligationKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Rectification, Self::Escalation];

    /// Its stable code, `<context>.<deadline>`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Rectification => "hazard.rectification",
            Self::Escalation => "hazard.escalation",
        }
    }
}

impl Obligation {
    /// The deadline of the danger's order with this number.
    pub(super) fn rectification(
        danger: Uuid,
        order: u32,
        organ: &Uscc,
        legal_basis: &str,
        due: &Due,
    ) -> Self {
        let kind = ObligationKind::Rectification;
        Self {
            id: Uuid::new_v5(&danger, format!("{} {order}", kind.code()).as_bytes()),
            organ: organ.clone(),
            kind,
            legal_basis: legal_basis.to_owned(),
            due_at: due.at,
            calendar_version: due.calendar_version.clone(),
            provisional: due.provisional,
            state: ObligationState::Open,
        }
    }

    /// The escalation to this level under the danger's order with this number.
    pub(super) fn escalation(
        danger: Uuid,
        order: u32,
        level: u32,
        organ: &Uscc,
        next: &NextEscalation,
    ) -> Self {
        let kind = ObligationKind::Escalation;
        Self {
            id: Uuid::new_v5(&danger, format!("{} {order} {level}", kind.code()).as_bytes()),
            organ: organ.clone(),
            kind,
            legal_basis: next.legal_basis.clone(),
            due_at: next.due_at,
            calendar_version: String::new(),
            provisional: false,
            state: ObligationState::Open,
        }
    }

    pub(super) fn after(&self, state: ObligationState) -> Self {
        Self { state, ..self.clone() }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == ObligationState::Open
    }

    /// Met, where it still runs.
    pub(super) fn met(&self) -> Option<Self> {
        self.is_open().then(|| self.after(ObligationState::Met))
    }

    /// Whether a timer for `due_at` means this deadline as it is armed now.
    pub(super) fn comes_at(&self, due_at: Timestamp) -> bool {
        self.is_open() && self.due_at == due_at
    }
}
