mod tools;

use std::{io::Write as _, net::SocketAddr, path::PathBuf};

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

pub(crate) use self::tools::{
    Bench, Dlq, DlqWhat, Doctor, Export, ExportEvents, ExportTo, ExportWhat, Format, Recover,
    Relay, RelayWhat, Torture, Verify, Watch,
};

/// onenet 一张网: work-safety facts of a province, exchanged the moment they happen.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "\
To see it work:         onenet demo
A node of your own:     onenet up --data ./node
In production:          onenet migrate --config onenet.toml
                        onenet serve credit --role api,project,relay,react,clock --config onenet.toml"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Runs everything in one process, with a private PostgreSQL
    Up(Up),
    /// Tells the story of one fact, from a command to the blacklist and to an agency, on real servers
    Demo(Demo),
    /// Runs roles of one context; what production runs
    Serve(Serve),
    /// Creates or updates schemas and topics; before a new version serves
    Migrate(Migrate),
    /// Brings data in through the ordinary commands
    Import(Import),
    /// Makes an organisation's certificate for a node of `onenet up`
    Certificate(Certificate),
    /// Checks or shows the settings a process would run with
    Config(Config),
    /// Shows what a subscription receives, live
    Watch(Watch),
    /// Looks after events that a follower could not handle
    Dlq(Dlq),
    /// Looks after the relays to Kafka
    Relay(Relay),
    /// Reads whole logs and checks what they promise: no gap, no change
    Verify(Verify),
    /// After a restore: puts back what the database has lost and Kafka still holds; says what it would
    /// do unless told to do it
    Recover(Recover),
    /// Looks for what is wrong with this installation, and says what to do
    Doctor(Doctor),
    /// Writes events or the blacklist to a file, for other programs
    Export(Export),
    /// Measures this build on this machine beside limits and peers, on servers of its own
    Bench(Bench),
    /// Breaks a node of its own again and again while it is used, and checks that nothing is lost, doubled,
    /// reordered or changed, that nobody is listed wrongly, and that no agency is sent what it may not have
    Torture(Torture),
    /// Prints a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Args)]
pub(crate) struct Up {
    /// Folder for data, keys and certificates; what is there is gone on with
    #[arg(long, default_value = "onenet-data")]
    pub(crate) data: PathBuf,
    /// Where calls come in
    #[arg(long, default_value = "127.0.0.1:7443")]
    pub(crate) listen: SocketAddr,
    /// The node's name, in certificates and in every event's source
    #[arg(long, default_value = "henan")]
    pub(crate) node: String,
    /// USCC of the organisation that runs the node
    #[arg(long, default_value = crate::commands::OPERATOR)]
    pub(crate) operator: String,
    /// Turns the relay on: `private` starts an Apache Kafka beside the node, anything else names
    /// brokers without TLS (host:port, several with commas). Without it PostgreSQL alone is needed, and the
    /// contexts read each other's logs; a node may be started with it later and goes on
    #[arg(long, value_name = "private|BROKERS")]
    pub(crate) kafka: Option<String>,
    /// USCC of an agency that reads the blacklist, and has to acknowledge each removal; may be given
    /// several times. On a private Kafka it may read what leaves the node until a start without it
    #[arg(long, value_name = "USCC")]
    pub(crate) reader: Vec<String>,
    /// OTLP/gRPC endpoint that traces and metrics are sent to
    #[arg(long)]
    pub(crate) otlp: Option<String>,
    /// Where /metrics (for Prometheus), /healthz and /readyz are shown, for example 127.0.0.1:9464
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics: Option<SocketAddr>,
}

#[derive(Args)]
pub(crate) struct Demo {
    /// Without Kafka: the contexts read each other's logs
    #[arg(long)]
    pub(crate) embedded: bool,
    /// Division tree to import
    #[arg(long, default_value = "data/henan_divisions.csv")]
    pub(crate) divisions: PathBuf,
    /// Folder that is kept afterwards; without it nothing is left
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Serve {
    /// Which context; `onenet config check` lists them
    pub(crate) context: String,
    /// Which roles of it, separated by commas
    #[arg(long, value_delimiter = ',', default_values = ["api", "project", "relay", "react", "clock"])]
    pub(crate) role: Vec<Role>,
    #[command(flatten)]
    pub(crate) settings: SettingsFile,
    /// Where calls come in, in place of `server.listen`
    #[arg(long)]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Role {
    /// Answers calls
    Api,
    /// Fills read models from the context's own log
    Project,
    /// Publishes the log to Kafka
    Relay,
    /// Follows the topics of other contexts
    React,
    /// Fires what is due
    Clock,
}

#[derive(Args)]
pub(crate) struct Migrate {
    /// Only this context; otherwise all
    pub(crate) context: Option<String>,
    #[command(flatten)]
    pub(crate) settings: SettingsFile,
}

#[derive(Args)]
pub(crate) struct SettingsFile {
    /// Settings (TOML); the environment goes over it: `ONENET__SERVER__LISTEN` for server.listen
    #[arg(long, global = true, default_value = "onenet.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    pub(crate) what: ImportWhat,
}

#[derive(Subcommand)]
pub(crate) enum ImportWhat {
    /// A division tree (CSV as data/README.md describes it, parents first). Run again, it goes on:
    /// what is there is not added twice
    Divisions {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        node: Node,
    },
    /// Enterprises (CSV: uscc, name, kind (unit or institution), division, industry, address). Rejected
    /// rows go to a file beside it with line, field and reason; run again, it goes on
    Enterprises {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        node: Node,
    },
}

/// Where the node is, and as whom it is called.
#[derive(Args)]
pub(crate) struct Node {
    /// Address of the node's enterprise service
    #[arg(long, default_value = "127.0.0.1:7443")]
    pub(crate) address: String,
    /// Name in the node's certificate
    #[arg(long, default_value = "localhost")]
    pub(crate) server_name: String,
    /// Authority of the node's certificate (PEM)
    #[arg(long, default_value = "onenet-data/pki/ca.pem")]
    pub(crate) ca: PathBuf,
    /// One's own certificate (PEM)
    #[arg(long)]
    pub(crate) certificate: PathBuf,
    /// Its key (PEM)
    #[arg(long)]
    pub(crate) key: PathBuf,
}

#[derive(Args)]
pub(crate) struct Certificate {
    /// USCC of the organisation
    pub(crate) uscc: String,
    /// Folder of the node
    #[arg(long, default_value = "onenet-data")]
    pub(crate) data: PathBuf,
    /// The node's name
    #[arg(long, default_value = "henan")]
    pub(crate) node: String,
}

#[derive(Args)]
pub(crate) struct Config {
    /// What to do with them
    pub(crate) what: ConfigWhat,
    #[command(flatten)]
    pub(crate) settings: SettingsFile,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ConfigWhat {
    /// Says whether a process would start with them
    Check,
    /// Shows them as a process reads them, defaults included
    Print,
}

/// To whoever ran the command; a reader that has gone is no failure.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).ok();
}

/// Beside the output: progress and errors.
pub(crate) fn complain(text: &str) {
    writeln!(std::io::stderr(), "{text}").ok();
}

/// The completion script, to the output.
pub(crate) fn complete(shell: clap_complete::Shell) {
    clap_complete::generate(shell, &mut Cli::command(), "onenet", &mut std::io::stdout());
}
