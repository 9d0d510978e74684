use std::time::Duration;

use onenet_proto::{
    Reason,
    common::v1::{ErrorReason, Receipt},
    enterprise::v1::{
        DesignateKeyEnterpriseRequest, RegisterDivisionRequest, RegisterEnterpriseRequest,
        RegisterOrganisationRequest, division_service_client::DivisionServiceClient,
        enterprise_service_client::EnterpriseServiceClient,
        organisation_service_client::OrganisationServiceClient,
    },
};
use tonic::{Request, Status, transport::Channel};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::history::{Outcome, Place, Recorder};

/// How long a caller waits for an answer.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A command of the enterprise context, without its id.
#[derive(Clone)]
pub(crate) enum Ask {
    Division(RegisterDivisionRequest),
    Organisation(RegisterOrganisationRequest),
    Register(RegisterEnterpriseRequest),
    Designate(DesignateKeyEnterpriseRequest),
}

/// Who sends commands, over one connection.
#[derive(Clone)]
pub(crate) struct Caller {
    channel: Channel,
}

impl Ask {
    /// The stream that it is about.
    fn stream(&self) -> String {
        match self {
            Self::Division(ask) => {
                let code = ask.division.as_ref().map(|division| division.code.as_str());
                format!("division-{}", code.unwrap_or_default())
            }
            Self::Organisation(ask) => {
                let uscc = ask.organisation.as_ref().map(|body| body.uscc.as_str());
                format!("organisation-{}", uscc.unwrap_or_default())
            }
            Self::Register(ask) => {
                let uscc = ask.enterprise.as_ref().map(|enterprise| enterprise.uscc.as_str());
                format!("enterprise-{}", uscc.unwrap_or_default())
            }
            Self::Designate(ask) => format!("enterprise-{}", ask.enterprise),
        }
    }
}

impl Caller {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel }
    }

    pub(crate) fn enterprises(&self) -> EnterpriseServiceClient<Channel> {
        EnterpriseServiceClient::new(self.channel.clone())
    }

    /// One attempt, recorded from before it is sent until after it is answered.
    pub(crate) async fn attempt(
        &self,
        recorder: &Recorder,
        ask: &Ask,
        id: Uuid,
    ) -> Result<Receipt, Status> {
        let attempt = recorder.begin(id, &ask.stream());
        let answer = tokio::time::timeout(ANSWER_WITHIN, self.send(ask, id)).await;
        let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer")));
        recorder.end(id, attempt, outcome(&answer));
        answer
    }

    async fn send(&self, ask: &Ask, id: Uuid) -> Result<Receipt, Status> {
        let (channel, command_id) = (self.channel.clone(), id.to_string());
        let receipt = match ask.clone() {
            Ask::Division(ask) => {
                let request = timed(RegisterDivisionRequest { command_id, ..ask });
                let mut client = DivisionServiceClient::new(channel);
                client.register_division(request).await?.into_inner().receipt
            }
            Ask::Organisation(ask) => {
                let request = timed(RegisterOrganisationRequest { command_id, ..ask });
                let mut client = OrganisationServiceClient::new(channel);
                client.register_organisation(request).await?.into_inner().receipt
            }
            Ask::Register(ask) => {
                let request = timed(RegisterEnterpriseRequest { command_id, ..ask });
                self.enterprises().register_enterprise(request).await?.into_inner().receipt
            }
            Ask::Designate(ask) => {
                let request = timed(DesignateKeyEnterpriseRequest { command_id, ..ask });
                self.enterprises().designate_key_enterprise(request).await?.into_inner().receipt
            }
        };
        receipt.ok_or_else(|| Status::data_loss("an answer without a receipt"))
    }
}

/// The server is told how long its caller waits.
pub(crate) fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(ANSWER_WITHIN);
    request
}

fn outcome(answer: &Result<Receipt, Status>) -> Outcome {
    match answer {
        Ok(receipt) => Outcome::Acknowledged(Place {
            stream: receipt.stream_id.clone(),
            version: receipt.version,
            position: receipt.position.as_ref().map(|at| at.number).unwrap_or_default(),
        }),
        Err(status) => refused(status).map_or(Outcome::Unanswered, Outcome::Refused),
    }
}

/// The reason for which nothing was done; none where whether something was is unknown.
fn refused(status: &Status) -> Option<String> {
    let reason = status.get_error_details().error_info()?.reason.clone();
    let unknown = [ErrorReason::Unavailable, ErrorReason::Internal].map(Reason::name);
    (!unknown.contains(&reason.as_str())).then_some(reason)
}
