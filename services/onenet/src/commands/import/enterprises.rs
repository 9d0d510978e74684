use std::path::Path;

use anyhow::Result;
use onenet_proto::enterprise::v1::{
    Enterprise, RegisterEnterpriseRequest, enterprise_service_client::EnterpriseServiceClient,
};
use tonic::transport::Channel;

use super::{Rejected, Row, command_id, rows, send_all, table};

/// The enterprises of a file.
pub(super) fn read(file: &Path) -> Result<Vec<Row<Enterprise>>> {
    rows(file, table::enterprises)
}

/// Registers them in whatever order they are answered: none depends on another.
pub(super) async fn send(
    channel: Channel,
    rows: Vec<Row<Enterprise>>,
    mut progress: impl FnMut(usize, usize),
) -> Vec<Rejected> {
    let client = EnterpriseServiceClient::new(channel);
    let (all, mut done) = (rows.len(), 0);
    let register = async |enterprise: Enterprise| {
        let request = RegisterEnterpriseRequest {
            command_id: command_id(&enterprise),
            enterprise: Some(enterprise),
            ..RegisterEnterpriseRequest::default()
        };
        client.clone().register_enterprise(request).await.map(drop)
    };
    let told = || {
        done += 1;
        progress(done, all);
    };
    send_all(rows, register, told).await
}
