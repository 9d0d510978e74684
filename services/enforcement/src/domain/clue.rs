use std::sync::Arc;

use onenet_kernel::{Aggregate, Key, Timestamp};
use onenet_standards::Uscc;
use uuid::Uuid;

/// A clue to a violation (违法线索): what an organ has to look at. It is no case and becomes none by
/// itself.
#[derive(Clone, Debug, Default)]
pub struct Clue {
    recorded: Option<Arc<OverdueDanger>>,
}

/// A hidden danger that its enterprise left beyond the deadline of an order (逾期未整改).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverdueDanger {
    /// The clue's id, derived from the event.
    pub clue_id: Uuid,
    /// The event that the clue follows from.
    pub event_id: Uuid,
    /// The organ that has to look at it.
    pub organ: Uscc,
    /// The hidden danger.
    pub hidden_danger_id: Uuid,
    /// The enterprise.
    pub enterprise: Uscc,
    /// Its division when the danger was reported.
    pub division: String,
    /// Its industry when the danger was reported (GB/T 4754).
    pub industry: String,
    /// What was found.
    pub description: String,
    /// Whether it is 重大隐患.
    pub is_major: bool,
    /// Code of the criterion that makes it one.
    pub criterion: Option<String>,
    /// The department that ordered the rectification.
    pub ordered_by: Uscc,
    /// Number of the order's document.
    pub document_number: String,
    /// The first instant after the time given.
    pub due_at: Timestamp,
    /// How often it had escalated.
    pub escalation_level: u32,
    /// The articles that the deadline rests on.
    pub legal_basis: String,
    /// How the organ was found; `None` where it was not asked for its power, as of old.
    pub addressing: Option<Addressing>,
}

/// How the organ of a clue was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressing {
    /// The organ the danger was with: the department that ordered, or the one it had escalated to.
    pub danger_organ: Uscc,
    /// Why the clue's organ is the one that has to look at it.
    pub ground: AddressingGround,
}

/// Why an organ has to look at a clue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressingGround {
    /// The danger was with it, and it has the power to punish (行政处罚权).
    OwnPower,
    /// It has the power in the division of the organ that the danger was with.
    SameDivision,
    /// The same, in the nearest division above.
    DivisionAbove,
    /// No organ with the power is known: the danger was with it.
    NoPowerKnown,
}

/// What is asked of a clue.
#[derive(Clone, Debug)]
pub enum ClueCommand {
    /// Records it (线索登记).
    RecordClue {
        /// What it says.
        danger: Box<OverdueDanger>,
    },
}

/// What happened to a clue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClueEvent {
    /// It was recorded.
    ClueRecorded {
        /// What it says.
        danger: Box<OverdueDanger>,
    },
}

/// Why a clue refuses: it never does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClueRejection {}

/// The clue that follows from an event: an event is one clue at most.
#[must_use]
pub fn clue_id(event_id: Uuid) -> Uuid {
    Uuid::new_v5(&event_id, b"clue")
}

impl Aggregate for Clue {
    const CATEGORY: &'static str = "clue";
    type Command = ClueCommand;
    type Event = ClueEvent;
    type Rejection = ClueRejection;

    fn decide(&self, command: &ClueCommand) -> Result<Vec<ClueEvent>, ClueRejection> {
        match command {
            ClueCommand::RecordClue { .. } if self.recorded.is_some() => Ok(vec![]),
            ClueCommand::RecordClue { danger } => {
                Ok(vec![ClueEvent::ClueRecorded { danger: danger.clone() }])
            }
        }
    }

    fn evolve(&mut self, event: &ClueEvent) {
        match event {
            ClueEvent::ClueRecorded { danger } => {
                self.recorded = Some(Arc::new(OverdueDanger::clone(danger)));
            }
        }
    }

    fn key(&self) -> Key {
        self.recorded.as_deref().map_or_else(Key::default, |danger| Key {
            subject: danger.enterprise.to_string(),
            division: danger.division.clone(),
            industry: danger.industry.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use onenet_kernel::testing::given;

    use super::*;

    fn overdue(level: u32) -> Box<OverdueDanger> {
        let event_id = Uuid::from_u128(7);
        let organ = Uscc::from_body("11410102MB1234561").unwrap();
        Box::new(OverdueDanger {
            clue_id: clue_id(event_id),
            event_id,
            organ: organ.clone(),
            hidden_danger_id: Uuid::from_u128(8),
            enterprise: Uscc::from_body("91410100MA1B3N1N2").unwrap(),
            division: "410102".to_owned(),
            industry: "2614".to_owned(),
            description: "液化烃储罐未设注水措施".to_owned(),
            is_major: true,
            criterion: Some("CHEM-06".to_owned()),
            ordered_by: organ,
            document_number: "责改〔2026〕7号".to_owned(),
            due_at: Timestamp::from_micros(1_780_000_000_000_000),
            escalation_level: level,
            legal_basis: "安全生产法第一百零二条".to_owned(),
            addressing: None,
        })
    }

    #[test]
    fn an_overdue_danger_is_recorded_under_its_enterprise() {
        let clue = given::<Clue>([])
            .when(&ClueCommand::RecordClue { danger: overdue(0) })
            .then([ClueEvent::ClueRecorded { danger: overdue(0) }])
            .state();
        assert_eq!(clue.key().subject, overdue(0).enterprise.to_string());
    }

    #[test]
    fn the_same_event_again_is_no_second_clue() {
        given::<Clue>([ClueEvent::ClueRecorded { danger: overdue(1) }])
            .when(&ClueCommand::RecordClue { danger: overdue(1) })
            .then_nothing();
    }
}
