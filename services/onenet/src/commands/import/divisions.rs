use std::{collections::BTreeMap, path::Path};

use anyhow::{Result, bail};
use onenet_proto::enterprise::v1::{
    Division, RegisterDivisionRequest, division_service_client::DivisionServiceClient,
};
use tonic::transport::Channel;

use super::{Rejected, Row, command_id, rows, send_all, table};
use crate::cli::say;

/// The divisions of a file.
pub(crate) fn read(file: &Path) -> Result<Vec<Row<Division>>> {
    rows(file, table::divisions)
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
