use std::sync::Arc;

use num_rational::BigRational;
use onenet_kernel::{Aggregate, Key};
use onenet_standards::{Uscc, gb18218::Level};
use uuid::Uuid;

use super::{Assessment, Filing, HazardUnit, Identification, OnBehalf};

/// A major hazard (重大危险源) from its identification on.
#[derive(Clone, Debug, Default)]
pub struct MajorHazard {
    identified: Option<Arc<Identified>>,
    filing: Option<Filing>,
}

#[derive(Debug)]
struct Identified {
    hazard_id: Uuid,
    enterprise: Uscc,
    division: String,
    industry: String,
    level: Level,
}

/// What is asked of a major hazard.
#[derive(Clone, Debug)]
pub enum MajorHazardCommand {
    /// Enters a unit as a major hazard.
    IdentifyMajorHazard {
        /// A new id.
        hazard_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// Its division now.
        division: String,
        /// Its industry now (GB/T 4754).
        industry: String,
        /// The unit.
        unit: HazardUnit,
        /// What the standard says of it.
        identification: Identification,
        /// The organisation that enters it.
        identified_by: Uscc,
        /// Given exactly where that is an authority.
        on_behalf: Option<OnBehalf>,
    },
    /// Files it (备案).
    FileMajorHazard {
        /// The filing.
        filing: Filing,
    },
}

/// What happened to a major hazard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MajorHazardEvent {
    /// A unit was identified as a major hazard and graded; it is not filed.
    MajorHazardIdentified {
        /// The major hazard.
        hazard_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// Its division on that day.
        division: String,
        /// Its industry on that day (GB/T 4754).
        industry: String,
        /// The unit.
        unit: HazardUnit,
        /// The result, with everything it was computed from.
        assessment: Box<Assessment>,
        /// The organisation that entered it.
        identified_by: Uscc,
        /// Why an authority entered it; `None` where the enterprise did.
        on_behalf: Option<OnBehalf>,
    },
    /// The county filed it (危险化学品安全法 art. 13).
    MajorHazardFiled {
        /// The major hazard.
        hazard_id: Uuid,
        /// The enterprise.
        enterprise: Uscc,
        /// The level it was filed with.
        level: Level,
        /// The filing.
        filing: Filing,
    },
}

/// Why a major hazard refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MajorHazardRejection {
    /// No such major hazard was identified.
    #[error("no major hazard has this id")]
    MajorHazardUnknown,
    /// The unit is no major hazard.
    #[error("S = {s} is below 1")]
    BelowThreshold {
        /// S = Σ q/Q.
        s: BigRational,
    },
    /// It is filed with another number or day.
    #[error("the major hazard is filed otherwise")]
    AlreadyFiled,
}

impl Aggregate for MajorHazard {
    const CATEGORY: &'static str = "major_hazard";
    type Command = MajorHazardCommand;
    type Event = MajorHazardEvent;
    type Rejection = MajorHazardRejection;

    fn decide(
        &self,
        command: &MajorHazardCommand,
    ) -> Result<Vec<MajorHazardEvent>, MajorHazardRejection> {
        match command {
            // the id comes from the command: only a retry meets its own major hazard, and the log
            // itself refuses a retry with another content
            MajorHazardCommand::IdentifyMajorHazard { .. } if self.identified.is_some() => {
                Ok(vec![])
            }
            MajorHazardCommand::IdentifyMajorHazard {
                hazard_id,
                enterprise,
                division,
                industry,
                unit,
                identification,
                identified_by,
                on_behalf,
            } => match identification {
                Identification::BelowThreshold { s } => {
                    Err(MajorHazardRejection::BelowThreshold { s: s.clone() })
                }
                Identification::MajorHazard(assessment) => {
                    Ok(vec![MajorHazardEvent::MajorHazardIdentified {
                        hazard_id: *hazard_id,
                        enterprise: enterprise.clone(),
                        division: division.clone(),
                        industry: industry.clone(),
                        unit: unit.clone(),
                        assessment: assessment.clone(),
                        identified_by: identified_by.clone(),
                        on_behalf: on_behalf.clone(),
                    }])
                }
            },
            MajorHazardCommand::FileMajorHazard { filing } => self.file(filing),
        }
    }

    fn evolve(&mut self, event: &MajorHazardEvent) {
        match event {
            MajorHazardEvent::MajorHazardIdentified {
                hazard_id,
                enterprise,
                division,
                industry,
                assessment,
                ..
            } => {
                self.identified = Some(Arc::new(Identified {
                    hazard_id: *hazard_id,
                    enterprise: enterprise.clone(),
                    division: division.clone(),
                    industry: industry.clone(),
                    level: assessment.level,
                }));
            }
            MajorHazardEvent::MajorHazardFiled { filing, .. } => self.filing = Some(filing.clone()),
        }
    }

    fn key(&self) -> Key {
        self.identified.as_deref().map_or_else(Key::default, |identified| Key {
            subject: identified.enterprise.to_string(),
            division: identified.division.clone(),
            industry: identified.industry.clone(),
        })
    }
}

impl MajorHazard {
    fn file(&self, filing: &Filing) -> Result<Vec<MajorHazardEvent>, MajorHazardRejection> {
        let identified =
            self.identified.as_deref().ok_or(MajorHazardRejection::MajorHazardUnknown)?;
        if let Some(filed) = &self.filing {
            // number and day are the filing, whichever authority of the county repeats it
            let is_same = filed.number == filing.number && filed.filed_on == filing.filed_on;
            return if is_same { Ok(vec![]) } else { Err(MajorHazardRejection::AlreadyFiled) };
        }
        Ok(vec![MajorHazardEvent::MajorHazardFiled {
            hazard_id: identified.hazard_id,
            enterprise: identified.enterprise.clone(),
            level: identified.level,
            filing: filing.clone(),
        }])
    }
}

#[cfg(test)]
mod tests;
