use onenet_chassis::{
    same_names,
    stored::{Coded as _, Malformed, choice, read, required},
};
use onenet_proto::credit::v1 as proto;

use super::procedure::{kind, kind_code};
use crate::domain::{
    BlacklistEntry, DecidedRemoval, Listing, ListingLevel, Measure, MeasureEffect, MeasureField,
    Removal, RemovalGround,
};

same_names! {
    ListingLevel = proto::ListingLevel { SeriouslyDishonest }
    MeasureField = proto::MeasureField {
        Financing GovernmentProcurement Tendering StateLand Honours Qualification
    }
    MeasureEffect = proto::MeasureEffect { Restrict Forbid }
}

impl From<&BlacklistEntry> for proto::BlacklistEntry {
    fn from(entry: &BlacklistEntry) -> Self {
        Self {
            subject: entry.subject.to_string(),
            name: entry.name.clone(),
            kind: kind_code(entry.kind),
            in_force: entry.in_force.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<proto::BlacklistEntry> for BlacklistEntry {
    type Error = Malformed;

    fn try_from(entry: proto::BlacklistEntry) -> Result<Self, Malformed> {
        let in_force = entry.in_force.into_iter().map(TryInto::try_into);
        Ok(Self {
            subject: read("subject", &entry.subject)?,
            name: entry.name,
            kind: kind(entry.kind)?,
            in_force: in_force.collect::<Result<_, _>>()?,
        })
    }
}

impl From<&Listing> for proto::Listing {
    fn from(listing: &Listing) -> Self {
        Self {
            listing_id: listing.listing_id.to_string(),
            level: listing.level.to_contract().into(),
            rule_set: listing.rule_set.clone(),
            trigger: listing.trigger.clone(),
            penalty_case_id: listing.penalty_case_id.to_string(),
            penalty_organ: listing.penalty_organ.to_string(),
            penalty_document_number: listing.penalty_document_number.clone(),
            decision_organ: listing.decision_organ.to_string(),
            decision_document_number: listing.decision_document_number.clone(),
            decided_on: listing.decided_on.to_string(),
            listed_on: listing.listed_on.to_string(),
            expires_on: listing.expires_on.to_string(),
            measures: listing.measures.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<proto::Listing> for Listing {
    type Error = Malformed;

    fn try_from(listing: proto::Listing) -> Result<Self, Malformed> {
        let measures = listing.measures.into_iter().map(TryInto::try_into);
        Ok(Self {
            listing_id: read("listing_id", &listing.listing_id)?,
            level: choice("level", listing.level)?,
            rule_set: listing.rule_set,
            trigger: listing.trigger,
            penalty_case_id: read("penalty_case_id", &listing.penalty_case_id)?,
            penalty_organ: read("penalty_organ", &listing.penalty_organ)?,
            penalty_document_number: listing.penalty_document_number,
            decision_organ: read("decision_organ", &listing.decision_organ)?,
            decision_document_number: listing.decision_document_number,
            decided_on: read("decided_on", &listing.decided_on)?,
            listed_on: read("listed_on", &listing.listed_on)?,
            expires_on: read("expires_on", &listing.expires_on)?,
            measures: measures.collect::<Result<_, _>>()?,
        })
    }
}

impl From<&Measure> for proto::Measure {
    fn from(measure: &Measure) -> Self {
        Self {
            field: measure.field.to_contract().into(),
            effect: measure.effect.to_contract().into(),
            legal_basis: measure.legal_basis.clone(),
            executing_organ: measure.executing_organ.to_string(),
        }
    }
}

impl TryFrom<proto::Measure> for Measure {
    type Error = Malformed;

    fn try_from(measure: proto::Measure) -> Result<Self, Malformed> {
        Ok(Self {
            field: choice("field", measure.field)?,
            effect: choice("effect", measure.effect)?,
            legal_basis: measure.legal_basis,
            executing_organ: read("executing_organ", &measure.executing_organ)?,
        })
    }
}

impl From<&Removal> for proto::Removal {
    fn from(removal: &Removal) -> Self {
        match removal {
            Removal::Expired { removed_on } => Self {
                reason: proto::RemovalReason::Expired.into(),
                removed_on: removed_on.to_string(),
                document_number: None,
            },
            Removal::Decided(DecidedRemoval { ground, removed_on, document_number }) => Self {
                reason: reason(*ground).into(),
                removed_on: removed_on.to_string(),
                document_number: Some(document_number.clone()),
            },
        }
    }
}

impl TryFrom<proto::Removal> for Removal {
    type Error = Malformed;

    fn try_from(removal: proto::Removal) -> Result<Self, Malformed> {
        let removed_on = read("removed_on", &removal.removed_on)?;
        let ground = match removal.reason() {
            proto::RemovalReason::Expired => return Ok(Self::Expired { removed_on }),
            proto::RemovalReason::EarlyExit => RemovalGround::EarlyExit,
            proto::RemovalReason::PenaltyRevoked => RemovalGround::PenaltyRevoked,
            proto::RemovalReason::DecisionRevoked => RemovalGround::DecisionRevoked,
            proto::RemovalReason::Unspecified => {
                return Err(Malformed::new("reason", "has no meaning"));
            }
        };
        let document_number = required("document_number", removal.document_number)?;
        Ok(Self::Decided(DecidedRemoval { ground, removed_on, document_number }))
    }
}

fn reason(ground: RemovalGround) -> proto::RemovalReason {
    match ground {
        RemovalGround::EarlyExit => proto::RemovalReason::EarlyExit,
        RemovalGround::PenaltyRevoked => proto::RemovalReason::PenaltyRevoked,
        RemovalGround::DecisionRevoked => proto::RemovalReason::DecisionRevoked,
    }
}
