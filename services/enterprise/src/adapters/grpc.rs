//! Translate in, call the use case, translate out.

use onenet_chassis::{Call, Matter, Refusal, field, view::Paging};
use onenet_proto::enterprise::v1::{
    ConfirmEnterpriseRequest, ConfirmEnterpriseResponse, DesignateKeyEnterpriseRequest,
    DesignateKeyEnterpriseResponse, EnterpriseErrorReason as Reason, GetDivisionRequest,
    GetDivisionResponse, GetEnterpriseRequest, GetEnterpriseResponse, GetOrganisationRequest,
    GetOrganisationResponse, ListDivisionsRequest, ListDivisionsResponse, ListEnterprisesRequest,
    ListEnterprisesResponse, ListOrganisationsRequest, ListOrganisationsResponse,
    RegisterDivisionRequest, RegisterDivisionResponse, RegisterEnterpriseRequest,
    RegisterEnterpriseResponse, RegisterOrganisationRequest, RegisterOrganisationResponse,
    division_service_server::DivisionService, enterprise_service_server::EnterpriseService,
    organisation_service_server::OrganisationService,
};
use tonic::{Request, Response, Status, async_trait};

use crate::{
    adapters::{
        read_model::{self, EnterpriseFilter},
        wire::requests,
    },
    app::{App, unknown_enterprise},
};

/// The register of divisions, as gRPC serves it.
pub(crate) struct Divisions(pub(crate) App);

/// The register of public bodies, as gRPC serves it.
pub(crate) struct Organisations(pub(crate) App);

/// The register of enterprises, as gRPC serves it.
pub(crate) struct Enterprises(pub(crate) App);

impl App {
    /// The codes below a division that a list is narrowed to.
    async fn below(&self, subtree: Option<&str>) -> Result<Option<Vec<String>>, Refusal> {
        let Some(root) = subtree else { return Ok(None) };
        self.known_division(root).await?;
        Ok(Some(self.door.register().subtree(root).await?))
    }
}

#[async_trait]
impl DivisionService for Divisions {
    async fn register_division(
        &self,
        request: Request<RegisterDivisionRequest>,
    ) -> Result<Response<RegisterDivisionResponse>, Status> {
        let app = &self.0;
        let intend = async |call, sent: RegisterDivisionRequest| {
            app.register_division(&call, requests::division(sent.division)?).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(RegisterDivisionResponse { receipt }))
    }

    async fn get_division(
        &self,
        request: Request<GetDivisionRequest>,
    ) -> Result<Response<GetDivisionResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: GetDivisionRequest| {
            let code = field::division("code", &sent.code)?;
            app.door.authorise(&call, &Matter::default(), call.today)?;
            let division = app.door.register().division(&code).await?;
            let unknown =
                || Refusal::new(Reason::DivisionUnknown, "the division is not registered");
            let division = Some(division.ok_or_else(unknown)?);
            let incomplete = app.door.is_incomplete(Some(&code)).await?;
            Ok(GetDivisionResponse { division, incomplete })
        };
        app.door.read(request, answer).await
    }

    async fn list_divisions(
        &self,
        request: Request<ListDivisionsRequest>,
    ) -> Result<Response<ListDivisionsResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: ListDivisionsRequest| {
            let paging = Paging::read(sent.page)?;
            app.door.authorise(&call, &Matter::default(), call.today)?;
            let codes = app.below(sent.subtree.as_deref()).await?;
            let (divisions, page) =
                read_model::divisions(app.log.db(), &paging, codes.as_deref()).await?;
            let incomplete = app.door.is_incomplete(None).await?;
            Ok(ListDivisionsResponse { divisions, page: Some(page), incomplete })
        };
        app.door.read(request, answer).await
    }
}

#[async_trait]
impl OrganisationService for Organisations {
    async fn register_organisation(
        &self,
        request: Request<RegisterOrganisationRequest>,
    ) -> Result<Response<RegisterOrganisationResponse>, Status> {
        let app = &self.0;
        let intend = async |call, sent: RegisterOrganisationRequest| {
            let organisation = requests::organisation(sent.organisation, &app.industries)?;
            app.register_organisation(&call, organisation).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(RegisterOrganisationResponse { receipt }))
    }

