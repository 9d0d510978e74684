use onenet_chassis::{Call, Write, field, view::Paging};
use onenet_kernel::StreamId;
use onenet_proto::hazard::v1::{
    AcceptRectificationRequest, AcceptRectificationResponse, CorrectHiddenDangerRequest,
    CorrectHiddenDangerResponse, CorrectTreatmentReportRequest, CorrectTreatmentReportResponse,
    GetHiddenDangerRequest, GetHiddenDangerResponse, GradeHiddenDangerRequest,
    GradeHiddenDangerResponse, ListHiddenDangersRequest, ListHiddenDangersResponse,
    OrderRectificationRequest, OrderRectificationResponse, RecheckHiddenDangerRequest,
    RecheckHiddenDangerResponse, RectifyHiddenDangerRequest, RectifyHiddenDangerResponse,
    ReportHiddenDangerRequest, ReportHiddenDangerResponse, ReportTreatmentRequest,
    ReportTreatmentResponse, WithdrawHiddenDangerRequest, WithdrawHiddenDangerResponse,
    hidden_danger_service_server::HiddenDangerService,
};
use tonic::{Request, Response, Status, async_trait};

use crate::{
    adapters::{
        read_model::hidden_danger::{self as read_model, HiddenDangerFilter},
        wire::{danger_requests as requests, requests::uscc_filter},
    },
    app::{App, unknown_danger},
};

/// Hidden dangers, as gRPC serves them.
pub(crate) struct HiddenDangers(pub(crate) App);

