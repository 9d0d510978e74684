//! onenet 一张网: the one executable. It knows every context and runs the roles of them that a process
//! is told to; everything else stands in the crates below.

mod cli;
mod client;
mod commands;
mod contexts;

use std::{process::ExitCode, time::Duration};

use clap::Parser as _;
use tokio::runtime::Runtime;

use crate::cli::{Cli, Command};

/// A command makes some hundred small things and drops them on another thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CLIENTS_END_WITHIN: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            cli::complain(&format!("onenet: starting the runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(run());
    // clients of Kafka end their connections first, or their threads meet the library's own end; one of a
    // Kafka that is away is not waited for
    runtime.shutdown_timeout(CLIENTS_END_WITHIN);
    ended
}

async fn run() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Up(options) => commands::up::run(options).await,
        Command::Demo(options) => commands::demo::run(options).await,
        Command::Serve(options) => commands::serve::run(options).await,
        Command::Migrate(options) => commands::migrate::run(&options).await,
        Command::Import(options) => commands::import::run(options).await,
        Command::Certificate(options) => commands::certificate::run(&options),
        Command::Config(options) => commands::config::run(&options),
        Command::Watch(options) => commands::watch::run(options).await,
        Command::Dlq(options) => commands::dlq::run(options).await,
        Command::Relay(options) => commands::relay::run(options).await,
        Command::Verify(options) => commands::verify::run(options).await,
        Command::Recover(options) => commands::recover::run(options).await,
        Command::Doctor(options) => commands::doctor::run(options).await,
        Command::Export(options) => commands::export::run(options).await,
        Command::Bench(options) => commands::bench::run(options).await,
        Command::Torture(options) => commands::torture::run(&options).await,
        Command::Completions { shell } => {
            cli::complete(shell);
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::complain(&format!("onenet: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
