//! Translate in, call the use case, translate out.

pub(crate) mod blacklist;

use onenet_chassis::{Call, Matter, Refusal, Write, field, view::Paging};
use onenet_proto::credit::v1::{
    CreditErrorReason as Reason, DecideListingRequest, DecideListingResponse,
    GetBlacklistEntryRequest, GetBlacklistEntryResponse, GetCreditCaseRequest,
    GetCreditCaseResponse, GetPenaltyJudgementRequest, GetPenaltyJudgementResponse,
    ListCreditCasesRequest, ListCreditCasesResponse, ProposeListingRequest, ProposeListingResponse,
    RecordStatementRequest, RecordStatementResponse, RemoveListingRequest, RemoveListingResponse,
    ServeListingDecisionRequest, ServeListingDecisionResponse, ServeListingNoticeRequest,
    ServeListingNoticeResponse, credit_service_server::CreditService,
};
use tonic::{Request, Response, Status, async_trait};

use crate::{
    adapters::{
        read_model::{self, CreditCaseFilter},
        wire::requests,
    },
    app::{App, unknown_case, unknown_penalty},
    domain::credit_case_id,
};

/// Listings, as gRPC serves them.
pub(crate) struct Credit(pub(crate) App);

#[async_trait]
impl CreditService for Credit {
    async fn propose_listing(
        &self,
        request: Request<ProposeListingRequest>,
    ) -> Result<Response<ProposeListingResponse>, Status> {
        let app = &self.0;
        let penalty_case_id = request.get_ref().penalty_case_id.clone();
        let intend = async |call: Write, sent: ProposeListingRequest| {
            let subject = field::uscc("subject", &sent.subject)?;
            let penalty = field::uuid("penalty_case_id", &sent.penalty_case_id)?;
            let trigger = field::text("trigger", &sent.trigger, field::NAME)?;
            let grounds = field::text("grounds", &sent.grounds, field::REASON)?;
            app.propose_listing(&call, &subject, penalty, trigger, grounds).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        // a penalty opens one case at most
        let id = penalty_case_id.parse().map(credit_case_id).unwrap_or_default();
        Ok(Response::new(ProposeListingResponse { receipt, credit_case_id: id.to_string() }))
    }

    async fn serve_listing_notice(
        &self,
        request: Request<ServeListingNoticeRequest>,
    ) -> Result<Response<ServeListingNoticeResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: ServeListingNoticeRequest| {
            let case = requests::case(&sent.subject, "credit_case_id", &sent.credit_case_id)?;
            let notice = requests::notice(sent.notice, call.today)?;
            app.serve_listing_notice(&call, &case, notice).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(ServeListingNoticeResponse { receipt }))
    }

    async fn record_statement(
        &self,
        request: Request<RecordStatementRequest>,
    ) -> Result<Response<RecordStatementResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: RecordStatementRequest| {
            let case = requests::case(&sent.subject, "credit_case_id", &sent.credit_case_id)?;
            let statement = requests::statement(sent.statement, call.today)?;
            app.record_statement(&call, &case, statement).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(RecordStatementResponse { receipt }))
    }

    async fn decide_listing(
        &self,
        request: Request<DecideListingRequest>,
    ) -> Result<Response<DecideListingResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: DecideListingRequest| {
            let case = requests::case(&sent.subject, "credit_case_id", &sent.credit_case_id)?;
            let decision = requests::decision(sent.decision, call.today)?;
            app.decide_listing(&call, &case, decision).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(DecideListingResponse { receipt }))
    }

    async fn serve_listing_decision(
        &self,
        request: Request<ServeListingDecisionRequest>,
    ) -> Result<Response<ServeListingDecisionResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: ServeListingDecisionRequest| {
            let case = requests::case(&sent.subject, "credit_case_id", &sent.credit_case_id)?;
            let served_on = field::past_day("served_on", &sent.served_on, call.today)?;
            app.serve_listing_decision(&call, &case, served_on).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(ServeListingDecisionResponse { receipt }))
    }

    async fn remove_listing(
        &self,
        request: Request<RemoveListingRequest>,
    ) -> Result<Response<RemoveListingResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: RemoveListingRequest| {
            let case = requests::case(&sent.subject, "listing_id", &sent.listing_id)?;
            let removal = requests::removal(sent.removal, call.today)?;
            app.remove_listing(&call, &case, removal).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(RemoveListingResponse { receipt }))
    }

    async fn get_blacklist_entry(
        &self,
        request: Request<GetBlacklistEntryRequest>,
    ) -> Result<Response<GetBlacklistEntryResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: GetBlacklistEntryRequest| {
            let subject = field::uscc("subject", &sent.subject)?;
            let matter = Matter { subject: Some(subject.as_str()), ..Matter::default() };
            app.door.authorise(&call, &matter, call.today)?;
            let record = read_model::blacklist_record(app.log.db(), subject.as_str()).await?;
            let never = || Refusal::new(Reason::NeverListed, "the subject was never listed");
            let record = Some(record.ok_or_else(never)?);
            let incomplete = app.door.is_incomplete(Some(subject.as_str())).await?;
            Ok(GetBlacklistEntryResponse { record, incomplete })
        };
        app.door.read(request, answer).await
    }

    async fn get_penalty_judgement(
        &self,
        request: Request<GetPenaltyJudgementRequest>,
    ) -> Result<Response<GetPenaltyJudgementResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: GetPenaltyJudgementRequest| {
            let id = field::uuid("penalty_case_id", &sent.penalty_case_id)?;
            let known = read_model::judgement(app.log.db(), &sent.penalty_case_id).await?;
            let (subject, view) = known.ok_or_else(|| unknown_penalty(&call))?;
            app.authorise_penalty(&call, &subject, id).await?;
            let incomplete = app.door.is_incomplete(Some(&subject)).await?;
            Ok(GetPenaltyJudgementResponse { incomplete, ..view })
        };
        app.door.read(request, answer).await
    }

    async fn get_credit_case(
        &self,
        request: Request<GetCreditCaseRequest>,
    ) -> Result<Response<GetCreditCaseResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: GetCreditCaseRequest| {
            let id = field::uuid("credit_case_id", &sent.credit_case_id)?;
            let view = read_model::credit_case(app.log.db(), &sent.credit_case_id).await?;
            let view = view.ok_or_else(|| unknown_case(&call))?;
            let subject = view.subject.clone().unwrap_or_default().uscc;
            app.authorise_case(&call, &subject, id).await?;
            let incomplete = app.door.is_incomplete(Some(&subject)).await?;
            Ok(GetCreditCaseResponse { credit_case: Some(view), incomplete })
        };
        app.door.read(request, answer).await
    }

    async fn list_credit_cases(
        &self,
        request: Request<ListCreditCasesRequest>,
    ) -> Result<Response<ListCreditCasesResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: ListCreditCasesRequest| {
            let paging = Paging::read(sent.page)?;
            if let Some(code) = &sent.subtree {
                field::division("subtree", code)?;
            }
            let filter = CreditCaseFilter {
                subject: requests::uscc_filter("subject", sent.subject.as_deref())?,
                organ: requests::uscc_filter("organ", sent.organ.as_deref())?,
                state: field::filter_choice("state", sent.state)?,
            };
            let scope = app.door.scope(&call, sent.subtree.as_deref()).await?;
            let (credit_cases, page) =
                read_model::credit_cases(app.log.db(), &paging, &scope, &filter).await?;
            let incomplete = app.door.is_incomplete(None).await?;
            Ok(ListCreditCasesResponse { credit_cases, page: Some(page), incomplete })
        };
        app.door.read(request, answer).await
    }
}
