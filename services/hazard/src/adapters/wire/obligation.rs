use onenet_chassis::{
    instant, same_names,
    stored::{Coded as _, Malformed, choice, read, required},
    timestamp,
};
use onenet_proto::common::v1 as proto;

use crate::domain::{Obligation, ObligationKind, ObligationState};

same_names! {
    ObligationState = proto::ObligationState { Open Met Passed }
}

impl From<&Obligation> for proto::Obligation {
    fn from(obligation: &Obligation) -> Self {
        Self {
            id: obligation.id.to_string(),
            organ: obligation.organ.to_string(),
            kind: obligation.kind.code().to_owned(),
            legal_basis: obligation.legal_basis.clone(),
            due_at: Some(timestamp(obligation.due_at)),
            calendar_version: obligation.calendar_version.clone(),
            provisional: obligation.provisional,
            state: obligation.state.to_contract().into(),
        }
    }
}

impl TryFrom<proto::Obligation> for Obligation {
    type Error = Malformed;

    fn try_from(obligation: proto::Obligation) -> Result<Self, Malformed> {
        let kind = ObligationKind::ALL.into_iter().find(|kind| kind.code() == obligation.kind);
        Ok(Self {
            id: read("id", &obligation.id)?,
            organ: read("organ", &obligation.organ)?,
            kind: kind.ok_or_else(|| Malformed::new("kind", &obligation.kind))?,
            legal_basis: obligation.legal_basis,
            due_at: instant(&required("due_at", obligation.due_at)?),
            calendar_version: obligation.calendar_version,
            provisional: obligation.provisional,
            state: choice("state", obligation.state)?,
        })
    }
}
