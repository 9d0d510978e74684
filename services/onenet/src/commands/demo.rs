//! One fact on its way: from a command to the blacklist and to an agency. Everything is real; only
//! the organisations are made up.

mod cast;
mod scenes;
mod watcher;

use std::{path::PathBuf, sync::Arc, time::Instant};

use anyhow::Result;
use onenet_chassis::{Role, Telemetry, config::TelemetrySettings, day::SystemClock};

use self::{cast::Cast, scenes::Stage};
use super::private::{Own, Wanted};
use crate::{
    cli::{Demo, say},
    commands::{OPERATOR, import},
    contexts,
};

/// From nothing to the end of the story; nothing is left running.
pub(crate) async fn run(options: Demo) -> Result<()> {
    let started = Instant::now();
    let divisions = import::read(&options.divisions)?;
    let own_folder = tempfile::Builder::new().prefix("onenet-demo-").tempdir()?;
    let folder: PathBuf = options.data.unwrap_or_else(|| own_folder.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    let quiet = TelemetrySettings { log: "error".to_owned(), ..TelemetrySettings::default() };
    let telemetry = Telemetry::start(&quiet, "demo")?;

    say("onenet 一张网：一条事实的旅程 / the journey of one fact\n");
    say(
        "[1] 启动私有 PostgreSQL 与 Apache Kafka / a private PostgreSQL and a private Apache Kafka",
    );
    let own = Own::start(Wanted {
        folder: &folder,
        node: "henan",
        operator: OPERATOR,
        listen: None,
        otlp: None,
    })
    .await?;
    let running = own.node.start(contexts::all(), &Role::ALL, Arc::new(SystemClock)).await?;
    say(&format!("  就绪 / ready: {}", contexts::names()));

    let stage = Stage { own: &own, address: running.address, cast: Cast::new() };
    stage.divisions(divisions).await?;
    stage.organisations().await?;
    let plant = stage.enterprise().await?;
    stage.hazard(&plant).await?;
    let watcher = stage.agency().await?;
    let penalty = stage.penalty(&plant).await?;
    let case = stage.listing(&penalty).await?;
    stage.removal(&case).await?;
    stage.ending(watcher).await?;

    running.stop().await?;
    telemetry.stop().await;
    say(&format!("\n完成 / done: {} s", started.elapsed().as_secs()));
    Ok(())
}
