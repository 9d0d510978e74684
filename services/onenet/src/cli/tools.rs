//! What the tools beside a running node are told.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
