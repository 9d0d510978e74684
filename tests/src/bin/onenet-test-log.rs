//! A process for tests to kill: it appends to a log, follows it, or runs its clock.
//!
//! `onenet-test-log append|follow|clock URL SCHEMA NAME [hang-before|hang-after]`, one line on the
//! standard output for each thing that has happened.

use std::{future::pending, io::Write as _, process::ExitCode};

use onenet_eventstore::{
    Fire, Follower, HandleError, Handler, LogSource, PgLog, Timer, TimerTable, run_clock,
    sqlx::{self, PgConnection},
    testing::{cause, event},
};
use onenet_kernel::{EventStore as _, Issuer, Recorded, Version};
use onenet_tests::{arm_events, open_log, writer::append};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        .init();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [role, url, schema, name, hang @ ..] = words.as_slice() else {
        return ExitCode::from(2);
    };
    let Ok(log) = open_log(url, schema).await else {
        return ExitCode::FAILURE;
    };
    match role.as_str() {
        "append" => append(&log, name, say).await,
        "follow" => follow(log).await,
        _ => clock(log, hang.first().map(String::as_str)).await,
    }
    ExitCode::SUCCESS
}

fn say(line: impl AsRef<str>) {
    let line = line.as_ref();
    let mut out = std::io::stdout().lock();
    // the test that reads has ended if nobody takes it
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Copies positions into the table `copied`.
struct Copy;

impl Handler for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        sqlx::query("insert into copied (position) values ($1)")
            .bind(i64::try_from(event.position.number).unwrap_or(i64::MAX))
            .execute(tx)
            .await?;
        Ok(())
    }
}

async fn follow(log: PgLog) {
    let follower = Follower::new(log.db().clone(), LogSource::new(log), Copy);
    say("following");
    follower.run(CancellationToken::new()).await.ok();
}

/// Appends "fired" to the timer's stream; hangs where it is told to, for the test to kill it there.
struct AppendFired {
    log: PgLog,
    hang: Option<&'static str>,
}

impl Fire for AppendFired {
    async fn fire(&self, timer: &Timer) -> Result<(), HandleError> {
        say("due");
        if self.hang == Some("hang-before") {
            pending::<()>().await;
        }
        let mut cause = cause(timer.command_id());
        cause.issuer = Issuer::timer();
        self.log
            .append(&timer.stream, Version(1), &cause, vec![event("s", "fired")])
            .await
            .map_err(|error| HandleError::Fault(Box::new(error)))?;
        say("fired");
        if self.hang == Some("hang-after") {
            pending::<()>().await;
        }
        Ok(())
    }
}

async fn clock(log: PgLog, hang: Option<&str>) {
    let hang = ["hang-before", "hang-after"].into_iter().find(|known| Some(*known) == hang);
    let stop = CancellationToken::new();
    let table =
        Follower::new(log.db().clone(), LogSource::new(log.clone()), TimerTable::new(arm_events));
    tokio::spawn(table.run(stop.clone()));
    say("ticking");
    run_clock(log.db().clone(), AppendFired { log, hang }, stop).await;
}
