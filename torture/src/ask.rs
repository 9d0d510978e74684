use std::{collections::BTreeMap, time::Duration};

use onenet_proto::{
    Reason,
    common::v1::{ErrorReason, Receipt},
    credit::v1::{
        AckListingsRequest, DecideListingRequest, RemoveListingRequest,
        ServeListingDecisionRequest, ServeListingNoticeRequest,
        blacklist_service_client::BlacklistServiceClient,
        credit_service_client::CreditServiceClient,
    },
    enforcement::v1::{
        DecidePenaltyRequest, OpenCaseRequest, ServePenaltyRequest,
        case_service_client::CaseServiceClient,
    },
    enterprise::v1::{
        DesignateKeyEnterpriseRequest, RegisterDivisionRequest, RegisterEnterpriseRequest,
        RegisterOrganisationRequest, division_service_client::DivisionServiceClient,
        enterprise_service_client::EnterpriseServiceClient,
        organisation_service_client::OrganisationServiceClient,
    },
    exchange::v1::{
        GiveGrantRequest, RegisterAgencyRequest, ReplaceAgencyCertificatesRequest,
        RevokeGrantRequest, exchange_service_client::ExchangeServiceClient,
    },
    hazard::v1::{
        CorrectHiddenDangerRequest, CorrectTreatmentReportRequest, GradeHiddenDangerRequest,
        OrderRectificationRequest, ReportHiddenDangerRequest, ReportTreatmentRequest,
        WithdrawHiddenDangerRequest, hidden_danger_service_client::HiddenDangerServiceClient,
    },
};
use tonic::{Request, Status, transport::Channel};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::{
    history::{Outcome, Place, Recorder},
    names::Names,
    seen::Context,
};

/// How long a caller waits for an answer.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Who sends commands, over one connection to each context.
#[derive(Clone)]
pub(crate) struct Caller {
    channels: BTreeMap<Context, Channel>,
}

/// The commands that are asked, each with the context and the call that take it.
macro_rules! asks {
    ($($context:ident $client:ident $method:ident $request:ident,)*) => {
        /// A command, without its id.
        #[derive(Clone)]
        #[expect(clippy::enum_variant_names, reason = "each is named as the request it holds")]
        pub(crate) enum Ask {
            $($request($request),)*
        }

        $(impl From<$request> for Ask {
            fn from(request: $request) -> Self {
                Self::$request(request)
            }
        })*

        impl Ask {
            pub(crate) fn context(&self) -> Context {
                match self {
                    $(Self::$request(_) => Context::$context,)*
                }
            }
        }

        impl Caller {
            async fn send(&self, ask: &Ask, id: Uuid) -> Result<Receipt, Status> {
                let (channel, command_id) = (self.channel(ask.context())?, id.to_string());
                let receipt = match ask.clone() {
                    $(Ask::$request(ask) => {
                        let request = timed($request { command_id, ..ask });
                        $client::new(channel).$method(request).await?.into_inner().receipt
                    })*
                };
                receipt.ok_or_else(|| Status::data_loss("an answer without a receipt"))
            }
        }
    };
}

asks! {
    Enterprise DivisionServiceClient register_division RegisterDivisionRequest,
    Enterprise OrganisationServiceClient register_organisation RegisterOrganisationRequest,
    Enterprise EnterpriseServiceClient register_enterprise RegisterEnterpriseRequest,
    Enterprise EnterpriseServiceClient designate_key_enterprise DesignateKeyEnterpriseRequest,
    Hazard HiddenDangerServiceClient report_hidden_danger ReportHiddenDangerRequest,
    Hazard HiddenDangerServiceClient grade_hidden_danger GradeHiddenDangerRequest,
    Hazard HiddenDangerServiceClient order_rectification OrderRectificationRequest,
    Hazard HiddenDangerServiceClient report_treatment ReportTreatmentRequest,
    Hazard HiddenDangerServiceClient correct_hidden_danger CorrectHiddenDangerRequest,
    Hazard HiddenDangerServiceClient correct_treatment_report CorrectTreatmentReportRequest,
    Hazard HiddenDangerServiceClient withdraw_hidden_danger WithdrawHiddenDangerRequest,
    Enforcement CaseServiceClient open_case OpenCaseRequest,
    Enforcement CaseServiceClient decide_penalty DecidePenaltyRequest,
    Enforcement CaseServiceClient serve_penalty ServePenaltyRequest,
    Credit CreditServiceClient serve_listing_notice ServeListingNoticeRequest,
    Credit CreditServiceClient decide_listing DecideListingRequest,
    Credit CreditServiceClient serve_listing_decision ServeListingDecisionRequest,
    Credit CreditServiceClient remove_listing RemoveListingRequest,
    Credit BlacklistServiceClient ack_listings AckListingsRequest,
    Exchange ExchangeServiceClient register_agency RegisterAgencyRequest,
    Exchange ExchangeServiceClient replace_agency_certificates ReplaceAgencyCertificatesRequest,
    Exchange ExchangeServiceClient give_grant GiveGrantRequest,
    Exchange ExchangeServiceClient revoke_grant RevokeGrantRequest,
}

impl Caller {
    pub(crate) fn new(channels: BTreeMap<Context, Channel>) -> Self {
        Self { channels }
    }

    pub(crate) fn channel(&self, context: Context) -> Result<Channel, Status> {
        let channel = self.channels.get(&context).cloned();
        channel.ok_or_else(|| Status::unimplemented("nobody told the caller where this context is"))
    }

    /// One attempt, recorded from before it is sent until after it is answered.
    pub(crate) async fn attempt(
        &self,
        recorder: &Recorder,
        ask: &Ask,
        id: Uuid,
    ) -> Result<Receipt, Status> {
        let attempt = recorder.begin(ask.context(), id);
        let answer = tokio::time::timeout(ANSWER_WITHIN, self.send(ask, id)).await;
        let answer = answer.unwrap_or_else(|_| Err(no_answer()));
        recorder.end(id, attempt, outcome(&answer, recorder.names()));
        answer
    }
}

/// What a question was answered, in the time that a caller waits.
pub(crate) async fn answered<T>(
    asking: impl Future<Output = Result<tonic::Response<T>, Status>>,
) -> Result<T, Status> {
    let answer = tokio::time::timeout(ANSWER_WITHIN, asking).await;
    Ok(answer.unwrap_or_else(|_| Err(no_answer()))?.into_inner())
}

fn no_answer() -> Status {
    Status::deadline_exceeded("no answer")
}

/// The server is told how long its caller waits.
pub(crate) fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(ANSWER_WITHIN);
    request
}

fn outcome(answer: &Result<Receipt, Status>, names: &Names) -> Outcome {
    match answer {
        Ok(receipt) => Outcome::Acknowledged(Place {
            stream: names.of(&receipt.stream_id),
            version: receipt.version,
            position: receipt.position.as_ref().map(|at| at.number).unwrap_or_default(),
        }),
        Err(status) => refused(status)
            .map_or(Outcome::Unanswered, |reason| Outcome::Refused(names.of(&reason))),
    }
}

/// The reason for which nothing was done; none where whether something was is unknown.
pub(crate) fn refused(status: &Status) -> Option<String> {
    let reason = status.get_error_details().error_info()?.reason.clone();
    let unknown = [ErrorReason::Unavailable, ErrorReason::Internal].map(Reason::name);
    (!unknown.contains(&reason.as_str())).then_some(reason)
}
