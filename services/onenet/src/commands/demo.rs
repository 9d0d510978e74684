//! One fact on its way: from a command to the blacklist and to an agency. Everything is real; only
//! the organisations are made up.

mod cast;
mod scenes;
mod watcher;

use std::{path::PathBuf, time::Instant};

use anyhow::{Result, ensure};
use onenet_chassis::{Role, Telemetry, clock::NodeClock, config::TelemetrySettings};
use onenet_devservers::Kafka;

use onenet_proto::enterprise::v1::Division;

use self::{cast::Cast, scenes::Stage};
use super::private::{Own, Travel, Wanted};
use crate::{
    cli::{Demo, complain, say},
    commands::{
        OPERATOR,
        import::{Row, divisions},
    },
    contexts,
};

/// From nothing to the end of the story; nothing is left running.
pub(crate) async fn run(options: Demo) -> Result<()> {
    let started = Instant::now();
    let rows = divisions::read(&options.divisions)?;
    let own_folder = tempfile::Builder::new().prefix("onenet-demo-").tempdir()?;
    let folder: PathBuf = options.data.unwrap_or_else(|| own_folder.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    ensure!(
        !folder.join("postgres").exists(),
        "{} holds a node already: the demo begins with nothing, name another folder",
        folder.display()
    );
    let quiet = TelemetrySettings { log: "error".to_owned(), ..TelemetrySettings::default() };
    let telemetry = Telemetry::start(&quiet, "demo")?;

    say("onenet 一张网：一条事实的旅程 / the journey of one fact\n");
    let travel = travel(options.embedded).await?;
    let cast = Cast::new();
    let own = Own::start(Wanted {
        folder: &folder,
        node: "henan",
        operator: OPERATOR,
        readers: std::slice::from_ref(&cast.platform),
        listen: None,
        otlp: None,
        metrics: None,
        travel,
    })
    .await?;
    let mut running = own.node.start(contexts::all(), &Role::ALL, NodeClock::new()).await?;
    say(&format!("  就绪 / ready: {}", contexts::names()));
    let stage = Stage { own: &own, address: running.address, cast };
    tokio::select! {
        // why the node could not go on says more than what a caller saw of it
        ended = running.ended() => ended?,
        told = tell(&stage, rows) => told?,
    }
    running.stop().await?;
    telemetry.stop().await;
    say(&format!("\n完成 / done: {} s", started.elapsed().as_secs()));
    Ok(())
}

/// Scene after scene.
async fn tell(stage: &Stage<'_>, rows: Vec<Row<Division>>) -> Result<()> {
    stage.divisions(rows).await?;
    stage.organisations().await?;
    let plant = stage.enterprise().await?;
    stage.hazard(&plant).await?;
    let watcher = stage.agency().await?;
    let penalty = stage.penalty(&plant).await?;
    let case = stage.listing(&penalty).await?;
    stage.removal(&case).await?;
    stage.ending(watcher).await
}

/// Over a private Kafka; where there is none, it is said and the contexts read each other's logs.
async fn travel(embedded: bool) -> Result<Travel> {
    let found = if embedded { None } else { Some(tokio::task::spawn_blocking(Kafka::find).await?) };
    if let Some(Err(error)) = &found {
        complain(&format!("没有 Kafka，改用内嵌模式 / no Kafka, going on embedded: {error}"));
    }
    if let Some(Ok(())) = found {
        say(
            "[1] 启动私有 PostgreSQL 与 Apache Kafka / a private PostgreSQL and a private Apache Kafka",
        );
        return Ok(Travel::Private);
    }
    say("[1] 启动私有 PostgreSQL，内嵌模式 / a private PostgreSQL alone, embedded");
    Ok(Travel::Embedded)
}
