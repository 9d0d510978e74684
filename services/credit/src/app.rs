//! One method per use case: check, authorise, decide. What no call asks for, the reaction to penalties
//! and the clock, is in [`internal`].

mod blacklist;
mod internal;

use std::sync::Arc;

use jiff::civil::Date;
use onenet_chassis::{Call, Door, Host, Matter, Refusal, StartError, Write, day};
use onenet_eventstore::PgLog;
use onenet_kernel::{Aggregate as _, EventStore as _, ExecuteError, Receipt, StreamId, look};
use onenet_proto::{common::v1::ErrorReason, credit::v1::CreditErrorReason as Reason};
use onenet_standards::{Calendar, CalendarError, Industries, Uscc};
use uuid::Uuid;

pub(crate) use self::internal::JUDGE;
use crate::domain::{
    DecidedRemoval, DishonestSubject, DishonestSubjectCommand as Command,
    DishonestSubjectRejection as Rejection, ListingDecision, ListingNotice, ListingRules, Proposal,
    Statement, StatementPeriod, Subject,
};

/// The use cases of credit.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) door: Door,
    pub(crate) log: PgLog,
    /// Who has to acknowledge removals.
    pub(crate) readers: Arc<[Uscc]>,
    rules: Arc<ListingRules>,
    industries: Arc<Industries>,
    calendar: Arc<Calendar>,
    statement_working_days: u32,
}

/// The case that a step is about.
pub(crate) struct CaseRef {
    pub(crate) subject: Uscc,
    pub(crate) credit_case_id: Uuid,
}

impl App {
    pub(crate) fn try_new(host: &Host) -> Result<Self, StartError> {
        Ok(Self {
            door: host.door.clone(),
            log: host.log.clone(),
            readers: host.settings.blacklist.readers()?.into(),
            rules: Arc::new(ListingRules::embedded()?),
            industries: Arc::new(Industries::embedded()?),
            calendar: Arc::new(host.settings.rules.calendar()?),
            statement_working_days: host.settings.rules.statement_working_days,
        })
    }

    pub(crate) async fn propose_listing(
        &self,
        call: &Write,
        subject: &Uscc,
        penalty_case_id: Uuid,
        trigger: String,
        grounds: String,
    ) -> Result<Receipt, Refusal> {
        self.permit(call)?;
        let stream = stream(subject);
        let known = self.known(&stream, |it| it.penalty(penalty_case_id).is_some()).await?;
        let rule_set = known.penalty(penalty_case_id).and_then(|(subject, penalty)| {
            self.rules.propose(penalty.effective_on, subject.kind, &trigger).ok()
        });
        let command = Command::ProposeListing {
            penalty_case_id,
            trigger: trigger.clone(),
            proposal: Proposal { organ: call.uscc().clone(), grounds },
            rules: Arc::clone(&self.rules),
        };
        let version = rule_set.unwrap_or_default();
        call.execute::<DishonestSubject>(&self.log, &stream, &command, call.now, version).await
    }

    pub(crate) async fn serve_listing_notice(
        &self,
        call: &Write,
        case: &CaseRef,
        notice: ListingNotice,
    ) -> Result<Receipt, Refusal> {
        self.permit(call)?;
        let (organ, served_on) = (call.uscc().clone(), notice.served_on);
        let (credit_case_id, period) = (case.credit_case_id, self.statement_period(served_on)?);
        let command = Command::ServeListingNotice { credit_case_id, organ, notice, period };
        self.act(call, case, &command, served_on).await
    }

    pub(crate) async fn record_statement(
        &self,
        call: &Write,
        case: &CaseRef,
        statement: Statement,
    ) -> Result<Receipt, Refusal> {
        self.permit(call)?;
        let (organ, received_on) = (call.uscc().clone(), statement.received_on);
        let credit_case_id = case.credit_case_id;
        let command = Command::RecordStatement { credit_case_id, organ, statement };
        self.act(call, case, &command, received_on).await
    }

