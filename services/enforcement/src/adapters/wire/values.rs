use onenet_chassis::{
    same_names,
    stored::{Coded as _, Malformed, choice, read, required},
};
use onenet_proto::{common::v1::Money, enforcement::v1 as proto};
use onenet_standards::{decimal_text, exact};

use crate::domain::{Fine, Party, PartyKind, Penalty, PenaltyKind};

same_names! {
    PartyKind = proto::PartyKind { Unit Institution }
    PenaltyKind = proto::PenaltyKind {
        Warning Criticism Fine Confiscation LicenceSuspension Downgrade LicenceRevocation
        ActivityBan SuspensionOfBusiness Closure CareerBan
    }
}

impl From<&Party> for proto::Party {
    fn from(party: &Party) -> Self {
        Self {
            uscc: party.uscc.to_string(),
            name: party.name.clone(),
            kind: party.kind.to_contract().into(),
            division: party.division.clone(),
            industry: party.industry.clone(),
        }
    }
}

impl TryFrom<proto::Party> for Party {
    type Error = Malformed;

    fn try_from(party: proto::Party) -> Result<Self, Malformed> {
        Ok(Self {
            uscc: read("uscc", &party.uscc)?,
            name: party.name,
            kind: choice("kind", party.kind)?,
            division: party.division,
            industry: party.industry,
        })
    }
}

impl From<&Penalty> for proto::Penalty {
    fn from(penalty: &Penalty) -> Self {
        let multiple = penalty.fine.as_ref().and_then(|fine| fine.multiple.as_ref());
        Self {
            document_number: penalty.document_number.clone(),
            decided_on: penalty.decided_on.to_string(),
            violations: penalty.violations.clone(),
            kinds: penalty.kinds.iter().map(|kind| kind.to_contract().into()).collect(),
            fine: penalty.fine.as_ref().map(|fine| Money { fen: fine.fen }),
            fine_multiple: multiple.map(decimal_text),
            legal_basis: penalty.legal_basis.clone(),
            summary: penalty.summary.clone(),
        }
    }
}

impl TryFrom<proto::Penalty> for Penalty {
    type Error = Malformed;

    fn try_from(penalty: proto::Penalty) -> Result<Self, Malformed> {
        let multiple = penalty.fine_multiple.as_deref().map(exact).transpose();
        let multiple = multiple.map_err(|error| Malformed::new("fine_multiple", error))?;
        let fine = match (penalty.fine, multiple) {
            (None, None) => None,
            (fine, multiple) => Some(Fine { fen: required("fine", fine)?.fen, multiple }),
        };
        let kinds = penalty.kinds.into_iter().map(|kind| choice("kinds", kind));
        Ok(Self {
            document_number: penalty.document_number,
            decided_on: read("decided_on", &penalty.decided_on)?,
            violations: penalty.violations,
            kinds: kinds.collect::<Result<_, _>>()?,
            fine,
            legal_basis: penalty.legal_basis,
            summary: penalty.summary,
        })
    }
}