    async fn get_organisation(
        &self,
        request: Request<GetOrganisationRequest>,
    ) -> Result<Response<GetOrganisationResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: GetOrganisationRequest| {
            let uscc = field::uscc("uscc", &sent.uscc)?;
            app.door.authorise(&call, &Matter::default(), call.today)?;
            let organisation = app.door.register().organisation(uscc.as_str()).await?;
            let unknown =
                || Refusal::new(Reason::OrganisationUnknown, "the body is not registered");
            let organisation = Some(organisation.ok_or_else(unknown)?);
            let incomplete = app.door.is_incomplete(Some(uscc.as_str())).await?;
            Ok(GetOrganisationResponse { organisation, incomplete })
        };
        app.door.read(request, answer).await
    }

    async fn list_organisations(
        &self,
        request: Request<ListOrganisationsRequest>,
    ) -> Result<Response<ListOrganisationsResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: ListOrganisationsRequest| {
            let paging = Paging::read(sent.page)?;
            app.door.authorise(&call, &Matter::default(), call.today)?;
            let codes = app.below(sent.subtree.as_deref()).await?;
            let (organisations, page) =
                read_model::organisations(app.log.db(), &paging, codes.as_deref()).await?;
            let incomplete = app.door.is_incomplete(None).await?;
            Ok(ListOrganisationsResponse { organisations, page: Some(page), incomplete })
        };
        app.door.read(request, answer).await
    }
}

#[async_trait]
impl EnterpriseService for Enterprises {
    async fn register_enterprise(
        &self,
        request: Request<RegisterEnterpriseRequest>,
    ) -> Result<Response<RegisterEnterpriseResponse>, Status> {
        let app = &self.0;
        let intend = async |call, sent: RegisterEnterpriseRequest| {
            let enterprise = requests::enterprise(sent.enterprise, &app.industries)?;
            app.register_enterprise(&call, enterprise).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(RegisterEnterpriseResponse { receipt }))
    }

    async fn confirm_enterprise(
        &self,
        request: Request<ConfirmEnterpriseRequest>,
    ) -> Result<Response<ConfirmEnterpriseResponse>, Status> {
        let app = &self.0;
        let intend = async |call, sent: ConfirmEnterpriseRequest| {
            app.confirm_enterprise(&call, &field::uscc("enterprise", &sent.enterprise)?).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(ConfirmEnterpriseResponse { receipt }))
    }

    async fn designate_key_enterprise(
        &self,
        request: Request<DesignateKeyEnterpriseRequest>,
    ) -> Result<Response<DesignateKeyEnterpriseResponse>, Status> {
        let app = &self.0;
        let intend = async |call, sent: DesignateKeyEnterpriseRequest| {
            let uscc = field::uscc("enterprise", &sent.enterprise)?;
            let basis = field::text("basis", &sent.basis, field::LEGAL_BASIS)?;
            app.designate_key_enterprise(&call, &uscc, basis).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(DesignateKeyEnterpriseResponse { receipt }))
    }

    async fn get_enterprise(
        &self,
        request: Request<GetEnterpriseRequest>,
    ) -> Result<Response<GetEnterpriseResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: GetEnterpriseRequest| {
            let uscc = field::uscc("uscc", &sent.uscc)?;
            let view = app.door.register().enterprise(uscc.as_str()).await?;
            let view = view.ok_or_else(|| unknown_enterprise(&call))?;
            let enterprise = view.enterprise.clone().unwrap_or_default();
            let matter = app.door.matter(&enterprise.division, &enterprise.industry).await?;
            let matter = Matter { subject: Some(uscc.as_str()), ..matter };
            app.door.authorise(&call, &matter, call.today)?;
            let incomplete = app.door.is_incomplete(Some(uscc.as_str())).await?;
            Ok(GetEnterpriseResponse { enterprise: Some(view), incomplete })
        };
        app.door.read(request, answer).await
    }

    async fn list_enterprises(
        &self,
        request: Request<ListEnterprisesRequest>,
    ) -> Result<Response<ListEnterprisesResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: ListEnterprisesRequest| {
            let paging = Paging::read(sent.page)?;
            let filter = EnterpriseFilter {
                industry: requests::industry_filter(sent.industry.as_deref(), &app.industries)?,
                key_only: sent.key_only,
                state: field::filter_choice("state", sent.state)?,
            };
            let scope = app.door.scope(&call, sent.subtree.as_deref()).await?;
            let (enterprises, page) =
                read_model::enterprises(app.log.db(), &paging, &scope, &filter).await?;
            let incomplete = app.door.is_incomplete(None).await?;
            Ok(ListEnterprisesResponse { enterprises, page: Some(page), incomplete })
        };
        app.door.read(request, answer).await
    }
}
