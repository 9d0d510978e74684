use std::{fs, time::Duration};

use anyhow::{Context as _, Result};
use onenet_eventstore::sqlx::{Connection as _, PgConnection, query_scalar};
use serde::Serialize;

/// What it was measured on.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The processor's name, and how many of it.
    pub processor: String,
    /// Megabytes of memory.
    pub memory_mb: u64,
    /// The operating system's kernel.
    pub kernel: String,
    /// How busy it was before the first row: one is a whole processor.
    pub load_before: String,
    /// PostgreSQL's version and the settings that protect data.
    pub postgres: String,
    /// Whether the program was built with optimisation. Figures of any other build say nothing.
    pub is_release: bool,
}

impl Machine {
    /// Looks.
    pub async fn look(postgres: &str) -> Result<Self> {
        let cpuinfo = read("/proc/cpuinfo")?;
        let of = |name: &str| {
            let named = cpuinfo.lines().filter(|line| line.starts_with(name));
            named.filter_map(|line| Some(line.split_once(": ")?.1)).collect::<Vec<_>>()
        };
        let (names, count) = (of("model name"), of("processor").len().max(1));
        let memory = read("/proc/meminfo")?;
        let kilobytes = memory.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok());
        let load = read("/proc/loadavg")?;
        Ok(Self {
            processor: format!("{count} × {}", names.first().unwrap_or(&"?")),
            memory_mb: kilobytes.unwrap_or_default() / 1_024,
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            load_before: load.split_whitespace().next().unwrap_or_default().to_owned(),
            postgres: settings(postgres).await.context("asking PostgreSQL for its settings")?,
            is_release: !cfg!(debug_assertions),
        })
    }
}

async fn settings(postgres: &str) -> Result<String> {
    let mut connection = PgConnection::connect(postgres).await?;
    let text: String = query_scalar(
        "select 'PostgreSQL ' || current_setting('server_version') || ', ' ||
            string_agg(name || ' ' || setting, ', ' order by name)
         from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers')",
    )
    .fetch_one(&mut connection)
    .await?;
    Ok(text)
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {path}: benchmarks run on Linux"))
}

/// Time that the machine's processors have worked since it started, whoever for.
pub(crate) fn processor_time() -> Result<Duration> {
    // user, nice, system, idle, iowait, irq, softirq, steal: in hundredths of a second
    let stat = read("/proc/stat")?;
    let first = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = first.split_whitespace().skip(1).flat_map(str::parse).collect();
    let busy = ticks.iter().enumerate().filter(|(n, _)| ![3, 4, 7].contains(n) && *n < 8);
    Ok(Duration::from_millis(busy.map(|(_, ticks)| ticks * 10).sum()))
}
