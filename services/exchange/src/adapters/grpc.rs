//! Translate in, call the use case, translate out.

use onenet_chassis::{Call, field, view::Paging};
use onenet_proto::exchange::v1::{
    GiveGrantRequest, GiveGrantResponse, ListGrantsRequest, ListGrantsResponse,
    RegisterAgencyRequest, RegisterAgencyResponse, ReplaceAgencyCertificatesRequest,
    ReplaceAgencyCertificatesResponse, RevokeGrantRequest, RevokeGrantResponse, SubscribeRequest,
    SubscribeResponse, UpdateFilterRequest, UpdateFilterResponse,
    exchange_service_server::ExchangeService, subscribe_request::Start,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, async_trait};

use crate::{
    adapters::{read_model, wire::requests},
    app::App,
    feed::Wanted,
};

/// Exchange, as gRPC serves it.
pub(crate) struct Exchange(pub(crate) App);

#[async_trait]
impl ExchangeService for Exchange {
    type SubscribeStream = ReceiverStream<Result<SubscribeResponse, Status>>;

    async fn register_agency(
        &self,
        request: Request<RegisterAgencyRequest>,
    ) -> Result<Response<RegisterAgencyResponse>, Status> {
        let app = &self.0;
        let intend = async |call, sent: RegisterAgencyRequest| {
            app.register_agency(&call, requests::agency(sent.agency)?).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(RegisterAgencyResponse { receipt }))
    }

    async fn replace_agency_certificates(
        &self,
        request: Request<ReplaceAgencyCertificatesRequest>,
    ) -> Result<Response<ReplaceAgencyCertificatesResponse>, Status> {
        let app = &self.0;
        let intend = async |call, sent: ReplaceAgencyCertificatesRequest| {
            let agency = field::uscc("agency", &sent.agency)?;
            requests::certificates("certificate_sha256", &sent.certificate_sha256)?;
            let reason = field::text("reason", &sent.reason, field::REASON)?;
            app.replace_certificates(&call, &agency, sent.certificate_sha256, reason).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(ReplaceAgencyCertificatesResponse { receipt }))
    }

    async fn give_grant(
        &self,
        request: Request<GiveGrantRequest>,
    ) -> Result<Response<GiveGrantResponse>, Status> {
        let app = &self.0;
        let intend = async |call, sent: GiveGrantRequest| {
            let agency = field::uscc("agency", &sent.agency)?;
            let terms = requests::terms(sent.terms, &app.industries)?;
            app.give_grant(&call, agency, terms).await
        };
        let receipt = app.door.write(request, intend).await?;
        let grant_id = key_of(&receipt.stream_id);
        Ok(Response::new(GiveGrantResponse { receipt: Some(receipt), grant_id }))
    }

    async fn revoke_grant(
        &self,
        request: Request<RevokeGrantRequest>,
    ) -> Result<Response<RevokeGrantResponse>, Status> {
        let app = &self.0;
        let intend = async |call, sent: RevokeGrantRequest| {
            let id = field::uuid("grant_id", &sent.grant_id)?;
            let reason = field::text("reason", &sent.reason, field::REASON)?;
            app.revoke_grant(&call, id, reason).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(RevokeGrantResponse { receipt }))
    }

    async fn list_grants(
        &self,
        request: Request<ListGrantsRequest>,
    ) -> Result<Response<ListGrantsResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: ListGrantsRequest| {
            let paging = Paging::read(sent.page)?;
            let agency = sent.agency.as_deref();
            let agency = agency.map(|agency| field::uscc("agency", agency)).transpose()?;
            let scope = app.door.scope(&call, sent.subtree.as_deref()).await?;
            let agency = agency.as_ref().map(onenet_standards::Uscc::as_str);
            let (grants, page) = read_model::grants(app.log.db(), &paging, &scope, agency).await?;
            let incomplete = app.door.is_incomplete(None).await?;
            Ok(ListGrantsResponse { grants, page: Some(page), incomplete })
        };
        app.door.read(request, answer).await
    }

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let app = &self.0;
        let (call, sent) = app.door.enter(request).await?;
        let opened = async {
            let start = field::required("start", sent.start)?;
            let wanted = Wanted {
                resume_token: match start {
                    Start::ResumeToken(token) => Some(token),
                    Start::Beginning(_) => None,
                },
                filter: requests::filter(sent.filter, &app.industries)?,
                max_batch: sent.max_batch,
            };
            app.may_subscribe(&call).await?;
            app.subscriptions.open(&call, wanted).await
        };
        let stream = opened.await.map_err(|refusal| app.door.status(&call, refusal))?;
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn update_filter(
        &self,
        request: Request<UpdateFilterRequest>,
    ) -> Result<Response<UpdateFilterResponse>, Status> {
        let app = &self.0;
        let (call, sent) = app.door.enter(request).await?;
        let changed = async {
            let id = field::uuid("subscription_id", &sent.subscription_id)?;
            let filter = requests::filter(sent.filter, &app.industries)?;
            app.may_subscribe(&call).await?;
            app.subscriptions.update_filter(&call, id, filter).await
        };
        let after_sequence = changed.await.map_err(|refusal| app.door.status(&call, refusal))?;
        Ok(Response::new(UpdateFilterResponse { after_sequence }))
    }
}

/// The key in a stream's name.
fn key_of(stream_id: &str) -> String {
    onenet_kernel::StreamId::from_stored(stream_id.to_owned()).key().to_owned()
}
