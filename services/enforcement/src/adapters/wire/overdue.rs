//! What hazard says of an overdue danger, as a clue.

use onenet_chassis::{
    instant,
    stored::{Malformed, read, required},
};
use onenet_proto::{common::v1::Obligation, hazard::v1 as proto};
use uuid::Uuid;

use crate::domain::{OverdueDanger, clue_id};

/// The danger became overdue: it is with the organ that ordered.
pub(crate) fn overdue(
    event_id: Uuid,
    event: proto::HiddenDangerOverdue,
) -> Result<OverdueDanger, Malformed> {
    danger(event_id, event.danger, &event.organ, event.rectification, 0)
}

/// The danger went one tier up: it is with the organ it has come to.
pub(crate) fn escalated(
    event_id: Uuid,
    event: proto::HiddenDangerEscalated,
) -> Result<OverdueDanger, Malformed> {
    danger(event_id, event.danger, &event.organ, event.rectification, event.level)
}

fn danger(
    event_id: Uuid,
    danger: Option<proto::OverdueDanger>,
    organ: &str,
    deadline: Option<Obligation>,
    escalation_level: u32,
) -> Result<OverdueDanger, Malformed> {
    let (danger, deadline) = (required("danger", danger)?, required("rectification", deadline)?);
    Ok(OverdueDanger {
        clue_id: clue_id(event_id),
        event_id,
        organ: read("organ", organ)?,
        hidden_danger_id: read("hidden_danger_id", &danger.hidden_danger_id)?,
        enterprise: read("enterprise", &danger.enterprise)?,
        is_major: danger.grade() == proto::HiddenDangerGrade::Major,
        description: required("finding", danger.finding)?.description,
        criterion: danger.criterion.and_then(|criterion| criterion.code),
        division: danger.division,
        industry: danger.industry,
        ordered_by: read("ordered_by", &danger.ordered_by)?,
        document_number: danger.document_number,
        due_at: instant(&required("due_at", deadline.due_at)?),
        escalation_level,
        legal_basis: deadline.legal_basis,
        addressing: None,
    })
}
