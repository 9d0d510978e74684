use jiff::{ToSpan as _, civil::Date};
use onenet_kernel::Timestamp;
use onenet_standards::{
    Uscc,
    listing::{ListingRules, Terms},
    supersedes,
};
use uuid::Uuid;

use super::{Decision, Event, Rejection};
use crate::domain::{
    BlacklistEntry, DecidedRemoval, Listing, ListingDecision, ListingLevel, ListingNotice,
    ListingOutcome, Obligation, ObligationState, PenaltyFacts, Proposal, Removal, RemovalGround,
    Statement, StatementPeriod, Subject,
};

/// One credit case (信用案件) and the listing it leads to.
#[derive(Clone, Debug)]
pub(super) struct CreditCase {
    id: Uuid,
    subject: Subject,
    penalty: PenaltyFacts,
    rule_set: String,
    trigger: String,
    proposal: Option<Proposal>,
    notice: Option<ServedNotice>,
    /// Fingerprints: their texts may be long, and only whether one came before matters here.
    statements: Vec<Uuid>,
    decision: Option<ListingDecision>,
    listing: Option<Term>,
}

#[derive(Clone, Debug)]
struct ServedNotice {
    notice: ListingNotice,
    statement_period: Obligation,
}

/// How long the listing of the case lasts.
#[derive(Clone, Debug)]
struct Term {
    listed_on: Date,
    expires_on: Date,
    expiry: Obligation,
    removal: Option<Removal>,
}

impl CreditCase {
    pub(super) fn new(
        id: Uuid,
        subject: &Subject,
        penalty: &PenaltyFacts,
        rule_set: &str,
        trigger: &str,
        proposal: Option<Proposal>,
    ) -> Self {
        Self {
            id,
            subject: subject.clone(),
            penalty: penalty.clone(),
            rule_set: rule_set.to_owned(),
            trigger: trigger.to_owned(),
            proposal,
            notice: None,
            statements: Vec::new(),
            decision: None,
            listing: None,
        }
    }

    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    pub(super) fn organ(&self) -> &Uscc {
        &self.penalty.organ
    }

    pub(super) fn penalised(&self) -> (&Subject, &PenaltyFacts) {
        (&self.subject, &self.penalty)
    }

    pub(super) fn rule_set(&self) -> &str {
        &self.rule_set
    }

    pub(super) fn penalty_case_id(&self) -> Uuid {
        self.penalty.case_id
    }

    pub(super) fn was_proposed(&self, trigger: &str, proposal: &Proposal) -> bool {
        self.trigger == trigger && self.proposal.as_ref() == Some(proposal)
    }

    pub(super) fn serve_notice(
        &self,
        notice: &ListingNotice,
        period: &StatementPeriod,
    ) -> Decision {
        if let Some(served) = &self.notice {
            return unless_other(served.notice == *notice, Rejection::NoticeAlreadyServed);
        }
        not_before(self.penalty.effective_on, notice.served_on)?;
        Ok(vec![Event::ListingNoticeServed {
            credit_case_id: self.id,
            notice: notice.clone(),
            statement_period: Obligation::statement_period(self.id, self.organ(), period),
        }])
    }

    pub(super) fn record_statement(&self, statement: &Statement) -> Decision {
        if self.statements.contains(&self.fingerprint(statement)) {
            return Ok(vec![]);
        }
        let served = self.notice.as_ref().ok_or(Rejection::NoticeNotServed)?;
        if self.decision.is_some() {
            return Err(Rejection::AlreadyDecided);
        }
        not_before(served.notice.served_on, statement.received_on)?;
        let latest = served.statement_period.last_day();
        if statement.received_on > latest {
            return Err(Rejection::StatementTooLate { latest });
        }
        Ok(vec![Event::StatementRecorded { credit_case_id: self.id, statement: statement.clone() }])
    }

