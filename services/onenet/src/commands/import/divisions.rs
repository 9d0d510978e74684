use std::{collections::BTreeMap, path::Path};

use anyhow::{Result, bail};
use onenet_proto::enterprise::v1::{
    Division, DivisionKind, DivisionLevel, RegisterDivisionRequest,
    division_service_client::DivisionServiceClient,
};
use serde::Deserialize;
use tonic::transport::Channel;

use super::{Rejected, Row, command_id, rows, send_all};
use crate::cli::say;

#[derive(Deserialize)]
struct Fields {
    code: String,
    name: String,
    level: String,
    parent: Option<String>,
    jurisdiction_parent: Option<String>,
    kind: String,
    valid_from: Option<String>,
    valid_to: Option<String>,
}

/// The divisions of a file.
pub(crate) fn read(file: &Path) -> Result<Vec<Row<Division>>> {
    let rows: Vec<Row<Fields>> = rows(file)?;
    Ok(rows.into_iter().map(|(line, fields)| (line, fields.into())).collect())
}

impl From<Fields> for Division {
    /// A word that the contract does not know becomes "unspecified", which the node refuses by name.
    fn from(fields: Fields) -> Self {
        let level = match fields.level.as_str() {
            "town" => "TOWNSHIP".to_owned(),
            level => level.to_uppercase(),
        };
        let level = DivisionLevel::from_str_name(&format!("DIVISION_LEVEL_{level}"));
        let kind =
            DivisionKind::from_str_name(&format!("DIVISION_KIND_{}", fields.kind.to_uppercase()));
        Self {
            code: fields.code,
            name: fields.name,
            level: level.unwrap_or_default().into(),
            parent: fields.parent,
            jurisdiction_parent: fields.jurisdiction_parent,
            kind: kind.unwrap_or_default().into(),
            valid_from_on: fields.valid_from,
            valid_to_on: fields.valid_to,
        }
    }
}

/// Registers level by level, since parents come first.
pub(crate) async fn send(
    channel: Channel,
    rows: Vec<Row<Division>>,
    mut progress: impl FnMut(usize, usize),
) -> Vec<Rejected> {
    let client = DivisionServiceClient::new(channel);
    let (all, mut done, mut rejected) = (rows.len(), 0, Vec::new());
    let mut levels: BTreeMap<i32, Vec<Row<Division>>> = BTreeMap::new();
    for row in rows {
        levels.entry(row.1.level).or_default().push(row);
    }
    for rows in levels.into_values() {
        let register = async |division: Division| {
            let request = RegisterDivisionRequest {
                command_id: command_id(&division),
                division: Some(division),
                ..RegisterDivisionRequest::default()
            };
            client.clone().register_division(request).await.map(drop)
        };
        let told = || {
            done += 1;
            progress(done, all);
        };
        rejected.extend(send_all(rows, register, told).await);
    }
    rejected
}

/// For the demo: all of it, or the first reason why not.
pub(crate) async fn tell(channel: Channel, rows: Vec<Row<Division>>) -> Result<()> {
    let all = rows.len();
    match send(channel, rows, |_, _| {}).await.first() {
        None => say(&format!("  {all} 个行政区划已登记 / divisions registered")),
        Some(Rejected { line, status }) => bail!("line {line}: {}", status.message()),
    }
    Ok(())
}
