use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::cli::Node;

/// A connection to a node with one's own certificate.
pub(crate) async fn connect(node: &Node) -> Result<Channel> {
    let tls = ClientTlsConfig::new()
        .domain_name(&node.server_name)
        .ca_certificate(Certificate::from_pem(read(&node.ca)?))
        .identity(Identity::from_pem(read(&node.certificate)?, read(&node.key)?));
    let address = &node.address;
    Endpoint::from_shared(format!("https://{address}"))
        .and_then(|endpoint| endpoint.tls_config(tls))
        .with_context(|| format!("--address {address} cannot be used"))?
        .connect()
        .await
        .with_context(|| format!("no node answers at {address}; is `onenet up` running?"))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}