#[async_trait]
impl HiddenDangerService for HiddenDangers {
    async fn report_hidden_danger(
        &self,
        request: Request<ReportHiddenDangerRequest>,
    ) -> Result<Response<ReportHiddenDangerResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: ReportHiddenDangerRequest| {
            let enterprise = field::uscc("enterprise", &sent.enterprise)?;
            app.report_danger(&call, enterprise, requests::finding(sent.finding, call.today)?).await
        };
        let receipt = app.door.write(request, intend).await?;
        let stream = StreamId::from_stored(receipt.stream_id.clone());
        let hidden_danger_id = stream.key().to_owned();
        Ok(Response::new(ReportHiddenDangerResponse { receipt: Some(receipt), hidden_danger_id }))
    }

    async fn grade_hidden_danger(
        &self,
        request: Request<GradeHiddenDangerRequest>,
    ) -> Result<Response<GradeHiddenDangerResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: GradeHiddenDangerRequest| {
            let id = field::uuid("hidden_danger_id", &sent.hidden_danger_id)?;
            app.grade_danger(&call, id, requests::grading(sent, call.today)?).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(GradeHiddenDangerResponse { receipt }))
    }

    async fn order_rectification(
        &self,
        request: Request<OrderRectificationRequest>,
    ) -> Result<Response<OrderRectificationResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: OrderRectificationRequest| {
            let id = field::uuid("hidden_danger_id", &sent.hidden_danger_id)?;
            app.order_rectification(&call, id, requests::order(sent.order, call.today)?).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(OrderRectificationResponse { receipt }))
    }

    async fn report_treatment(
        &self,
        request: Request<ReportTreatmentRequest>,
    ) -> Result<Response<ReportTreatmentResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: ReportTreatmentRequest| {
            let id = field::uuid("hidden_danger_id", &sent.hidden_danger_id)?;
            app.report_treatment(&call, id, requests::report(sent.report, call.today)?).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(ReportTreatmentResponse { receipt }))
    }

    async fn rectify_hidden_danger(
        &self,
        request: Request<RectifyHiddenDangerRequest>,
    ) -> Result<Response<RectifyHiddenDangerResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: RectifyHiddenDangerRequest| {
            let id = field::uuid("hidden_danger_id", &sent.hidden_danger_id)?;
            app.rectify_danger(&call, id, requests::rectification(sent.rectification, call.today)?)
                .await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(RectifyHiddenDangerResponse { receipt }))
    }

    async fn accept_rectification(
        &self,
        request: Request<AcceptRectificationRequest>,
    ) -> Result<Response<AcceptRectificationResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: AcceptRectificationRequest| {
            let id = field::uuid("hidden_danger_id", &sent.hidden_danger_id)?;
            app.accept_rectification(&call, id, requests::acceptance(sent.acceptance, call.today)?)
                .await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(AcceptRectificationResponse { receipt }))
    }

    async fn recheck_hidden_danger(
        &self,
        request: Request<RecheckHiddenDangerRequest>,
    ) -> Result<Response<RecheckHiddenDangerResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: RecheckHiddenDangerRequest| {
            let id = field::uuid("hidden_danger_id", &sent.hidden_danger_id)?;
            app.recheck_danger(&call, id, requests::recheck(sent.recheck, call.today)?).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(RecheckHiddenDangerResponse { receipt }))
    }

    async fn correct_hidden_danger(
        &self,
        request: Request<CorrectHiddenDangerRequest>,
    ) -> Result<Response<CorrectHiddenDangerResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: CorrectHiddenDangerRequest| {
            let id = field::uuid("hidden_danger_id", &sent.hidden_danger_id)?;
            let finding = requests::finding(sent.finding, call.today)?;
            let reason = field::text("reason", &sent.reason, field::REASON)?;
            app.correct_danger(&call, id, &finding, &reason).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(CorrectHiddenDangerResponse { receipt }))
    }

    async fn correct_treatment_report(
        &self,
        request: Request<CorrectTreatmentReportRequest>,
    ) -> Result<Response<CorrectTreatmentReportResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: CorrectTreatmentReportRequest| {
            let id = field::uuid("hidden_danger_id", &sent.hidden_danger_id)?;
            let report = requests::report(sent.report, call.today)?;
            let reason = field::text("reason", &sent.reason, field::REASON)?;
            app.correct_treatment(&call, id, sent.report_no, &report, &reason).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(CorrectTreatmentReportResponse { receipt }))
    }

    async fn withdraw_hidden_danger(
        &self,
        request: Request<WithdrawHiddenDangerRequest>,
    ) -> Result<Response<WithdrawHiddenDangerResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: WithdrawHiddenDangerRequest| {
            let id = field::uuid("hidden_danger_id", &sent.hidden_danger_id)?;
            let reason = field::text("reason", &sent.reason, field::REASON)?;
            app.withdraw_danger(&call, id, &reason).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(WithdrawHiddenDangerResponse { receipt }))
    }

    async fn get_hidden_danger(
        &self,
        request: Request<GetHiddenDangerRequest>,
    ) -> Result<Response<GetHiddenDangerResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: GetHiddenDangerRequest| {
            let id = field::uuid("hidden_danger_id", &sent.hidden_danger_id)?;
            let key = app.authorise_danger(&call, id).await?;
            let view = read_model::hidden_danger(app.log.db(), &sent.hidden_danger_id).await?;
            let hidden_danger = Some(view.ok_or_else(|| unknown_danger(&call))?);
            let incomplete = app.door.is_incomplete(Some(&key.subject)).await?;
            Ok(GetHiddenDangerResponse { hidden_danger, incomplete })
        };
        app.door.read(request, answer).await
    }

    async fn list_hidden_dangers(
        &self,
        request: Request<ListHiddenDangersRequest>,
    ) -> Result<Response<ListHiddenDangersResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: ListHiddenDangersRequest| {
            let paging = Paging::read(sent.page)?;
            if let Some(code) = &sent.subtree {
                field::division("subtree", code)?;
            }
            let filter = HiddenDangerFilter {
                enterprise: uscc_filter("enterprise", sent.enterprise.as_deref())?,
                grade: field::filter_choice("grade", sent.grade)?,
                state: field::filter_choice("state", sent.state)?,
                only_overdue: sent.overdue,
            };
            let scope = app.door.scope(&call, sent.subtree.as_deref()).await?;
            let (hidden_dangers, page) =
                read_model::hidden_dangers(app.log.db(), &paging, &scope, &filter).await?;
            let incomplete = app.door.is_incomplete(None).await?;
            Ok(ListHiddenDangersResponse { hidden_dangers, page: Some(page), incomplete })
        };
        app.door.read(request, answer).await
    }
}
