use std::path::Path;

use anyhow::Result;
use onenet_proto::enterprise::v1::{
    Enterprise, EnterpriseKind, RegisterEnterpriseRequest,
    enterprise_service_client::EnterpriseServiceClient,
};
use serde::Deserialize;
use tonic::transport::Channel;

use super::{Rejected, Row, command_id, rows, send_all};

#[derive(Deserialize)]
struct Fields {
    uscc: String,
    name: String,
    kind: String,
    division: String,
    industry: String,
    address: String,
}

/// The enterprises of a file.
pub(super) fn read(file: &Path) -> Result<Vec<Row<Enterprise>>> {
    let rows: Vec<Row<Fields>> = rows(file)?;
    Ok(rows.into_iter().map(|(line, fields)| (line, fields.into())).collect())
}

impl From<Fields> for Enterprise {
    /// A kind that the contract does not know becomes "unspecified", which the node refuses by name.
    fn from(fields: Fields) -> Self {
        let kind = format!("ENTERPRISE_KIND_{}", fields.kind.to_uppercase());
        Self {
            uscc: fields.uscc,
            name: fields.name,
            kind: EnterpriseKind::from_str_name(&kind).unwrap_or_default().into(),
            division: fields.division,
            industry: fields.industry,
            address: fields.address,
        }
    }
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
