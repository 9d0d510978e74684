use std::{fs, net::SocketAddr};

use anyhow::Result;
use onenet_chassis::private::PrivateNode;
use tonic::{
    service::Routes,
    transport::{Certificate, Identity, Server, ServerTlsConfig, server::TcpIncoming},
};

/// Serves for as long as the benchmark, with a node's certificates and nothing else of it: what the wire
/// alone allows.
pub(super) fn serve(node: &PrivateNode, routes: Routes) -> Result<SocketAddr> {
    let server = &node.settings().server;
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(fs::read(&server.certificate)?, fs::read(&server.key)?))
        .client_ca_root(Certificate::from_pem(fs::read(&server.client_ca)?));
    let incoming = incoming()?;
    let address = incoming.local_addr()?;
    tokio::spawn(
        Server::builder().tls_config(tls)?.add_routes(routes).serve_with_incoming(incoming),
    );
    Ok(address)
}

/// A free port of the loopback address. What is small is sent at once, as the node does.
pub(super) fn incoming() -> Result<TcpIncoming> {
    Ok(TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?.with_nodelay(Some(true)))
}
