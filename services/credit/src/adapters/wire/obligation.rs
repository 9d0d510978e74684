use onenet_kernel::Timestamp;
use onenet_proto::common::v1 as proto;

use super::stored::{Coded, Malformed, choice, read, required, same_names};
use crate::domain::{Obligation, ObligationKind, ObligationState};

same_names! {
    ObligationState { Open Met Passed }
}

impl From<&Obligation> for proto::Obligation {
    fn from(obligation: &Obligation) -> Self {
        Self {
            id: obligation.id.to_string(),
            organ: obligation.organ.to_string(),
            kind: obligation.kind.code().to_owned(),
            legal_basis: obligation.legal_basis.clone(),
            due_at: Some(written_instant(obligation.due_at)),
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
            due_at: instant(&required("due_at", obligation.due_at)?)?,
            calendar_version: obligation.calendar_version,
            provisional: obligation.provisional,
            state: choice("state", obligation.state)?,
        })
    }
}

fn written_instant(instant: Timestamp) -> prost_types::Timestamp {
    let micros = instant.as_micros();
    // a remainder of 1,000,000 is below 2^31 even in nanoseconds
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default();
    prost_types::Timestamp { seconds: micros.div_euclid(1_000_000), nanos }
}

fn instant(written: &prost_types::Timestamp) -> Result<Timestamp, Malformed> {
    let micros = written.seconds.checked_mul(1_000_000);
    let micros = micros.and_then(|micros| micros.checked_add(i64::from(written.nanos) / 1_000));
    micros.map(Timestamp::from_micros).ok_or_else(|| Malformed::new("due_at", "out of range"))
}
