//! Bulk data through the ordinary commands: what a row asks for is judged like any other call.

pub(crate) mod divisions;
mod enterprises;
mod table;

use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, stream};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

pub(crate) use self::table::Row;
use crate::{
    cli::{Import, ImportWhat, complain, say},
    client,
};

/// Rows that are on their way at once.
const AT_ONCE: usize = 128;
/// How often a row is sent again whose outcome is unknown.
const TRIES: usize = 5;
/// Rows between two lines of progress.
const TELL_EVERY: usize = 500;

/// A row that was refused: it changed nothing.
pub(crate) struct Rejected {
    pub(crate) line: u64,
    status: Status,
}

/// One file, with progress; rejected rows go to a file beside it, each with its reason.
pub(crate) async fn run(options: Import) -> Result<()> {
    let (file, rejected) = match options.what {
        ImportWhat::Divisions { file, node } => {
            let rows = divisions::read(&file)?;
            let channel = client::connect(&node).await?;
            (file, divisions::send(channel, rows, tell).await)
        }
        ImportWhat::Enterprises { file, node } => {
            let rows = enterprises::read(&file)?;
            let channel = client::connect(&node).await?;
            (file, enterprises::send(channel, rows, tell).await)
        }
    };
    if rejected.is_empty() {
        // of an earlier run, whose rows are in now
        fs::remove_file(quarantine_of(&file)).ok();
        say("全部导入 / everything is in");
        return Ok(());
    }
    let quarantine = quarantine(&file, &rejected)?;
    bail!(
        "{} rows were rejected and stand with their reasons in {}; the others are in. Mend them in the \
         file and run it again: what is in is not added twice",
        rejected.len(),
        quarantine.display()
    )
}

fn tell(done: usize, all: usize) {
    if done.is_multiple_of(TELL_EVERY) || done == all {
        complain(&format!("{done}/{all}"));
    }
}

/// What a file holds, read as `table`.
fn rows<T>(file: &Path, table: fn(&str) -> Result<Vec<Row<T>>>) -> Result<Vec<Row<T>>> {
    let reading = || format!("reading {}", file.display());
    table(&fs::read_to_string(file).with_context(reading)?).with_context(reading)
}

/// The id of a row's command follows from its content: a run that was cut off goes on without
/// doubling anything.
fn command_id(row: &impl prost::Message) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &row.encode_to_vec()).to_string()
}

/// Sends rows side by side; `progress` hears how many are done after each.
async fn send_all<T, F>(
    rows: Vec<Row<T>>,
    send: impl Fn(T) -> F,
    mut progress: impl FnMut(),
) -> Vec<Rejected>
where
    T: Clone,
    F: Future<Output = Result<(), Status>>,
{
    let mut answers = stream::iter(rows)
        .map(async |(line, row)| {
            let mut outcome = Ok(());
            for _ in 0..TRIES {
                outcome = send(row.clone()).await;
                let is_unknown = outcome.as_ref().is_err_and(|status| {
                    let passing = [Code::Unavailable, Code::ResourceExhausted, Code::Aborted];
                    passing.contains(&status.code())
                });
                if !is_unknown {
                    break;
                }
            }
            (line, outcome)
        })
        .buffer_unordered(AT_ONCE);
    let mut rejected = Vec::new();
    while let Some((line, outcome)) = answers.next().await {
        progress();
        rejected.extend(outcome.err().map(|status| Rejected { line, status }));
    }
    rejected.sort_by_key(|rejected| rejected.line);
    rejected
}

fn quarantine_of(file: &Path) -> PathBuf {
    file.with_extension("rejected.csv")
}

/// Writes what was refused beside the file: line, field, reason, and the message in Chinese.
fn quarantine(file: &Path, rejected: &[Rejected]) -> Result<PathBuf> {
    let path = quarantine_of(file);
    let mut writer =
        csv::Writer::from_path(&path).with_context(|| format!("writing {}", path.display()))?;
    writer.write_record(["line", "field", "reason", "message_zh", "message"])?;
    for Rejected { line, status } in rejected {
        let details = status.get_error_details();
        let bad = details.bad_request().and_then(|bad| bad.field_violations.first());
        let field = bad.map(|violation| violation.field.clone()).unwrap_or_default();
        let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
        let zh = details.localized_message().map(|zh| zh.message.clone()).unwrap_or_default();
        writer.write_record([&line.to_string(), &field, &reason, &zh, status.message()])?;
    }
    writer.flush().with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}
