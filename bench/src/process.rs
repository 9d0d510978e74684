use std::{fs, path::Path, process::Stdio, time::Duration};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

const BEGINS_WITHIN: Duration = Duration::from_mins(1);

/// A process of the program under test. It ends with its owner.
pub(crate) struct Process {
    child: Child,
    hears: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start(program: &Path, words: &[&str]) -> Result<Self> {
        let mut child = Command::new(program)
            .args(words)
            .env("ONENET__TELEMETRY__LOG", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let hears = child.stdin.take().context("its standard input")?;
        let says = child.stdout.take().context("its standard output")?;
        Ok(Self { child, hears, says: BufReader::new(says).lines() })
    }

    /// Writes a line to its standard input.
    pub(crate) async fn tell(&mut self, line: &str) -> Result<()> {
        Ok(self.hears.write_all(format!("{line}\n").as_bytes()).await?)
    }

    /// As [`has_said`](Self::has_said), of a process that begins.
    pub(crate) async fn says(&mut self, words: &str) -> Result<String> {
        let saying = self.has_said(words);
        tokio::time::timeout(BEGINS_WITHIN, saying).await.context("it says nothing")?
    }

    /// Waits for a line with these words, and answers what follows them.
    pub(crate) async fn has_said(&mut self, words: &str) -> Result<String> {
        while let Some(line) = self.says.next_line().await? {
            if let Some((_, rest)) = line.split_once(words) {
                return Ok(rest.trim().to_owned());
            }
        }
        anyhow::bail!("it ended before it said {words:?}")
    }

    /// Kilobytes of memory that it uses now.
    pub(crate) fn memory(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    /// Kilobytes of memory that it used at most.
    pub(crate) fn most_memory(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> Result<u64> {
        let id = self.child.id().context("it has ended")?;
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        kilobytes.with_context(|| format!("no {name} in the status of the process"))
    }
}
