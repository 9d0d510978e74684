//! Breaks a node on servers of its own, whose processes are this very executable.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

use anyhow::{Context as _, Result, bail, ensure};
use onenet_chassis::{Telemetry, config::TelemetrySettings, day::SystemClock};
use onenet_kernel::Clock as _;
use onenet_torture::Torture;

use super::asked_to_stop;
use crate::cli::{self, complain, say};

/// Seeds that the clock chooses are below it: short enough to be told on the telephone.
const SEEDS: u64 = 1_000_000;

/// Until the time is over and everything was compared; ends badly where a promise was broken.
pub(crate) async fn run(options: &cli::Torture) -> Result<()> {
    let quiet = TelemetrySettings { log: "error".to_owned(), ..TelemetrySettings::default() };
    let telemetry = Telemetry::start(&quiet, "torture")?;
    let seed = options.seed.unwrap_or_else(|| SystemClock.now().as_micros().unsigned_abs() % SEEDS);
    // PostgreSQL runs as another user where this one is root
    let open = Permissions::from_mode(0o755);
    let folder = tempfile::Builder::new().prefix("onenet-torture-").permissions(open).tempdir()?;
    let onenet = std::env::current_exe().context("finding this executable")?;
    complain(&format!("种子 / seed {seed}, {} s", options.time.as_secs()));
    let torture = Torture { onenet: &onenet, folder: folder.path(), seed, time: options.time };
    let outcome = tokio::select! {
        outcome = torture.run(complain) => outcome,
        asked = asked_to_stop() => {
            asked?;
            bail!("已中止，未作核对 / stopped before anything was compared");
        }
    };
    telemetry.stop().await;
    let outcome = outcome.context("未能完成 / it could not be completed").and_then(|report| {
        say(&report.to_string());
        ensure!(report.is_good(), "承诺未守住 / promises were broken");
        Ok(())
    });
    outcome.map_err(|error| {
        // what each process said, and its data, are for whoever looks for the reason
        let kept = folder.keep();
        error.context(format!("种子 / seed {seed}, 数据保留于 / kept in {}", kept.display()))
    })
}
