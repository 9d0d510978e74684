mod command;
mod credit_case;
mod event;
mod rejection;

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;
use onenet_kernel::{Aggregate, Key};
use onenet_standards::{
    Uscc,
    listing::{Judgement, ListingRules},
};
use uuid::Uuid;

use self::{
    DishonestSubjectCommand as Command, DishonestSubjectEvent as Event,
    DishonestSubjectRejection as Rejection, credit_case::CreditCase,
};
pub use self::{
    command::DishonestSubjectCommand, event::DishonestSubjectEvent,
    rejection::DishonestSubjectRejection,
};
use super::{BlacklistEntry, PenaltyFacts, Proposal, Subject};

/// 应急管理部令第11号: the organ that decided the penalty decides the listing and answers for it.
const PENALTY_ORGAN_DECIDES: &str = "谁处罚、谁决定、谁负责";

type Decision = Result<Vec<Event>, Rejection>;

/// A subject (失信主体) with all its penalties, credit cases and listings.
#[derive(Clone, Debug, Default)]
pub struct DishonestSubject {
    subject: Option<Arc<Subject>>,
    /// Penalties that opened no case, by their enforcement case.
    without_case: BTreeMap<Uuid, Arc<JudgedPenalty>>,
    cases: BTreeMap<Uuid, Arc<CreditCase>>,
    entry: Option<Arc<BlacklistEntry>>,
}

#[derive(Debug)]
struct JudgedPenalty {
    subject: Subject,
    facts: PenaltyFacts,
}

/// The credit case that a penalty opens, by rule or by proposal: a penalty opens one at most.
#[must_use]
pub fn credit_case_id(penalty_case_id: Uuid) -> Uuid {
    Uuid::new_v5(&penalty_case_id, b"credit_case")
}

impl Aggregate for DishonestSubject {
    const CATEGORY: &'static str = "dishonest_subject";
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Decision {
        match command {
            Command::JudgePenalty { subject, penalty, judgement } => {
                Ok(self.judge(subject, penalty, judgement))
            }
            Command::ProposeListing { penalty_case_id, trigger, proposal, rules } => {
                self.propose(*penalty_case_id, trigger, proposal, rules)
            }
            Command::ServeListingNotice { credit_case_id, organ, notice, period } => {
                self.case(*credit_case_id, organ)?.serve_notice(notice, period)
            }
            Command::RecordStatement { credit_case_id, organ, statement } => {
                self.case(*credit_case_id, organ)?.record_statement(statement)
            }
            Command::DecideListing { credit_case_id, organ, decision } => {
                self.case(*credit_case_id, organ)?.decide_listing(decision)
            }
            Command::ServeListingDecision { credit_case_id, organ, served_on, rules } => {
                let case = self.case(*credit_case_id, organ)?;
                case.serve_decision(*served_on, rules, self.entry.as_deref())
            }
            Command::RemoveListing { listing_id, organ, removal, rules } => {
                let case = self.case(*listing_id, organ)?;
                case.remove_listing(removal, rules, self.entry.as_deref())
            }
            Command::RescheduleStatementPeriod { credit_case_id, due_at, period } => {
                let case = self.cases.get(credit_case_id);
                Ok(case.map_or_else(Vec::new, |case| case.reschedule(*due_at, period)))
            }
            Command::EndStatementPeriod { credit_case_id, due_at } => {
                let case = self.cases.get(credit_case_id);
                Ok(case.map_or_else(Vec::new, |case| case.end_statement_period(*due_at)))
            }
            Command::ExpireListing { listing_id, due_at } => {
                let case = self.cases.get(listing_id);
                let entry = self.entry.as_deref();
                Ok(case.map_or_else(Vec::new, |case| case.expire_listing(*due_at, entry)))
            }
        }
    }

    fn evolve(&mut self, event: &Event) {
        match event {
            Event::CreditCaseOpened {
                credit_case_id,
                subject,
                penalty,
                rule_set,
                trigger,
                proposal,
            } => {
                self.subject = Some(Arc::new(subject.clone()));
                self.without_case.remove(&penalty.case_id);
                let (id, proposal) = (*credit_case_id, proposal.clone());
                let case = CreditCase::new(id, subject, penalty, rule_set, trigger, proposal);
                self.cases.insert(id, Arc::new(case));
            }
            Event::CreditCaseNotOpened { subject, penalty, .. } => {
                self.subject = Some(Arc::new(subject.clone()));
                let judged = JudgedPenalty { subject: subject.clone(), facts: penalty.clone() };
                self.without_case.insert(penalty.case_id, Arc::new(judged));
            }
            Event::ListingNoticeServed { credit_case_id, .. }
            | Event::StatementRecorded { credit_case_id, .. }
            | Event::StatementPeriodRescheduled { credit_case_id, .. }
            | Event::StatementPeriodEnded { credit_case_id, .. }
            | Event::ListingDecided { credit_case_id, .. } => {
                self.evolve_case(*credit_case_id, event);
            }
            Event::SubjectListed { listing_id, entry, .. } => {
                self.entry = Some(Arc::new(entry.clone()));
                self.evolve_case(*listing_id, event);
            }
            Event::SubjectRemoved { listing_id, entry, .. } => {
                self.entry = entry.clone().map(Arc::new);
                self.evolve_case(*listing_id, event);
            }
        }
    }

