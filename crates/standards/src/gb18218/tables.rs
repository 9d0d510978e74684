//! The tables of the standard as their files write them.

use std::collections::HashMap;

use num_rational::BigRational;
use serde::Deserialize;

use super::Level;
use crate::{
    decimal::exact,
    table::{TableError, rows},
};

/// Threshold and, where Table 3 names the substance, β, by number.
pub(super) type Table1 = HashMap<u32, (BigRational, Option<BigRational>)>;
/// Threshold and β by class symbol.
pub(super) type Classes = HashMap<String, (BigRational, BigRational)>;
/// What holds from a least value on, greatest first.
pub(super) type Steps<Least, Value> = Vec<(Least, Value)>;

fn number(table: &'static str, text: &str) -> Result<BigRational, TableError> {
    exact(text).map_err(|error| TableError::new(table, format!("{text}: {error}")))
}

fn beta_by_name() -> Result<HashMap<String, BigRational>, TableError> {
    #[derive(Deserialize)]
    struct Row {
        name_zh: String,
        beta: String,
    }
    const TABLE: &str = "gb18218_beta_table3.csv";
    let rows: Vec<Row> = rows(TABLE, include_str!("../../data/gb18218_beta_table3.csv"))?;
    rows.into_iter().map(|row| Ok((row.name_zh, number(TABLE, &row.beta)?))).collect()
}

pub(super) fn table1() -> Result<Table1, TableError> {
    #[derive(Deserialize)]
    struct Row {
        no: u32,
        threshold_t: String,
        beta_name: String,
    }
    const TABLE: &str = "gb18218_table1.csv";
    let named = beta_by_name()?;
    let rows: Vec<Row> = rows(TABLE, include_str!("../../data/gb18218_table1.csv"))?;
    rows.into_iter()
        .map(|row| {
            let beta = match row.beta_name.as_str() {
                "" => None,
                name => Some(named.get(name).cloned().ok_or_else(|| TableError::new(TABLE, name))?),
            };
            Ok((row.no, (number(TABLE, &row.threshold_t)?, beta)))
        })
        .collect()
}

pub(super) fn classes() -> Result<Classes, TableError> {
    #[derive(Deserialize)]
    struct Threshold {
        symbol: String,
        threshold_t: String,
    }
    #[derive(Deserialize)]
    struct Beta {
        symbol: String,
        beta: String,
    }
    const TABLE: &str = "gb18218_table2.csv";
    let betas: Vec<Beta> =
        rows("gb18218_beta_table4.csv", include_str!("../../data/gb18218_beta_table4.csv"))?;
    let thresholds: Vec<Threshold> = rows(TABLE, include_str!("../../data/gb18218_table2.csv"))?;
    thresholds
        .into_iter()
        .map(|row| {
            let beta = betas.iter().find(|beta| beta.symbol == row.symbol);
            let beta = beta.ok_or_else(|| TableError::new(TABLE, &row.symbol))?;
            let values = (number(TABLE, &row.threshold_t)?, number(TABLE, &beta.beta)?);
            Ok((row.symbol, values))
        })
        .collect()
}

pub(super) fn alpha() -> Result<Steps<u32, BigRational>, TableError> {
    #[derive(Deserialize)]
    struct Row {
        population_min: u32,
        alpha: String,
    }
    const TABLE: &str = "gb18218_alpha.csv";
    let rows: Vec<Row> = rows(TABLE, include_str!("../../data/gb18218_alpha.csv"))?;
    let mut steps = rows
        .into_iter()
        .map(|row| Ok((row.population_min, number(TABLE, &row.alpha)?)))
        .collect::<Result<Vec<_>, TableError>>()?;
    steps.sort_by(|one, other| other.cmp(one));
    Ok(steps)
}

pub(super) fn levels() -> Result<Steps<BigRational, Level>, TableError> {
    #[derive(Deserialize)]
    struct Row {
        level: u8,
        #[serde(rename = "R_min_inclusive")]
        least: String,
    }
    const TABLE: &str = "gb18218_levels.csv";
    let rows: Vec<Row> = rows(TABLE, include_str!("../../data/gb18218_levels.csv"))?;
    let mut steps = rows
        .into_iter()
        .map(|row| {
            let least = if row.least.is_empty() { "0" } else { &row.least };
            let level = Level::from_number(row.level);
            let level =
                level.ok_or_else(|| TableError::new(TABLE, format!("level {}", row.level)))?;
            Ok((number(TABLE, least)?, level))
        })
        .collect::<Result<Vec<_>, TableError>>()?;
    steps.sort_by(|one, other| other.cmp(one));
    Ok(steps)
}
