//! What files of rows hold. It asks nobody and reads no file, so that it can be fuzzed by itself.

use anyhow::{Context as _, Result};
use onenet_proto::enterprise::v1::{
    Division, DivisionKind, DivisionLevel, Enterprise, EnterpriseKind,
};
use serde::{Deserialize, de::DeserializeOwned};

/// A row of a file, with its line.
pub(crate) type Row<T> = (u64, T);

#[derive(Deserialize)]
struct DivisionFields {
    code: String,
    name: String,
    level: String,
    parent: Option<String>,
    jurisdiction_parent: Option<String>,
    kind: String,
    valid_from: Option<String>,
    valid_to: Option<String>,
}

#[derive(Deserialize)]
struct EnterpriseFields {
    uscc: String,
    name: String,
    kind: String,
    division: String,
    industry: String,
    address: String,
}

/// The divisions of a table.
pub(crate) fn divisions(text: &str) -> Result<Vec<Row<Division>>> {
    rows::<DivisionFields, _>(text)
}

/// The enterprises of a table.
pub(crate) fn enterprises(text: &str) -> Result<Vec<Row<Enterprise>>> {
    rows::<EnterpriseFields, _>(text)
}

/// The rows of a CSV text whose first lines may be comments.
fn rows<F: DeserializeOwned, T: From<F>>(text: &str) -> Result<Vec<Row<T>>> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let headers = reader.headers()?.clone();
    let mut rows = Vec::new();
    for record in reader.into_records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let fields: F =
            record.deserialize(Some(&headers)).with_context(|| format!("line {line}"))?;
        rows.push((line, fields.into()));
    }
    Ok(rows)
}

impl From<DivisionFields> for Division {
    /// A word that the contract does not know becomes "unspecified", which the node refuses by name.
    fn from(fields: DivisionFields) -> Self {
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

impl From<EnterpriseFields> for Enterprise {
    /// A kind that the contract does not know becomes "unspecified", which the node refuses by name.
    fn from(fields: EnterpriseFields) -> Self {
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
