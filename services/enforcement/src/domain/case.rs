use std::sync::Arc;

use jiff::civil::Date;
use onenet_kernel::{Aggregate, Key};
use onenet_standards::Uscc;
use uuid::Uuid;

use super::{Party, Penalty};

/// A case (案件) from its filing to the effect of its penalty.
#[derive(Clone, Debug, Default)]
pub struct Case {
    opened: Option<Arc<Opened>>,
    penalty: Option<Arc<Penalty>>,
    effective_on: Option<Date>,
}

#[derive(Debug)]
struct Opened {
    case_id: Uuid,
    organ: Uscc,
    party: Party,
    filed_on: Date,
}

/// What an organ asks of a case.
#[derive(Clone, Debug)]
pub enum CaseCommand {
    /// Opens it (立案).
    OpenCase {
        /// A new id.
        case_id: Uuid,
        /// The organ whose case it will be.
        organ: Uscc,
        /// The party, as the register has it now.
        party: Party,
        /// The day of filing (立案日期).
        filed_on: Date,
        /// What it is about (案由).
        cause: String,
    },
    /// Decides its penalty.
    DecidePenalty {
        /// The acting organ.
        organ: Uscc,
        /// The penalty.
        penalty: Penalty,
    },
    /// Records the service (送达) of its penalty.
    ServePenalty {
        /// The acting organ.
        organ: Uscc,
        /// The day of service.
        served_on: Date,
    },
}

/// What happened in a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseEvent {
    /// An organ opened it.
    CaseOpened {
        /// The case.
        case_id: Uuid,
        /// The organ whose case it is.
        organ: Uscc,
        /// The party.
        party: Party,
        /// The day of filing.
        filed_on: Date,
        /// What it is about.
        cause: String,
    },
    /// Its organ decided a penalty, which has no effect before service.
    PenaltyDecided {
        /// The case.
        case_id: Uuid,
        /// The organ that decided.
        organ: Uscc,
        /// The party.
        party: Party,
        /// The penalty.
        penalty: Penalty,
    },
    /// The penalty took effect by service.
    PenaltyTookEffect {
        /// The case.
        case_id: Uuid,
        /// The organ that decided.
        organ: Uscc,
        /// The party.
        party: Party,
        /// The whole penalty, so that others can judge it.
        penalty: Penalty,
        /// The day of service, from which it has effect.
        effective_on: Date,
    },
}

/// Why a case refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseRejection {
    /// No such case was opened.
    #[error("no case has this id")]
    CaseUnknown,
    /// The case is another organ's.
    #[error("the case is another organ's: {rule}")]
    NotAuthorised {
        /// The rule that was not met.
        rule: &'static str,
    },
    /// The case has another penalty.
    #[error("the case has another penalty already")]
    PenaltyAlreadyDecided,
    /// There is nothing to serve.
    #[error("the case has no penalty yet")]
    PenaltyNotDecided,
    /// The penalty has effect from another day.
    #[error("the penalty was served on another day")]
    PenaltyAlreadyServed,
    /// A day lies before the step it has to follow.
    #[error("the first day allowed is {earliest}")]
    DateTooEarly {
        /// The day of the step before.
        earliest: Date,
    },
}

/// A case is handled by the organ that filed it.
pub(super) const OWN_CASE: &str = "案件由立案机关办理";

impl Aggregate for Case {
    const CATEGORY: &'static str = "case";
    type Command = CaseCommand;
    type Event = CaseEvent;
    type Rejection = CaseRejection;

    fn decide(&self, command: &CaseCommand) -> Result<Vec<CaseEvent>, CaseRejection> {
        match command {
            CaseCommand::OpenCase { case_id, organ, party, filed_on, cause } => {
                // the id comes from the command: only a retry meets its own case, and the log
                // itself refuses a retry with another content
                if self.opened.is_some() {
                    return Ok(vec![]);
                }
                Ok(vec![CaseEvent::CaseOpened {
                    case_id: *case_id,
                    organ: organ.clone(),
                    party: party.clone(),
                    filed_on: *filed_on,
                    cause: cause.clone(),
                }])
            }
            CaseCommand::DecidePenalty { organ, penalty } => self.decide_penalty(organ, penalty),
            CaseCommand::ServePenalty { organ, served_on } => self.serve_penalty(organ, *served_on),
        }
    }

    fn evolve(&mut self, event: &CaseEvent) {
        match event {
            CaseEvent::CaseOpened { case_id, organ, party, filed_on, cause: _ } => {
                self.opened = Some(Arc::new(Opened {
                    case_id: *case_id,
                    organ: organ.clone(),
                    party: party.clone(),
                    filed_on: *filed_on,
                }));
            }
            CaseEvent::PenaltyDecided { penalty, .. } => {
                self.penalty = Some(Arc::new(penalty.clone()));
            }
            CaseEvent::PenaltyTookEffect { effective_on, .. } => {
                self.effective_on = Some(*effective_on);
            }
        }
    }

    fn key(&self) -> Key {
        self.opened.as_deref().map_or_else(Key::default, |Opened { party, .. }| Key {
            subject: party.uscc.to_string(),
            division: party.division.clone(),
            industry: party.industry.clone(),
        })
    }
}

impl Case {
    /// The organ whose case it is, and the party; `None` where it was never opened.
    #[must_use]
    pub fn between(&self) -> Option<(&Uscc, &Party)> {
        self.opened.as_deref().map(|Opened { organ, party, .. }| (organ, party))
    }

    fn of_organ(&self, organ: &Uscc) -> Result<&Opened, CaseRejection> {
        let opened = self.opened.as_deref().ok_or(CaseRejection::CaseUnknown)?;
        if opened.organ != *organ {
            return Err(CaseRejection::NotAuthorised { rule: OWN_CASE });
        }
        Ok(opened)
    }

    fn decide_penalty(
        &self,
        organ: &Uscc,
        penalty: &Penalty,
    ) -> Result<Vec<CaseEvent>, CaseRejection> {
        let opened = self.of_organ(organ)?;
        if let Some(decided) = self.penalty.as_deref() {
            let is_same = decided == penalty;
            return if is_same { Ok(vec![]) } else { Err(CaseRejection::PenaltyAlreadyDecided) };
        }
        not_before(opened.filed_on, penalty.decided_on)?;
        Ok(vec![CaseEvent::PenaltyDecided {
            case_id: opened.case_id,
            organ: opened.organ.clone(),
            party: opened.party.clone(),
            penalty: penalty.clone(),
        }])
    }

    fn serve_penalty(
        &self,
        organ: &Uscc,
        served_on: Date,
    ) -> Result<Vec<CaseEvent>, CaseRejection> {
        let opened = self.of_organ(organ)?;
        let penalty = self.penalty.as_deref().ok_or(CaseRejection::PenaltyNotDecided)?;
        if let Some(effective_on) = self.effective_on {
            let is_same = effective_on == served_on;
            return if is_same { Ok(vec![]) } else { Err(CaseRejection::PenaltyAlreadyServed) };
        }
        not_before(penalty.decided_on, served_on)?;
        Ok(vec![CaseEvent::PenaltyTookEffect {
            case_id: opened.case_id,
            organ: opened.organ.clone(),
            party: opened.party.clone(),
            penalty: penalty.clone(),
            effective_on: served_on,
        }])
    }
}

fn not_before(earliest: Date, day: Date) -> Result<(), CaseRejection> {
    if day < earliest { Err(CaseRejection::DateTooEarly { earliest }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