    /// A decision of a day after the period proves that the period has ended, whether or not the
    /// clock has said so yet: decisions are not dated into the future.
    pub(super) fn decide_listing(&self, decision: &ListingDecision) -> Decision {
        if let Some(decided) = &self.decision {
            return unless_other(decided == decision, Rejection::AlreadyDecided);
        }
        let served = self.notice.as_ref().ok_or(Rejection::NoticeNotServed)?;
        let period = &served.statement_period;
        let earliest = period.last_day().saturating_add(1.day());
        let mut events = self.end_statement_period(period.due_at);
        if decision.decided_on < earliest {
            let runs = Rejection::StatementPeriodOpen { due_at: period.due_at };
            let is_over = events.is_empty();
            return Err(if is_over { Rejection::DateTooEarly { earliest } } else { runs });
        }
        events.push(Event::ListingDecided { credit_case_id: self.id, decision: decision.clone() });
        Ok(events)
    }

    pub(super) fn serve_decision(
        &self,
        served_on: Date,
        rules: &ListingRules,
        entry: Option<&BlacklistEntry>,
    ) -> Decision {
        let decision = self.decision.as_ref().ok_or(Rejection::NotDecided)?;
        let ListingOutcome::List(measures) = &decision.outcome else {
            return Err(Rejection::DecidedNotToList);
        };
        if let Some(listing) = &self.listing {
            return unless_other(listing.listed_on == served_on, Rejection::AlreadyListed);
        }
        not_before(decision.decided_on, served_on)?;
        let terms = self.terms(rules)?;
        let expires_on = terms.expires_on(served_on);
        let listing = Listing {
            listing_id: self.id,
            level: ListingLevel::SeriouslyDishonest,
            rule_set: self.rule_set.clone(),
            trigger: self.trigger.clone(),
            penalty_case_id: self.penalty.case_id,
            penalty_organ: self.penalty.organ.clone(),
            penalty_document_number: self.penalty.document_number.clone(),
            decision_organ: self.organ().clone(),
            decision_document_number: decision.document_number.clone(),
            decided_on: decision.decided_on,
            listed_on: served_on,
            expires_on,
            measures: measures.clone(),
        };
        Ok(vec![Event::SubjectListed {
            subject: self.subject.uscc.clone(),
            listing_id: self.id,
            entry: BlacklistEntry::with(entry, &self.subject, listing),
            expiry: Obligation::expiry(self.id, self.organ(), &terms, expires_on),
        }])
    }

    pub(super) fn remove_listing(
        &self,
        removal: &DecidedRemoval,
        rules: &ListingRules,
        entry: Option<&BlacklistEntry>,
    ) -> Decision {
        let term = self.listing.as_ref().ok_or(Rejection::NotInForce)?;
        if let Some(ended) = &term.removal {
            let is_same = matches!(ended, Removal::Decided(decided) if decided == removal);
            return unless_other(is_same, Rejection::NotInForce);
        }
        not_before(term.listed_on, removal.removed_on)?;
        // the end of the term needs no decision, even where the clock has not come to it yet
        if removal.removed_on >= term.expires_on {
            return Err(Rejection::NotInForce);
        }
        if removal.ground == RemovalGround::EarlyExit {
            let earliest = self.terms(rules)?.earliest_exit(term.listed_on);
            if removal.removed_on < earliest {
                return Err(Rejection::EarlyExitTooSoon { earliest });
            }
        }
        let removal = Removal::Decided(removal.clone());
        Ok(vec![self.removed(removal, entry, term.expiry.after(ObligationState::Met))])
    }

    pub(super) fn end_statement_period(&self, due_at: Timestamp) -> Vec<Event> {
        let armed = self.notice.as_ref().map(|served| &served.statement_period);
        let coming = armed.filter(|period| period.comes_at(due_at));
        let passed = |period: &Obligation| Event::StatementPeriodEnded {
            credit_case_id: self.id,
            statement_period: period.after(ObligationState::Passed),
        };
        coming.map(passed).into_iter().collect()
    }

    pub(super) fn counted_from(&self) -> Option<Date> {
        let served = self.notice.as_ref()?;
        served.statement_period.is_open().then_some(served.notice.served_on)
    }

