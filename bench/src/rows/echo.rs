use std::{fs, net::SocketAddr};

use anyhow::Result;
use onenet_chassis::private::PrivateNode;
use onenet_proto::enterprise::v1::{
    ConfirmEnterpriseRequest, ConfirmEnterpriseResponse, DesignateKeyEnterpriseRequest,
    DesignateKeyEnterpriseResponse, GetEnterpriseRequest, GetEnterpriseResponse,
    ListEnterprisesRequest, ListEnterprisesResponse, RegisterEnterpriseRequest,
    RegisterEnterpriseResponse,
    enterprise_service_server::{EnterpriseService, EnterpriseServiceServer},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    transport::{Certificate, Identity, Server, ServerTlsConfig},
};

/// A server with the node's certificates that answers a command without doing anything: what the wire
/// alone allows.
pub(super) async fn serve(
    node: &PrivateNode,
    answer: RegisterEnterpriseResponse,
) -> Result<SocketAddr> {
    let server = &node.settings().server;
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(fs::read(&server.certificate)?, fs::read(&server.key)?))
        .client_ca_root(Certificate::from_pem(fs::read(&server.client_ca)?));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = Server::builder()
        .tls_config(tls)?
        .add_service(EnterpriseServiceServer::new(Echo(answer)))
        .serve_with_incoming(TcpListenerStream::new(listener));
    // for as long as the benchmark
    tokio::spawn(serving);
    Ok(address)
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
