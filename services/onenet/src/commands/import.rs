use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, stream};
use onenet_proto::enterprise::v1::{
    Division, DivisionKind, DivisionLevel, RegisterDivisionRequest,
    division_service_client::DivisionServiceClient,
};
use serde::Deserialize;
use tonic::{Code, Status, transport::Channel};
use uuid::Uuid;

use crate::{
    cli::{Import, ImportWhat, complain, say},
    client,
};

/// Rows that are on their way at once.
const AT_ONCE: usize = 64;
/// How often a row is sent again whose outcome is unknown.
const TRIES: usize = 5;

/// One file, with progress; rejected rows are named with line and reason.
pub(crate) async fn run(options: Import) -> Result<()> {
    let ImportWhat::Divisions { file, node } = options.what;
    let divisions = read(&file)?;
    let channel = client::connect(&node).await?;
    let rejected = divisions_in(channel, divisions, |done, all| {
        complain(&format!("{done}/{all}"));
    })
    .await;
    for (line, status) in &rejected {
        complain(&format!("{}:{line}: {}", file.display(), status.message()));
    }
    if rejected.is_empty() {
        return Ok(());
    }
    bail!("{} rows were rejected, the others are in; mend them and run it again", rejected.len())
}

/// A row of the file, with its line.
pub(crate) type Row = (u64, Division);

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

/// The divisions of a file whose first lines may be comments.
pub(crate) fn read(file: &Path) -> Result<Vec<Row>> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let headers = reader.headers()?.clone();
    let mut rows = Vec::new();
    for record in reader.into_records() {
        let record = record.with_context(|| format!("reading {}", file.display()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let fields: Fields = record
            .deserialize(Some(&headers))
            .with_context(|| format!("{}:{line}", file.display()))?;
        rows.push((line, fields.into()));
    }
    Ok(rows)
}

impl From<Fields> for Division {
    /// A word that the contract does not know becomes "unspecified", which the node refuses by name.
    fn from(fields: Fields) -> Self {
        let level = DivisionLevel::from_str_name(&format!(
            "DIVISION_LEVEL_{}",
            match fields.level.as_str() {
                "town" => "TOWNSHIP".to_owned(),
                level => level.to_uppercase(),
            }
        ));
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

/// Registers level by level, since parents come first; answers the rows that were rejected.
pub(crate) async fn divisions_in(
    channel: Channel,
    rows: Vec<Row>,
    mut progress: impl FnMut(usize, usize),
) -> Vec<(u64, Status)> {
    let client = DivisionServiceClient::new(channel);
    let (all, mut done, mut rejected) = (rows.len(), 0, Vec::new());
    let mut levels: BTreeMap<i32, Vec<Row>> = BTreeMap::new();
    for row in rows {
        levels.entry(row.1.level).or_default().push(row);
    }
    for rows in levels.into_values() {
        let mut answers = stream::iter(rows)
            .map(|(line, division)| register(client.clone(), line, division))
            .buffer_unordered(AT_ONCE);
        while let Some((line, outcome)) = answers.next().await {
            done += 1;
            if done % 500 == 0 || done == all {
                progress(done, all);
            }
            if let Err(status) = outcome {
                rejected.push((line, status));
            }
        }
    }
    rejected.sort_by_key(|(line, _)| *line);
    rejected
}

/// The command's id follows from the row: a run that was cut off goes on without doubling anything.
async fn register(
    mut client: DivisionServiceClient<Channel>,
    line: u64,
    division: Division,
) -> (u64, Result<(), Status>) {
    let content = prost::Message::encode_to_vec(&division);
    let request = RegisterDivisionRequest {
        command_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &content).to_string(),
        division: Some(division),
        ..RegisterDivisionRequest::default()
    };
    let mut outcome = Ok(());
    for _ in 0..TRIES {
        outcome = client.register_division(request.clone()).await.map(drop);
        let is_unknown = outcome.as_ref().is_err_and(|status| {
            matches!(status.code(), Code::Unavailable | Code::ResourceExhausted | Code::Aborted)
        });
        if !is_unknown {
            break;
        }
    }
    (line, outcome)
}

/// For the demo: the same with a line for a person at the end.
pub(crate) async fn tell(channel: Channel, rows: Vec<Row>) -> Result<()> {
    let all = rows.len();
    let rejected = divisions_in(channel, rows, |_, _| {}).await;
    match rejected.first() {
        None => say(&format!("  {all} 个行政区划已登记 / divisions registered")),
        Some((line, status)) => bail!("line {line}: {}", status.message()),
    }
    Ok(())
}
