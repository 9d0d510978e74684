//! Benchmarks: each row runs what onenet does beside a limit or a peer, in turns, on the same machine,
//! and prints the ratio. Absolute figures do not travel; ratios do.
//!
//! A round runs both sides for the same time, one after the other; the next round begins with the other
//! side. Figures are medians of the rounds, with the smallest and the largest beside them. Processor time
//! is the whole machine's, divided by the events: client, server, PostgreSQL and Kafka are in it.

mod contest;
mod figure;
mod latency;
mod machine;
mod plot;
mod process;
mod report;
mod rows;

use std::{future::Future, path::PathBuf, pin::Pin, time::Duration};

use anyhow::Result;

pub use self::{
    figure::{Bar, Figure, Spread},
    machine::Machine,
    report::Report,
    rows::{ROWS, append_one, append_when_told},
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
    /// The program itself, for rows that look at its processes.
    pub program: PathBuf,
    /// How often each side has its turn.
    pub rounds: usize,
    /// How long a turn takes.
    pub turn: Duration,
    /// How much of the usual amount of work is done: 0.01 shows that rows run, 10 takes logs to ten times their
    /// length.
    pub size: f64,
}

impl Bench {
    /// Events of a log of which the usual length is this.
    fn events(&self, usual: u64) -> u64 {
        Self::sized(usual, self.size)
    }

    /// So many of what there is never more of than usual, however long the logs are.
    fn at_most(&self, usual: u64) -> u64 {
        Self::sized(usual, self.size.min(1.0))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "numbers of things that fit a machine"
    )]
    fn sized(usual: u64, size: f64) -> u64 {
        ((usual as f64 * size) as u64).max(1)
    }
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