    pub(crate) async fn decide_listing(
        &self,
        call: &Write,
        case: &CaseRef,
        decision: ListingDecision,
    ) -> Result<Receipt, Refusal> {
        self.permit(call)?;
        let (organ, decided_on) = (call.uscc().clone(), decision.decided_on);
        let credit_case_id = case.credit_case_id;
        let command = Command::DecideListing { credit_case_id, organ, decision };
        self.act(call, case, &command, decided_on).await
    }

    pub(crate) async fn serve_listing_decision(
        &self,
        call: &Write,
        case: &CaseRef,
        served_on: Date,
    ) -> Result<Receipt, Refusal> {
        self.permit(call)?;
        let (organ, rules) = (call.uscc().clone(), Arc::clone(&self.rules));
        let credit_case_id = case.credit_case_id;
        let command = Command::ServeListingDecision { credit_case_id, organ, served_on, rules };
        self.act(call, case, &command, served_on).await
    }

    pub(crate) async fn remove_listing(
        &self,
        call: &Write,
        case: &CaseRef,
        removal: DecidedRemoval,
    ) -> Result<Receipt, Refusal> {
        self.permit(call)?;
        let (organ, rules) = (call.uscc().clone(), Arc::clone(&self.rules));
        let (listing_id, removed_on) = (case.credit_case_id, removal.removed_on);
        let command = Command::RemoveListing { listing_id, organ, removal, rules };
        self.act(call, case, &command, removed_on).await
    }

    /// Which of the bodies acts is the case's to decide.
    fn permit(&self, call: &Write) -> Result<(), Refusal> {
        self.door.authorise(call, &Matter::default(), call.today)
    }

    /// A step of a case that is open already, decided under the case's rule set.
    async fn act(
        &self,
        call: &Write,
        case: &CaseRef,
        command: &Command,
        happened_on: Date,
    ) -> Result<Receipt, Refusal> {
        let stream = stream(&case.subject);
        let known = self.known(&stream, |it| it.rule_set_of(case.credit_case_id).is_some()).await?;
        let rule_set = known.rule_set_of(case.credit_case_id).unwrap_or_default();
        let happened = day::start(happened_on);
        call.execute::<DishonestSubject>(&self.log, &stream, command, happened, rule_set).await
    }

    /// 令第11号 gives the subject a statement and does not say how long it has: the node's
    /// configuration does.
    fn counted(&self, served_on: Date) -> Result<StatementPeriod, CalendarError> {
        let days = self.statement_working_days;
        let deadline = self.calendar.working_days_after(served_on, days)?;
        let legal_basis = format!(
            "应急管理部令第11号未规定陈述申辩期限；按本节点配置为{days}个工作日（参照行政处罚法第六十四条）"
        );
        let calendar_version = self.calendar.version().to_owned();
        Ok(StatementPeriod { deadline, calendar_version, legal_basis })
    }

    fn statement_period(&self, served_on: Date) -> Result<StatementPeriod, Refusal> {
        self.counted(served_on).map_err(|error| match error {
            CalendarError::BeforeCoverage { first, .. } => {
                Refusal::new(ErrorReason::DateTooEarly, error).with("earliest", first)
            }
            CalendarError::TooLong => Refusal::internal(error),
        })
    }

    /// Whether the caller may read what is known of a credit case.
    pub(crate) async fn authorise_case(
        &self,
        call: &Call,
        subject: &str,
        credit_case_id: Uuid,
    ) -> Result<(), Refusal> {
        let stream = StreamId::new(DishonestSubject::CATEGORY, subject);
        let known = self.known(&stream, |it| it.subject_of(credit_case_id).is_some()).await?;
        let subject = known.subject_of(credit_case_id).ok_or_else(|| unknown_case(call))?;
        self.authorise(call, subject).await
    }

    /// Whether the caller may read what became of a penalty.
    pub(crate) async fn authorise_penalty(
        &self,
        call: &Call,
        subject: &str,
        penalty_case_id: Uuid,
    ) -> Result<(), Refusal> {
        let stream = StreamId::new(DishonestSubject::CATEGORY, subject);
        let known = self.known(&stream, |it| it.penalty(penalty_case_id).is_some()).await?;
        let (subject, _) = known.penalty(penalty_case_id).ok_or_else(|| unknown_penalty(call))?;
        self.authorise(call, subject).await
    }

