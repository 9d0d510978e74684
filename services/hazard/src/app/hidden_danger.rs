use jiff::civil::Date;
use onenet_chassis::{Call, Matter, Refusal, Write, day, register::covers};
use onenet_kernel::{Aggregate as _, Key, Receipt, StreamId, look};
use onenet_proto::{
    common::v1::ErrorReason,
    enterprise::v1::{EnterpriseKind, Organisation, OrganisationFunction},
    hazard::v1::HazardErrorReason as Reason,
};
use onenet_standards::{CalendarError, Uscc};
use uuid::Uuid;

use super::{App, corrections::moved_on};
use crate::domain::{
    Acceptance, Criterion, Due, Finding, Grade, Grading, HiddenDanger,
    HiddenDangerCommand as Command, HiddenDangerRejection as Rejection, Recheck, Rectification,
    RectificationOrder, TimeGiven, TreatmentReport,
};

/// A grading as it is stated.
pub(crate) struct Graded {
    pub(crate) citation: Option<Cited>,
    pub(crate) graded_on: Date,
}

/// What makes a danger a major one, as it is stated.
pub(crate) enum Cited {
    Criterion(String),
    Item { standard_no: u32, item: String },
}

impl App {
    pub(crate) async fn report_danger(
        &self,
        call: &Write,
        enterprise: Uscc,
        finding: Finding,
    ) -> Result<Receipt, Refusal> {
        let registered = self.authorise_at(call, &enterprise).await?;
        let hidden_danger_id = call.new_key(HiddenDanger::CATEGORY);
        let happened = day::start(finding.found_on);
        let command = Command::ReportHiddenDanger {
            hidden_danger_id,
            enterprise,
            division: registered.division,
            industry: registered.industry,
            finding,
            reported_by: call.uscc().clone(),
        };
        let stream = danger_stream(hidden_danger_id);
        call.execute::<HiddenDanger>(&self.log, &stream, &command, happened, "").await
    }

    pub(crate) async fn grade_danger(
        &self,
        call: &Write,
        id: Uuid,
        graded: Graded,
    ) -> Result<Receipt, Refusal> {
        self.authorise_danger(call, id).await?;
        let Graded { citation, graded_on } = graded;
        let grade = match citation {
            Some(cited) => Grade::Major(self.criterion(cited, graded_on)?),
            None => Grade::General,
        };
        let next = self.next_escalation(id, day::end(graded_on)).await?;
        let grading = Grading { grade, graded_on, graded_by: call.uscc().clone() };
        let command = Command::GradeHiddenDanger { grading, next };
        self.act(call, id, &command, graded_on).await
    }

    pub(crate) async fn order_rectification(
        &self,
        call: &Write,
        id: Uuid,
        order: RectificationOrder,
    ) -> Result<Receipt, Refusal> {
        self.authorise_danger(call, id).await?;
        let (served_on, due) = (order.served_on, self.due(&order)?);
        let (organ, served_at) = (call.uscc().clone(), day::start(served_on));
        let command = Command::OrderRectification { organ, order, served_at, due };
        self.act(call, id, &command, served_on).await
    }

    pub(crate) async fn report_treatment(
        &self,
        call: &Write,
        id: Uuid,
        report: TreatmentReport,
    ) -> Result<Receipt, Refusal> {
        let key = self.authorise_danger(call, id).await?;
        self.check_department(&key, &report).await?;
        let reported_on = report.reported_on;
        self.act(call, id, &Command::ReportTreatment { report }, reported_on).await
    }

    pub(crate) async fn rectify_danger(
        &self,
        call: &Write,
        id: Uuid,
        rectification: Rectification,
    ) -> Result<Receipt, Refusal> {
        self.authorise_danger(call, id).await?;
        let rectified_on = rectification.rectified_on;
        let rectified_at = day::start(rectified_on);
        let command = Command::RectifyHiddenDanger { rectification, rectified_at };
        self.act(call, id, &command, rectified_on).await
    }

    pub(crate) async fn accept_rectification(
        &self,
        call: &Write,
        id: Uuid,
        acceptance: Acceptance,
    ) -> Result<Receipt, Refusal> {
        let key = self.authorise_danger(call, id).await?;
        if let Some(third_party) = &acceptance.third_party {
            let institution = third_party.institution.as_str();
            let registered = self.door.register().registered(institution).await?;
            let is_one = registered.is_some_and(|it| it.kind() == EnterpriseKind::Institution);
            if !is_one || institution == key.subject {
                let path = "acceptance.third_party.institution";
                let message = "is no registered institution apart from the enterprise";
                return Err(Refusal::field(Reason::InstitutionUnknown, path, message));
            }
        }
        let accepted_on = acceptance.accepted_on;
        let third_party_basis =
            self.rules.third_party_acceptance.on(accepted_on).map(str::to_owned);
        let by = call.uscc().clone();
        let command = Command::AcceptRectification { by, acceptance, third_party_basis };
        self.act(call, id, &command, accepted_on).await
    }

    pub(crate) async fn recheck_danger(
        &self,
        call: &Write,
        id: Uuid,
        recheck: Recheck,
    ) -> Result<Receipt, Refusal> {
        self.authorise_danger(call, id).await?;
        let rechecked_on = recheck.rechecked_on;
        let next = self.next_escalation(id, day::end(rechecked_on)).await?;
        let command = Command::RecheckHiddenDanger { by: call.uscc().clone(), recheck, next };
        self.act(call, id, &command, rechecked_on).await
    }

