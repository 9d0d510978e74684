use onenet_chassis::{Call, field, view::Paging};
use onenet_proto::enforcement::v1::{
    GetClueRequest, GetClueResponse, ListCluesRequest, ListCluesResponse,
    clue_service_server::ClueService,
};
use tonic::{Request, Response, Status, async_trait};

use crate::{
    adapters::{
        read_model::clue::{self as read_model, ClueFilter},
        wire::requests,
    },
    app::{App, unknown_clue},
};

/// Clues, as gRPC serves them.
pub(crate) struct Clues(pub(crate) App);

#[async_trait]
impl ClueService for Clues {
    async fn get_clue(
        &self,
        request: Request<GetClueRequest>,
    ) -> Result<Response<GetClueResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: GetClueRequest| {
            let clue_id = field::uuid("clue_id", &sent.clue_id)?;
            let enterprise = app.authorise_clue(&call, clue_id).await?;
            let view = read_model::clue(app.log.db(), &sent.clue_id).await?;
            let clue = Some(view.ok_or_else(|| unknown_clue(&call))?);
            let incomplete = app.door.is_incomplete(Some(&enterprise)).await?;
            Ok(GetClueResponse { clue, incomplete })
        };
        app.door.read(request, answer).await
    }

    async fn list_clues(
        &self,
        request: Request<ListCluesRequest>,
    ) -> Result<Response<ListCluesResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: ListCluesRequest| {
            let paging = Paging::read(sent.page)?;
            if let Some(code) = &sent.subtree {
                field::division("subtree", code)?;
            }
            let filter = ClueFilter {
                enterprise: requests::uscc_filter("enterprise", sent.enterprise.as_deref())?,
                organ: requests::uscc_filter("organ", sent.organ.as_deref())?,
            };
            let scope = app.door.scope(&call, sent.subtree.as_deref()).await?;
            let (clues, page) = read_model::clues(app.log.db(), &paging, &scope, &filter).await?;
            let incomplete = app.door.is_incomplete(None).await?;
            Ok(ListCluesResponse { clues, page: Some(page), incomplete })
        };
        app.door.read(request, answer).await
    }
}
