use onenet_chassis::stored::{Malformed, read, required};
use onenet_proto::enforcement::v1 as theirs;
use onenet_standards::exact;

use crate::domain::{PenaltyFacts, Subject, SubjectKind};

/// What enforcement says of a penalty in effect, as far as listing rules ask.
pub(crate) struct JudgedPenalty {
    pub(crate) subject: Subject,
    pub(crate) penalty: PenaltyFacts,
}

impl TryFrom<theirs::PenaltyTookEffect> for JudgedPenalty {
    type Error = Malformed;

    fn try_from(event: theirs::PenaltyTookEffect) -> Result<Self, Malformed> {
        let penalty = required("penalty", event.penalty)?;
        let multiple = penalty.fine_multiple.as_deref().map(exact).transpose();
        Ok(Self {
            subject: required("party", event.party)?.try_into()?,
            penalty: PenaltyFacts {
                case_id: read("case_id", &event.case_id)?,
                organ: read("organ", &event.organ)?,
                document_number: penalty.document_number,
                decided_on: read("penalty.decided_on", &penalty.decided_on)?,
                effective_on: read("effective_on", &event.effective_on)?,
                violations: penalty.violations,
                fine_multiple: multiple
                    .map_err(|error| Malformed::new("penalty.fine_multiple", error))?,
            },
        })
    }
}

impl TryFrom<theirs::Party> for Subject {
    type Error = Malformed;

    fn try_from(party: theirs::Party) -> Result<Self, Malformed> {
        let kind = match party.kind() {
            theirs::PartyKind::Unit => SubjectKind::Unit,
            theirs::PartyKind::Institution => SubjectKind::Institution,
            theirs::PartyKind::Unspecified => {
                return Err(Malformed::new("party.kind", "has no meaning"));
            }
        };
        Ok(Self {
            uscc: read("party.uscc", &party.uscc)?,
            name: party.name,
            kind,
            division: party.division,
            industry: party.industry,
        })
    }
}