    /// A department that has received a report has the duty of supervision where the danger is.
    pub(super) async fn check_department(
        &self,
        danger: &Key,
        report: &TreatmentReport,
    ) -> Result<(), Refusal> {
        let Some(receipt) = &report.department else { return Ok(()) };
        let body = self.door.register().organisation(receipt.department.as_str()).await?;
        let chain = self.door.register().chain(&danger.division).await?;
        if body.is_some_and(|body| supervises(&body, &chain, &danger.industry)) {
            return Ok(());
        }
        let (path, message) = ("report.department.department", "supervises elsewhere");
        Err(Refusal::field(Reason::DepartmentNotCompetent, path, message))
    }

    async fn act(
        &self,
        call: &Write,
        id: Uuid,
        command: &Command,
        happened_on: Date,
    ) -> Result<Receipt, Refusal> {
        let (stream, happened) = (danger_stream(id), day::start(happened_on));
        call.execute::<HiddenDanger>(&self.log, &stream, command, happened, "").await
    }

    /// Whether the caller may do this to the hidden danger; answers whose it is.
    pub(crate) async fn authorise_danger(&self, call: &Call, id: Uuid) -> Result<Key, Refusal> {
        let (danger, _) = look::<HiddenDanger>(&self.log, &danger_stream(id)).await?;
        let key = danger.key();
        if key.subject.is_empty() {
            return Err(unknown_danger(call));
        }
        let matter = self.door.matter(&key.division, &key.industry).await?;
        let matter = Matter { subject: Some(&key.subject), ..matter };
        self.door.authorise(call, &matter, call.today)?;
        Ok(key)
    }

    fn criterion(&self, cited: Cited, on: Date) -> Result<Criterion, Refusal> {
        let unknown = |path: &str| {
            let message = format!("names nothing that was in force on {on}");
            Refusal::field(Reason::CriterionUnknown, format!("citation.{path}"), message)
        };
        match cited {
            Cited::Criterion(code) => {
                let found = self.criteria.find(&code, on).ok_or_else(|| unknown("criterion"))?;
                let (standard, item) = (found.standard.clone(), found.item.clone());
                Ok(Criterion { code: Some(code), standard, item })
            }
            Cited::Item { standard_no, item } => {
                let standard = self.criteria.standard(standard_no);
                let standard = standard.ok_or_else(|| unknown("standard_item.standard_no"))?;
                Ok(Criterion { code: None, standard: standard.to_owned(), item })
            }
        }
    }

    /// The end of the time an order gives.
    pub(super) fn due(&self, order: &RectificationOrder) -> Result<Due, Refusal> {
        match order.time {
            TimeGiven::Until(last) => {
                Ok(Due { at: day::end(last), calendar_version: String::new(), provisional: false })
            }
            TimeGiven::WorkingDays(days) => {
                let counted = self.working_days(order.served_on, days);
                counted.map_err(|error| match error {
                    CalendarError::BeforeCoverage { first, .. } => {
                        Refusal::new(ErrorReason::DateTooEarly, error).with("earliest", first)
                    }
                    CalendarError::TooLong => Refusal::internal(error),
                })
            }
        }
    }

    pub(super) fn working_days(&self, served_on: Date, days: u32) -> Result<Due, CalendarError> {
        let deadline = self.calendar.working_days_after(served_on, days)?;
        Ok(Due {
            at: day::end(deadline.on),
            calendar_version: self.calendar.version().to_owned(),
            provisional: deadline.provisional,
        })
    }
}

pub(super) fn danger_stream(id: Uuid) -> StreamId {
    StreamId::new(HiddenDanger::CATEGORY, &id.to_string())
}

/// Whether a body has the duty of supervision (负有安全生产监督管理职责) over an area and an industry.
fn supervises(body: &Organisation, chain: &[String], industry: &str) -> bool {
    let is_supervisor = body.functions().any(|function| {
        matches!(
            function,
            OrganisationFunction::Comprehensive
                | OrganisationFunction::Industry
                | OrganisationFunction::Dispatched
        )
    });
    is_supervisor && chain.contains(&body.division) && covers(body, industry)
}

/// Who may not know that a hidden danger exists is not told that it does not.
pub(crate) fn unknown_danger(call: &Call) -> Refusal {
    if call.caller.office.is_none() {
        return Refusal::not_authorised("enterprises-read-their-own");
    }
    Rejection::HiddenDangerUnknown.into()
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        let reason = match &rejection {
            Rejection::NotAuthorised { rule } => return Self::not_authorised(rule),
            Rejection::MovedOn => return moved_on(),
            Rejection::DateTooEarly { earliest } => {
                return Self::new(ErrorReason::DateTooEarly, &rejection).with("earliest", earliest);
            }
            Rejection::ThirdPartyAcceptanceRequired { basis } => {
                let reason = Reason::ThirdPartyAcceptanceRequired;
                return Self::new(reason, &rejection).with("basis", basis);
            }
            Rejection::TreatmentReportUnknown => {
                return Self::field(Reason::TreatmentReportUnknown, "report_no", &rejection);
            }
            Rejection::HiddenDangerUnknown => Reason::HiddenDangerUnknown,
            Rejection::Withdrawn => Reason::HiddenDangerWithdrawn,
            Rejection::NotGraded => Reason::NotGraded,
            Rejection::NotInRectification => Reason::NotInRectification,
            Rejection::NotRectified => Reason::NotRectified,
            Rejection::AlreadyAccepted => Reason::AlreadyAccepted,
            Rejection::DualReportIncomplete => Reason::DualReportIncomplete,
            Rejection::TreatmentNotReported => Reason::TreatmentNotReported,
        };
        Self::new(reason, &rejection)
    }
}
