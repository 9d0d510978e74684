//! Translate in, call the use case, translate out.

mod hidden_danger;

use onenet_chassis::{Call, Write, field, view::Paging};
use onenet_kernel::StreamId;
use onenet_proto::hazard::v1::{
    FileMajorHazardRequest, FileMajorHazardResponse, GetMajorHazardRequest, GetMajorHazardResponse,
    IdentifyMajorHazardRequest, IdentifyMajorHazardResponse, ListMajorHazardsRequest,
    ListMajorHazardsResponse, major_hazard_service_server::MajorHazardService,
};
use tonic::{Request, Response, Status, async_trait};

pub(crate) use self::hidden_danger::HiddenDangers;
use crate::{
    adapters::{
        read_model::{self, MajorHazardFilter},
        wire::requests,
    },
    app::{App, unknown_hazard},
};

/// Longest filing number as written.
const FILING_NUMBER: usize = 50;

/// Major hazards, as gRPC serves them.
pub(crate) struct MajorHazards(pub(crate) App);

#[async_trait]
impl MajorHazardService for MajorHazards {
    async fn identify_major_hazard(
        &self,
        request: Request<IdentifyMajorHazardRequest>,
    ) -> Result<Response<IdentifyMajorHazardResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: IdentifyMajorHazardRequest| {
            app.identify(&call, requests::stated(sent)?).await
        };
        let receipt = app.door.write(request, intend).await?;
        let stream = StreamId::from_stored(receipt.stream_id.clone());
        let hazard_id = stream.key().to_owned();
        Ok(Response::new(IdentifyMajorHazardResponse { receipt: Some(receipt), hazard_id }))
    }

    async fn file_major_hazard(
        &self,
        request: Request<FileMajorHazardRequest>,
    ) -> Result<Response<FileMajorHazardResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: FileMajorHazardRequest| {
            let hazard_id = field::uuid("hazard_id", &sent.hazard_id)?;
            let number = field::text("filing_number", &sent.filing_number, FILING_NUMBER)?;
            let filed_on = field::past_day("filed_on", &sent.filed_on, call.today)?;
            app.file(&call, hazard_id, number, filed_on).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(FileMajorHazardResponse { receipt }))
    }

    async fn get_major_hazard(
        &self,
        request: Request<GetMajorHazardRequest>,
    ) -> Result<Response<GetMajorHazardResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: GetMajorHazardRequest| {
            let hazard_id = field::uuid("hazard_id", &sent.hazard_id)?;
            let enterprise = app.authorise(&call, hazard_id).await?;
            let view = read_model::major_hazard(app.log.db(), &sent.hazard_id).await?;
            let hazard = Some(view.ok_or_else(|| unknown_hazard(&call))?);
            let incomplete = app.door.is_incomplete(Some(&enterprise)).await?;
            Ok(GetMajorHazardResponse { hazard, incomplete })
        };
        app.door.read(request, answer).await
    }

    async fn list_major_hazards(
        &self,
        request: Request<ListMajorHazardsRequest>,
    ) -> Result<Response<ListMajorHazardsResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: ListMajorHazardsRequest| {
            let paging = Paging::read(sent.page)?;
            if let Some(code) = &sent.subtree {
                field::division("subtree", code)?;
            }
            let filter = MajorHazardFilter {
                enterprise: requests::uscc_filter("enterprise", sent.enterprise.as_deref())?,
                industry: requests::industry_filter(sent.industry.as_deref(), &app.industries)?,
                level: field::filter_choice("level", sent.level)?,
                filing_state: field::filter_choice("filing_state", sent.filing_state)?,
            };
            let scope = app.door.scope(&call, sent.subtree.as_deref()).await?;
            let (hazards, page) =
                read_model::major_hazards(app.log.db(), &paging, &scope, &filter).await?;
            let incomplete = app.door.is_incomplete(None).await?;
            Ok(ListMajorHazardsResponse { hazards, page: Some(page), incomplete })
        };
        app.door.read(request, answer).await
    }
}