    fn key(&self) -> Key {
        self.subject.as_deref().map_or_else(Key::default, |subject| Key {
            subject: subject.uscc.to_string(),
            division: subject.division.clone(),
            industry: subject.industry.clone(),
        })
    }
}

impl DishonestSubject {
    /// A judged penalty and its subject, as it was named then.
    #[must_use]
    pub fn penalty(&self, penalty_case_id: Uuid) -> Option<(&Subject, &PenaltyFacts)> {
        let without_case = self.without_case.get(&penalty_case_id);
        let without_case = without_case.map(|judged| (&judged.subject, &judged.facts));
        without_case.or_else(|| self.case_of_penalty(penalty_case_id).map(CreditCase::penalised))
    }

    /// The subject of a credit case, as its penalty named it.
    #[must_use]
    pub fn subject_of(&self, credit_case_id: Uuid) -> Option<&Subject> {
        self.cases.get(&credit_case_id).map(|case| case.penalised().0)
    }

    /// The day from which the time for a statement is counted, while it runs.
    #[must_use]
    pub fn counted_from(&self, credit_case_id: Uuid) -> Option<Date> {
        self.cases.get(&credit_case_id)?.counted_from()
    }

    /// The rule set that a credit case is judged by.
    #[must_use]
    pub fn rule_set_of(&self, credit_case_id: Uuid) -> Option<&str> {
        self.cases.get(&credit_case_id).map(|case| case.rule_set())
    }

    fn judge(
        &self,
        subject: &Subject,
        penalty: &PenaltyFacts,
        judgement: &Judgement,
    ) -> Vec<Event> {
        let is_judged = self.without_case.contains_key(&penalty.case_id);
        if is_judged || self.case_of_penalty(penalty.case_id).is_some() {
            return vec![];
        }
        let (subject, penalty) = (subject.clone(), penalty.clone());
        vec![match judgement.clone() {
            Judgement::Opens { rule_set, trigger } => Event::CreditCaseOpened {
                credit_case_id: credit_case_id(penalty.case_id),
                subject,
                penalty,
                rule_set,
                trigger,
                proposal: None,
            },
            Judgement::NotOpened { outcome, rule_set, triggers } => {
                Event::CreditCaseNotOpened { subject, penalty, outcome, rule_set, triggers }
            }
        }]
    }

    fn propose(
        &self,
        penalty_case_id: Uuid,
        trigger: &str,
        proposal: &Proposal,
        rules: &ListingRules,
    ) -> Decision {
        if let Some(case) = self.case_of_penalty(penalty_case_id) {
            only_for(case.organ(), &proposal.organ)?;
            let is_same = case.was_proposed(trigger, proposal);
            let refused = Rejection::CaseAlreadyOpen { credit_case_id: case.id() };
            return if is_same { Ok(vec![]) } else { Err(refused) };
        }
        let JudgedPenalty { subject, facts } =
            &**self.without_case.get(&penalty_case_id).ok_or(Rejection::PenaltyUnknown)?;
        only_for(&facts.organ, &proposal.organ)?;
        let rule_set = rules.propose(facts.effective_on, subject.kind, trigger)?;
        Ok(vec![Event::CreditCaseOpened {
            credit_case_id: credit_case_id(penalty_case_id),
            subject: subject.clone(),
            penalty: facts.clone(),
            rule_set: rule_set.to_owned(),
            trigger: trigger.to_owned(),
            proposal: Some(proposal.clone()),
        }])
    }

    /// The case, for its organ.
    fn case(&self, credit_case_id: Uuid, organ: &Uscc) -> Result<&CreditCase, Rejection> {
        let case = self.cases.get(&credit_case_id).ok_or(Rejection::CreditCaseUnknown)?;
        only_for(case.organ(), organ)?;
        Ok(case)
    }

    fn case_of_penalty(&self, penalty_case_id: Uuid) -> Option<&CreditCase> {
        self.cases
            .values()
            .map(|case| &**case)
            .find(|case| case.penalty_case_id() == penalty_case_id)
    }

    fn evolve_case(&mut self, credit_case_id: Uuid, event: &Event) {
        if let Some(case) = self.cases.get_mut(&credit_case_id) {
            Arc::make_mut(case).evolve(event);
        }
    }
}

fn only_for(organ_of_penalty: &Uscc, organ: &Uscc) -> Result<(), Rejection> {
    if organ_of_penalty == organ {
        Ok(())
    } else {
        Err(Rejection::NotAuthorised { rule: PENALTY_ORGAN_DECIDES })
    }
}

#[cfg(test)]
mod tests;
