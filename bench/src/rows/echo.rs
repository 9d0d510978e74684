use std::net::SocketAddr;

use anyhow::Result;
use onenet_chassis::private::PrivateNode;
use onenet_proto::enterprise::v1::{
    ConfirmEnterpriseRequest, ConfirmEnterpriseResponse, DesignateKeyEnterpriseRequest,
    DesignateKeyEnterpriseResponse, GetEnterpriseRequest, GetEnterpriseResponse,
    ListEnterprisesRequest, ListEnterprisesResponse, RegisterEnterpriseRequest,
    RegisterEnterpriseResponse,
    enterprise_service_server::{EnterpriseService, EnterpriseServiceServer},
};
use tonic::{Request, Response, Status, service::Routes};

use super::bare;

/// A server with the node's certificates that answers a command without doing anything: what the wire
/// alone allows.
pub(super) fn serve(node: &PrivateNode, answer: RegisterEnterpriseResponse) -> Result<SocketAddr> {
    bare::serve(node, Routes::new(EnterpriseServiceServer::new(Echo(answer))))
}

struct Echo(RegisterEnterpriseResponse);

#[tonic::async_trait]
impl EnterpriseService for Echo {
    async fn register_enterprise(
        &self,
        _: Request<RegisterEnterpriseRequest>,
    ) -> Result<Response<RegisterEnterpriseResponse>, Status> {
        Ok(Response::new(self.0.clone()))
    }

    async fn confirm_enterprise(
        &self,
        _: Request<ConfirmEnterpriseRequest>,
    ) -> Result<Response<ConfirmEnterpriseResponse>, Status> {
        Err(only_echoes())
    }

    async fn designate_key_enterprise(
        &self,
        _: Request<DesignateKeyEnterpriseRequest>,
    ) -> Result<Response<DesignateKeyEnterpriseResponse>, Status> {
        Err(only_echoes())
    }

    async fn get_enterprise(
        &self,
        _: Request<GetEnterpriseRequest>,
    ) -> Result<Response<GetEnterpriseResponse>, Status> {
        Err(only_echoes())
    }

    async fn list_enterprises(
        &self,
        _: Request<ListEnterprisesRequest>,
    ) -> Result<Response<ListEnterprisesResponse>, Status> {
        Err(only_echoes())
    }
}

fn only_echoes() -> Status {
    Status::unimplemented("a benchmark's server answers registrations only")
}
