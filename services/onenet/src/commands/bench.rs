//! Measures this build on this machine, on servers of its own.

use std::{env, fs, time::Duration};

use anyhow::{Context as _, Result, ensure};
use onenet_bench::{Bench, Machine, ROWS, Report, Row, append_when_told};
use onenet_devservers::{DevServerError, Kafka, Postgres, PostgresOptions};
use onenet_eventstore::sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, query_scalar,
};

use crate::cli::{self, complain, say};

/// The rows that were asked for, one after the other; a table at the end.
pub(crate) async fn run(options: cli::Bench) -> Result<()> {
    if options.list {
        for row in ROWS {
            say(&format!("{:<12} {}: {}", row.name, row.what, row.against));
        }
        return Ok(());
    }
    if options.appender {
        return append_when_told().await;
    }
    let rows = chosen(&options.rows)?;
    let folder = tempfile::Builder::new().prefix("onenet-bench-").tempdir()?;
    // reading a slot needs another level than PostgreSQL's own
    let settings =
        vec!["wal_level=logical".to_owned(), format!("shared_buffers={}", options.shared_buffers)];
    let with = PostgresOptions { settings, ..PostgresOptions::default() };
    let place = folder.path().join("postgres");
    let postgres = start(move || Postgres::start_with(&place, &with)).await?;
    let kafka = if rows.iter().any(|row| row.needs_kafka) {
        let place = folder.path().join("kafka");
        Some(start(move || Kafka::start(&place, &[])).await?)
    } else {
        None
    };
    let bench = Bench {
        postgres: postgres.url("postgres"),
        kafka: kafka.as_ref().map(Kafka::bootstrap).unwrap_or_default(),
        peers: options.peers,
        program: env::current_exe().context("finding this program")?,
        rounds: options.rounds,
        turn: Duration::from_secs_f64(options.seconds),
        size: options.size,
    };
    let machine = Machine::look(&bench.postgres).await?;
    let mut measured = Vec::new();
    for row in rows {
        complain(&format!("{}: {} / {} …", row.name, row.what, row.against));
        clear(&postgres).await?;
        let figures = row.run(&bench).await.with_context(|| row.name)?;
        for figure in &figures {
            complain(&figure.to_string());
        }
        let [name, what, against] = [row.name, row.what, row.against].map(str::to_owned);
        measured.push((name, what, against, figures));
    }
    let report =
        Report { machine, rounds: bench.rounds, turn_seconds: options.seconds, rows: measured };
    say(&report.to_string());
    if let Some(folder) = options.plot {
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        for (name, svg) in report.plots()? {
            let file = folder.join(name);
            fs::write(&file, svg).with_context(|| format!("writing {}", file.display()))?;
        }
    }
    if let Some(file) = options.json {
        let text = serde_json::to_string_pretty(&report)?;
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Row>> {
    let unknown: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| ROWS.iter().all(|row| row.name != *name))
        .collect();
    ensure!(
        unknown.is_empty(),
        "没有此项 / no such row: {}; `onenet bench --list` names them",
        unknown.join(", ")
    );
    let is_chosen = |row: &&Row| names.is_empty() || names.iter().any(|name| name == row.name);
    Ok(ROWS.iter().filter(is_chosen).collect())
}

/// Starting a server blocks.
async fn start<S: Send + 'static>(
    start: impl FnOnce() -> Result<S, DevServerError> + Send + 'static,
) -> Result<S> {
    tokio::task::spawn_blocking(start).await?.context("starting a private server")
}

/// As a row finds it that runs alone: nothing that those before left is vacuumed or written meanwhile.
async fn clear(postgres: &Postgres) -> Result<()> {
    let mut owner = PgConnection::connect(&postgres.url("postgres")).await?;
    let left: Vec<String> = query_scalar(
        "select format('drop database %I with (force)', datname) from pg_database
         where not datistemplate and datname <> 'postgres'",
    )
    .fetch_all(&mut owner)
    .await?;
    for statement in left {
        owner.execute(AssertSqlSafe(statement)).await?;
    }
    owner.execute("checkpoint").await?;
    Ok(())
}
