//! An appender that is a process of its own: what `scale` starts, and what the process does.

use std::{
    io::{Write as _, stdin, stdout},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result};
use onenet_eventstore::{Db, DbSettings, PgLog};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::{append_for, append_one};
use crate::process::Process;

/// Words by which this program becomes an appender; see [`append_when_told`].
const WORDS: [&str; 2] = ["bench", "--appender"];
const READY: &str = "ready";
const BEGIN: &str = "begin";
const APPENDED: &str = "appended";

/// The first line that it is told. It holds a password, so it is none of the words that a process is started with.
#[derive(Serialize, Deserialize)]
struct Task {
    url: String,
    schema: String,
    max_connections: u32,
    callers: usize,
    turn: Duration,
}

/// Such a process, seen from the one that started it.
pub(super) struct Appender(Process);

impl Appender {
    /// Starts one, and waits until it has appended its first event.
    pub(super) async fn start(
        program: &Path,
        settings: DbSettings,
        callers: usize,
        turn: Duration,
    ) -> Result<Self> {
        let DbSettings { url, schema, max_connections } = settings;
        let task = Task { url, schema, max_connections, callers, turn };
        let mut process = Process::start(program, &WORDS)?;
        process.tell(&serde_json::to_string(&task)?).await?;
        process.says(READY).await?;
        Ok(Self(process))
    }

    /// Its turn; answers how many events it appended.
    pub(super) async fn append(mut self) -> Result<u64> {
        self.0.tell(BEGIN).await?;
        self.0.has_said(APPENDED).await?.parse().context("how many it appended")
    }
}

/// What the process does: opens the log that its standard input names, appends one event and says so, and has its turn
/// when it is told to. It ends without one where nobody is left who could tell it.
pub async fn append_when_told() -> Result<()> {
    let task = serde_json::from_str(&told().await?).context("what to append to")?;
    let Task { url, schema, max_connections, callers, turn } = task;
    let log = PgLog::open(Db::connect(&DbSettings { url, schema, max_connections }).await?).await?;
    // it connects by the way
    append_one(&log).await?;
    writeln!(stdout(), "{READY}")?;
    told().await?;
    let appended = append_for(&log, callers, turn).await?.events;
    writeln!(stdout(), "{APPENDED} {appended}")?;
    Ok(())
}

/// The next line of the standard input.
async fn told() -> Result<String> {
    let line = spawn_blocking(|| stdin().lines().next()).await?;
    Ok(line.context("whoever started this appender is gone")??)
}
