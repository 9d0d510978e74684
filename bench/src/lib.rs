//! Benchmarks: each row runs what onenet does beside a limit or a peer, in turns, on the same machine,
//! and prints the ratio. Absolute figures do not travel; ratios do.
//!
//! A round runs both sides for the same time, one after the other; the next round begins with the other
//! side. Figures are medians of the rounds, with the smallest and the largest beside them. Processor time
//! is the whole machine's, divided by the events: client, server, PostgreSQL and Kafka are in it.

mod contest;
mod latency;
mod machine;
mod report;
mod rows;

use std::{future::Future, path::PathBuf, pin::Pin, time::Duration};

use anyhow::Result;

pub use self::{
    machine::Machine,
    report::{Bar, Figure, Report, Spread},
    rows::ROWS,
};

/// Bytes of an event's payload, where a row does not say otherwise.
pub const PAYLOAD: usize = 600;

/// Where benchmarks run, and for how long.
pub struct Bench {
    /// Superuser's URL of a PostgreSQL with its default settings; each side gets databases of its own.
    pub postgres: String,
    /// Bootstrap address of a Kafka; empty where no row [needs](Row::needs_kafka) one.
    pub kafka: String,
    /// Folder of the peers' drivers.
    pub peers: PathBuf,
    /// How often each side has its turn.
    pub rounds: usize,
    /// How long a turn takes.
    pub turn: Duration,
}

/// What a row answers: a figure for each of its cases.
pub type Figures<'a> = Pin<Box<dyn Future<Output = Result<Vec<Figure>>> + 'a>>;

/// One thing that is measured.
pub struct Row {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What onenet does.
    pub what: &'static str,
    /// What it is compared with.
    pub against: &'static str,
    /// Whether it publishes.
    pub needs_kafka: bool,
    run: for<'a> fn(&'a Bench) -> Figures<'a>,
}

impl Row {
    /// Measures it.
    pub async fn run(&self, bench: &Bench) -> Result<Vec<Figure>> {
        (self.run)(bench).await
    }
}