    async fn authorise(&self, call: &Call, subject: &Subject) -> Result<(), Refusal> {
        let matter = self.door.matter(&subject.division, &subject.industry).await?;
        let matter = Matter { subject: Some(subject.uscc.as_str()), ..matter };
        self.door.authorise(call, &matter, call.today)
    }

    /// The subject as far as it has what is asked for. What this process kept from its last command
    /// may lack a case that another has opened since.
    async fn known(
        &self,
        stream: &StreamId,
        has: impl Fn(&DishonestSubject) -> bool,
    ) -> Result<DishonestSubject, ExecuteError<Rejection>> {
        let (kept, _) = look::<DishonestSubject>(&self.log, stream).await?;
        if has(&kept) {
            return Ok(kept);
        }
        self.log.forget(stream);
        let (fresh, _) = look::<DishonestSubject>(&self.log, stream).await?;
        Ok(fresh)
    }
}

fn stream(subject: &Uscc) -> StreamId {
    StreamId::new(DishonestSubject::CATEGORY, subject.as_str())
}

/// Who may not know that a case exists is not told that it does not.
pub(crate) fn unknown_case(call: &Call) -> Refusal {
    if call.caller.office.is_none() {
        return Refusal::not_authorised("subjects-read-their-own");
    }
    Rejection::CreditCaseUnknown.into()
}

/// The same of a penalty.
pub(crate) fn unknown_penalty(call: &Call) -> Refusal {
    if call.caller.office.is_none() {
        return Refusal::not_authorised("subjects-read-their-own");
    }
    Rejection::PenaltyUnknown.into()
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        let reason = match &rejection {
            Rejection::NotAuthorised { rule } => return Self::not_authorised(rule),
            Rejection::DateTooEarly { earliest } => {
                return Self::new(ErrorReason::DateTooEarly, &rejection).with("earliest", earliest);
            }
            Rejection::PenaltyUnknown => Reason::PenaltyUnknown,
            Rejection::CreditCaseUnknown => Reason::CreditCaseUnknown,
            Rejection::NoExecutableRuleSet { .. } => Reason::NoExecutableRuleSet,
            Rejection::TriggerUnknown => Reason::TriggerUnknown,
            Rejection::TriggerNotForSubject => Reason::TriggerNotForSubject,
            Rejection::CaseAlreadyOpen { .. } => Reason::CaseAlreadyOpen,
            Rejection::NoticeNotServed => Reason::NoticeNotServed,
            Rejection::NoticeAlreadyServed => Reason::NoticeAlreadyServed,
            Rejection::StatementTooLate { .. } => Reason::StatementTooLate,
            Rejection::StatementPeriodOpen { .. } => Reason::StatementPeriodOpen,
            Rejection::AlreadyDecided => Reason::AlreadyDecided,
            Rejection::NotDecided => Reason::NotDecided,
            Rejection::DecidedNotToList => Reason::DecidedNotToList,
            Rejection::AlreadyListed => Reason::AlreadyListed,
            Rejection::NotInForce => Reason::NotInForce,
            Rejection::EarlyExitTooSoon { .. } => Reason::EarlyExitTooSoon,
        };
        let refusal = Self::new(reason, &rejection);
        match rejection {
            Rejection::NoExecutableRuleSet { rule_set: Some(id) } => refusal.with("rule_set", id),
            Rejection::CaseAlreadyOpen { credit_case_id } => {
                refusal.with("credit_case_id", credit_case_id)
            }
            Rejection::StatementTooLate { latest } => refusal.with("latest", latest),
            Rejection::StatementPeriodOpen { due_at } => refusal.with("due_at", due_at),
            Rejection::EarlyExitTooSoon { earliest } => refusal.with("earliest", earliest),
            _ => refusal,
        }
    }
}