    /// Counted with other notices that reach as far: where its last day is another, or is sure now, it
    /// moves. What was set at its beginning is not: its length.
    pub(super) fn reschedule(&self, due_at: Timestamp, period: &StatementPeriod) -> Vec<Event> {
        let Some(served) = &self.notice else { return vec![] };
        let before = &served.statement_period;
        let moved = Obligation::statement_period(self.id, self.organ(), period);
        let is_recounted = supersedes(&moved.calendar_version, &before.calendar_version)
            && moved.legal_basis == before.legal_basis;
        let is_another = (moved.due_at, moved.provisional) != (before.due_at, before.provisional);
        if !before.comes_at(due_at) || !is_recounted || !is_another {
            return vec![];
        }
        vec![Event::StatementPeriodRescheduled {
            credit_case_id: self.id,
            statement_period: moved,
            previous_due_at: due_at,
        }]
    }

    pub(super) fn expire_listing(
        &self,
        due_at: Timestamp,
        entry: Option<&BlacklistEntry>,
    ) -> Vec<Event> {
        let coming = self.listing.as_ref().filter(|term| term.expiry.comes_at(due_at));
        let expired = |term: &Term| {
            let removal = Removal::Expired { removed_on: term.expires_on };
            self.removed(removal, entry, term.expiry.after(ObligationState::Passed))
        };
        coming.map(expired).into_iter().collect()
    }

    pub(super) fn evolve(&mut self, event: &Event) {
        match event {
            Event::CreditCaseOpened { .. } | Event::CreditCaseNotOpened { .. } => {}
            Event::ListingNoticeServed { notice, statement_period, .. } => {
                self.notice = Some(ServedNotice {
                    notice: notice.clone(),
                    statement_period: statement_period.clone(),
                });
            }
            Event::StatementRecorded { statement, .. } => {
                self.statements.push(self.fingerprint(statement));
            }
            Event::StatementPeriodRescheduled { statement_period, .. }
            | Event::StatementPeriodEnded { statement_period, .. } => {
                if let Some(served) = &mut self.notice {
                    served.statement_period = statement_period.clone();
                }
            }
            Event::ListingDecided { decision, .. } => self.decision = Some(decision.clone()),
            Event::SubjectListed { entry, expiry, .. } => {
                let own = entry.in_force.iter().find(|listing| listing.listing_id == self.id);
                self.listing = own.map(|listing| Term {
                    listed_on: listing.listed_on,
                    expires_on: listing.expires_on,
                    expiry: expiry.clone(),
                    removal: None,
                });
            }
            Event::SubjectRemoved { removal, expiry, .. } => {
                if let Some(term) = &mut self.listing {
                    term.removal = Some(removal.clone());
                    term.expiry = expiry.clone();
                }
            }
        }
    }

    fn removed(
        &self,
        removal: Removal,
        entry: Option<&BlacklistEntry>,
        expiry: Obligation,
    ) -> Event {
        Event::SubjectRemoved {
            subject: self.subject.uscc.clone(),
            listing_id: self.id,
            removal,
            entry: entry.and_then(|entry| entry.without(self.id)),
            expiry,
        }
    }

    fn terms(&self, rules: &ListingRules) -> Result<Terms, Rejection> {
        rules
            .terms(&self.rule_set)
            .ok_or_else(|| Rejection::NoExecutableRuleSet { rule_set: Some(self.rule_set.clone()) })
    }

    fn fingerprint(&self, statement: &Statement) -> Uuid {
        let Statement { received_on, summary } = statement;
        Uuid::new_v5(&self.id, format!("{received_on} {summary}").as_bytes())
    }
}

/// The same step again changes nothing; another one in its place is refused.
fn unless_other(is_same: bool, refused: Rejection) -> Decision {
    if is_same { Ok(vec![]) } else { Err(refused) }
}

fn not_before(earliest: Date, day: Date) -> Result<(), Rejection> {
    if day < earliest { Err(Rejection::DateTooEarly { earliest }) } else { Ok(()) }
}
