use std::{process::Stdio, time::Duration};

use anyhow::{Context as _, Result, bail};
use onenet_eventstore::testing::Scratch;
use serde::Deserialize;
use tokio::process::Command;

use super::append_for;
use crate::{
    Bar, Bench, Figure, PAYLOAD,
    contest::{Turn, contest},
};

const CALLERS: usize = 64;
/// The status with which a driver says that its peer is not installed.
const NOT_INSTALLED: i32 = 3;

/// What a driver says when it is done.
#[derive(Deserialize)]
struct Said {
    version: String,
    events: u64,
    seconds: f64,
}

enum Outcome {
    Ran(Said),
    Missing(String),
}

/// A library on the same PostgreSQL; `peer` is what `bench/peers/run` calls it.
pub(super) async fn run(bench: &Bench, peer: &str) -> Result<Vec<Figure>> {
    let scratch = Scratch::create(&bench.postgres).await?;
    let log = scratch.log("bench", &[]).await?;
    let ours = async || append_for(&log, CALLERS, bench.turn).await;
    let figure = beside(bench, peer, CALLERS, ours).await?;
    Ok(vec![figure.with(Bar::AtLeast(5.0, 10.0))])
}

/// In turns with a peer, if it is there.
pub(super) async fn beside(
    bench: &Bench,
    peer: &str,
    callers: usize,
    ours: impl AsyncFnMut() -> Result<Turn>,
) -> Result<Figure> {
    let case = format!("{callers} callers");
    // its first turn tells whether it is there, and is not counted
    let version = match drive(bench, peer, callers).await? {
        Outcome::Ran(said) => said.version,
        Outcome::Missing(reason) => return Ok(Figure::missing(case, peer, reason)),
    };
    let theirs = async || match drive(bench, peer, callers).await? {
        Outcome::Ran(Said { events, seconds, .. }) => {
            Ok(Turn { events, took: Duration::from_secs_f64(seconds), processor: None })
        }
        Outcome::Missing(reason) => bail!("{peer} was there a moment ago: {reason}"),
    };
    contest(bench, case, ("onenet", ours), (&format!("{peer} {version}"), theirs)).await
}

/// One turn of a peer, in a database of its own.
async fn drive(bench: &Bench, peer: &str, callers: usize) -> Result<Outcome> {
    let scratch = Scratch::create(&bench.postgres).await?;
    let program = bench.peers.join("run");
    let output = Command::new(&program)
        .args([peer, "--postgres", &scratch.owner_url()])
        .args(["--callers", &callers.to_string()])
        .args(["--seconds", &bench.turn.as_secs_f64().to_string()])
        .args(["--payload", &PAYLOAD.to_string()])
        .stdin(Stdio::null())
        .output()
        .await
        .with_context(|| format!("starting {}", program.display()))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint.lines().last().unwrap_or_default();
    match output.status.code() {
        Some(0) => {
            let said = serde_json::from_slice(&output.stdout);
            Ok(Outcome::Ran(said.with_context(|| format!("what {peer} says"))?))
        }
        Some(NOT_INSTALLED) => Ok(Outcome::Missing(last.to_owned())),
        _ => bail!("{peer} failed: {complaint}"),
    }
}
