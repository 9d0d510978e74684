//! What the tools beside a running node are told.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;

use super::{Node, SettingsFile};

#[derive(Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    pub(crate) node: Node,
    /// Only these types, by the end of their name; may be given several times
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) types: Vec<String>,
    /// Only this division and those below it
    #[arg(long)]
    pub(crate) subtree: Option<String>,
    /// Only about this subject (USCC)
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// File that keeps where the subscription is; given again, it goes on there
    #[arg(long)]
    pub(crate) resume: Option<PathBuf>,
    /// End after so many events
    #[arg(long)]
    pub(crate) count: Option<u64>,
}

#[derive(Args)]
pub(crate) struct Dlq {
    #[command(subcommand)]
    pub(crate) what: DlqWhat,
    #[command(flatten)]
    pub(crate) settings: SettingsFile,
}

#[derive(Subcommand)]
pub(crate) enum DlqWhat {
    /// Everything that is parked, of one context or of all
    List {
        /// Only this context
        context: Option<String>,
    },
    /// One parked event, whole
    Show {
        /// The context
        context: String,
        /// Its number in the list
        number: i64,
    },
    /// Lets the follower try a poisoned event again, and then what queues behind it, in order
    Replay {
        /// The context
        context: String,
        /// Its number in the list
        number: i64,
    },
}

#[derive(Args)]
pub(crate) struct Relay {
    #[command(subcommand)]
    pub(crate) what: RelayWhat,
    #[command(flatten)]
    pub(crate) settings: SettingsFile,
}

#[derive(Subcommand)]
pub(crate) enum RelayWhat {
    /// Where each log and its topic stand
    Status,
    /// Writes the newest record of every key to the state topics of a context again
    Republish {
        /// The context
        context: String,
    },
}

#[derive(Args)]
pub(crate) struct Verify {
    /// Only this context; otherwise all
    pub(crate) context: Option<String>,
    #[command(flatten)]
    pub(crate) settings: SettingsFile,
}

#[derive(Args)]
pub(crate) struct Recover {
    /// Do it; without this nothing is changed. No process of the node may run
    #[arg(long)]
    pub(crate) apply: bool,
    /// Where the topic cannot give back what is missing, give it up: the log's epoch is raised, and the
    /// node publishes to new topics, under the `kafka.prefix` that the settings now name
    #[arg(long, requires = "from_prefix")]
    pub(crate) raise_epoch: bool,
    /// The prefix of the topics before, that the logs are compared with
    #[arg(long, value_name = "PREFIX", requires = "raise_epoch")]
    pub(crate) from_prefix: Option<String>,
    #[command(flatten)]
    pub(crate) settings: SettingsFile,
}

#[derive(Args)]
pub(crate) struct Export {
    #[command(subcommand)]
    pub(crate) what: ExportWhat,
    #[command(flatten)]
    pub(crate) settings: SettingsFile,
}

#[derive(Subcommand)]
pub(crate) enum ExportWhat {
    /// A context's events in the order of their positions: the attributes of each as a CloudEvent, and
    /// its content as JSON
    Events(ExportEvents),
    /// Every measure of joint punishment that is in force, one line each
    Blacklist {
        #[command(flatten)]
        to: ExportTo,
    },
}

#[derive(Args)]
pub(crate) struct ExportEvents {
    /// The context
    pub(crate) context: String,
    /// Only above this position. With a file that an earlier export has begun, the position of one of its
    /// lines: what follows that line is cut off, and the export goes on behind it
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    pub(crate) after: u64,
    /// Only up to this position
    #[arg(long, value_name = "POSITION", default_value_t = u64::MAX, hide_default_value = true)]
    pub(crate) upto: u64,
    /// Only what was recorded on this day (Beijing) or later
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from_day: Option<Date>,
    /// Only what was recorded on this day (Beijing) or earlier
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) to_day: Option<Date>,
    #[command(flatten)]
    pub(crate) to: ExportTo,
}

#[derive(Args)]
pub(crate) struct ExportTo {
    /// How lines are written
    #[arg(long, default_value = "jsonl")]
    pub(crate) format: Format,
    /// The file, otherwise the standard output
    #[arg(long)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One JSON object a line
    Jsonl,
    /// A table in UTF-8 without a byte-order mark; what a spreadsheet would take for a formula has an
    /// apostrophe in front
    Csv,
}

#[derive(Args)]
pub(crate) struct Doctor {
    /// Certificates that expire within so many days are named
    #[arg(long, default_value_t = 30)]
    pub(crate) days: u16,
    #[command(flatten)]
    pub(crate) settings: SettingsFile,
}

#[derive(Args)]
pub(crate) struct Bench {
    /// Only these rows; all of them take about ten minutes
    pub(crate) rows: Vec<String>,
    /// Names the rows, and measures nothing
    #[arg(long)]
    pub(crate) list: bool,
    /// Turns of each side; the figures are their medians
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// Seconds of a turn, where a row is not a fixed amount of work
    #[arg(long, default_value_t = 3.0)]
    pub(crate) seconds: f64,
    /// How much of the usual amount of work: with 0.01 a row only shows that it runs, with 10 logs grow ten
    /// times as long (up to ten million events)
    #[arg(long, default_value_t = 1.0)]
    pub(crate) size: f64,
    /// Memory that PostgreSQL keeps pages in, as in its setting `shared_buffers`; what a machine of its own would give
    /// it is a quarter of it
    #[arg(long, value_name = "SIZE", default_value = "256MB")]
    pub(crate) shared_buffers: String,
    /// Writes everything to this file as well
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draws pictures (SVG) into this folder: all figures beside their bars, and each curve
    #[arg(long, value_name = "FOLDER")]
    pub(crate) plot: Option<PathBuf>,
    /// Folder of the drivers of other event stores
    #[arg(long, value_name = "FOLDER", default_value = "bench/peers")]
    pub(crate) peers: PathBuf,
    /// Is one of several appenders of the row `scale`, which tells it what to do on the standard input
    #[arg(long, hide = true, exclusive = true)]
    pub(crate) appender: bool,
}

#[derive(Args)]
pub(crate) struct Torture {
    /// How long callers ask and faults strike, for example 90s, 30m or 8h; each kind of fault comes once,
    /// however long that takes
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = time)]
    pub(crate) time: Duration,
    /// Decides what is asked and which fault comes when; that of a run that failed makes it again. Without it
    /// the clock chooses one
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

/// A number and its unit.
fn time(text: &str) -> Result<Duration, String> {
    let refused = || format!("{text} is not a number with s, m or h behind it");
    let unit = text.chars().last().ok_or_else(refused)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        _ => return Err(refused()),
    };
    let count: u32 = text.trim_end_matches(unit).parse().map_err(|_malformed| refused())?;
    Ok(Duration::from_secs(seconds) * count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("30m"), Ok(Duration::from_mins(30)));
        assert_eq!(time("8h"), Ok(Duration::from_hours(8)));
        for refused in ["", "60", "m", "-1s", "1d", "1.5h"] {
            assert!(time(refused).is_err(), "{refused}");
        }
    }
}
