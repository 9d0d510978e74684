//! Translate in, call the use case, translate out.

mod clue;

use onenet_chassis::{Call, Write, field, view::Paging};
use onenet_kernel::StreamId;
use onenet_proto::enforcement::v1::{
    DecidePenaltyRequest, DecidePenaltyResponse, GetCaseRequest, GetCaseResponse, ListCasesRequest,
    ListCasesResponse, OpenCaseRequest, OpenCaseResponse, ServePenaltyRequest,
    ServePenaltyResponse, case_service_server::CaseService,
};
use tonic::{Request, Response, Status, async_trait};

pub(crate) use self::clue::Clues;
use crate::{
    adapters::{
        read_model::{self, CaseFilter},
        wire::requests,
    },
    app::{App, unknown_case},
};

/// Cases, as gRPC serves them.
pub(crate) struct Cases(pub(crate) App);

#[async_trait]
impl CaseService for Cases {
    async fn open_case(
        &self,
        request: Request<OpenCaseRequest>,
    ) -> Result<Response<OpenCaseResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: OpenCaseRequest| {
            let party = field::uscc("party", &sent.party)?;
            let filed_on = field::past_day("filed_on", &sent.filed_on, call.today)?;
            let cause = field::text("cause", &sent.cause, field::REASON)?;
            app.open_case(&call, party, filed_on, cause).await
        };
        let receipt = app.door.write(request, intend).await?;
        let stream = StreamId::from_stored(receipt.stream_id.clone());
        let case_id = stream.key().to_owned();
        Ok(Response::new(OpenCaseResponse { receipt: Some(receipt), case_id }))
    }

    async fn decide_penalty(
        &self,
        request: Request<DecidePenaltyRequest>,
    ) -> Result<Response<DecidePenaltyResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: DecidePenaltyRequest| {
            let case_id = field::uuid("case_id", &sent.case_id)?;
            let penalty = requests::penalty(sent.penalty, &app.violations, call.today)?;
            app.decide_penalty(&call, case_id, penalty).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(DecidePenaltyResponse { receipt }))
    }

    async fn serve_penalty(
        &self,
        request: Request<ServePenaltyRequest>,
    ) -> Result<Response<ServePenaltyResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: ServePenaltyRequest| {
            let case_id = field::uuid("case_id", &sent.case_id)?;
            let served_on = field::past_day("served_on", &sent.served_on, call.today)?;
            app.serve_penalty(&call, case_id, served_on).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(ServePenaltyResponse { receipt }))
    }

    async fn get_case(
        &self,
        request: Request<GetCaseRequest>,
    ) -> Result<Response<GetCaseResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: GetCaseRequest| {
            let case_id = field::uuid("case_id", &sent.case_id)?;
            let party = app.authorise(&call, case_id, call.today).await?;
            let view = read_model::case(app.log.db(), &sent.case_id).await?;
            let case = Some(view.ok_or_else(|| unknown_case(&call))?);
            let incomplete = app.door.is_incomplete(Some(party.as_str())).await?;
            Ok(GetCaseResponse { case, incomplete })
        };
        app.door.read(request, answer).await
    }

    async fn list_cases(
        &self,
        request: Request<ListCasesRequest>,
    ) -> Result<Response<ListCasesResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: ListCasesRequest| {
            let paging = Paging::read(sent.page)?;
            if let Some(code) = &sent.subtree {
                field::division("subtree", code)?;
            }
            let filter = CaseFilter {
                party: requests::uscc_filter("party", sent.party.as_deref())?,
                organ: requests::uscc_filter("organ", sent.organ.as_deref())?,
                state: field::filter_choice("state", sent.state)?,
            };
            let scope = app.door.scope(&call, sent.subtree.as_deref()).await?;
            let (cases, page) = read_model::cases(app.log.db(), &paging, &scope, &filter).await?;
            let incomplete = app.door.is_incomplete(None).await?;
            Ok(ListCasesResponse { cases, page: Some(page), incomplete })
        };
        app.door.read(request, answer).await
    }
}
