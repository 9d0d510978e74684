//! What every Rust peer shares: its settings, the closed loop of callers, and the line that says
//! what was seen. `../npm/closed-loop.cjs` does the same for Node, by the same rules.
//!
//! Each caller appends, waits for the answer and appends again. Counted is what was acknowledged
//! between the end of the warm-up and the end of the given time.

use std::collections::BTreeMap;
use std::error::Error;
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde::Serialize;
use uuid::Uuid;

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Runs without being counted, so that connections, caches and compilers are warm.
const WARM_UP: Duration = Duration::from_millis(500);
const LOCK: &str = include_str!("../../Cargo.lock");

/// The arguments, `--name value` each.
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    pub fn from_arguments() -> Outcome<Self> {
        let mut arguments = std::env::args().skip(1);
        let mut settings = BTreeMap::new();
        while let Some(name) = arguments.next() {
            let name = name.strip_prefix("--").ok_or(format!("not an option: {name}"))?;
            let value = arguments.next().ok_or(format!("--{name} needs a value"))?;
            settings.insert(name.to_owned(), value);
        }
        Ok(Self(settings))
    }

    pub fn get<T: FromStr>(&self, name: &str) -> Outcome<T> {
        let value = self.0.get(name).ok_or(format!("--{name} is missing"))?;
        value.parse().map_err(|_| format!("--{name} cannot be {value}").into())
    }
}

/// A text that compresses badly, long enough to make a document of `payload` bytes when the
/// document without it has `frame` bytes.
pub fn text(payload: usize, frame: usize) -> Outcome<String> {
    let length = payload.checked_sub(frame).ok_or(format!(
        "--payload must be at least {frame}: that is the document without a text"
    ))?;
    let mut text = String::new();
    while text.len() < length {
        text += &Uuid::new_v4().simple().to_string();
    }
    text.truncate(length);
    Ok(text)
}

/// What the callers saw.
pub struct Measured {
    /// How many appends were acknowledged in all, before, while and after measuring.
    pub acknowledged: u64,
    elapsed: Duration,
    /// One entry for each counted append, in microseconds, sorted.
    latencies: Vec<u128>,
}

/// Runs the closed loop. The first append that fails ends it.
pub async fn measure<A, F>(settings: &Settings, append: A) -> Outcome<Measured>
where
    A: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = Outcome<()>> + Send,
{
    let callers: usize = settings.get("callers")?;
    let elapsed = Duration::from_secs_f64(settings.get("seconds")?);
    let start = Instant::now() + WARM_UP;
    let end = start + elapsed;

    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let append = append.clone();
        tasks.spawn(async move {
            let (mut acknowledged, mut latencies) = (0, Vec::new());
            loop {
                let asked = Instant::now();
                if asked >= end {
                    return Outcome::Ok((acknowledged, latencies));
                }
                append().await?;
                let answered = Instant::now();
                acknowledged += 1;
                if (start..end).contains(&answered) {
                    latencies.push((answered - asked).as_micros());
                }
            }
        });
    }

    let mut measured = Measured { acknowledged: 0, elapsed, latencies: Vec::new() };
    while let Some(joined) = tasks.join_next().await {
        let (acknowledged, latencies) = joined??;
        measured.acknowledged += acknowledged;
        measured.latencies.extend(latencies);
    }
    measured.latencies.sort_unstable();
    Ok(measured)
}

#[derive(Serialize)]
struct Line<'a> {
    peer: &'a str,
    version: &'a str,
    language: &'a str,
    events: usize,
    seconds: f64,
    p50_us: u128,
    p99_us: u128,
}

impl Measured {
    /// Prints the line, unless the store holds fewer events than it acknowledged.
    pub fn print(&self, peer: &str, package: &str, stored: u64) -> Outcome<()> {
        if stored < self.acknowledged {
            let acknowledged = self.acknowledged;
            return Err(format!(
                "{acknowledged} appends were acknowledged, {stored} events are there"
            )
            .into());
        }
        let line = Line {
            peer,
            version: locked_version(package)?,
            language: "Rust",
            events: self.latencies.len(),
            seconds: self.elapsed.as_secs_f64(),
            p50_us: self.percentile(50)?,
            p99_us: self.percentile(99)?,
        };
        println!("{}", serde_json::to_string(&line)?);
        Ok(())
    }

    fn percentile(&self, percent: usize) -> Outcome<u128> {
        let rank = self.latencies.len().saturating_sub(1) * percent / 100;
        Ok(*self.latencies.get(rank).ok_or("not one append was acknowledged in time")?)
    }
}

/// The version that was built, as the lock file has it.
fn locked_version(package: &str) -> Outcome<&'static str> {
    LOCK.split_once(&format!("name = \"{package}\"\nversion = \""))
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(version, _)| version)
        .ok_or_else(|| format!("{package} is not in the lock file").into())
}
