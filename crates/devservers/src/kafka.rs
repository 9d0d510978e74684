use std::{
    ffi::OsString,
    fmt::Write as _,
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    DevServerError, jars,
    ports::{self, random_bytes},
    process::{Program, lock},
    server::{Server, Startup},
};

const STARTUP: Startup = Startup {
    ready_within: Duration::from_secs(90),
    tries: 10,
    passing: ["Address already in use", "Failed to acquire lock"],
    dies_by: "KILL",
};
/// The pom binds the simplest logger there is: what goes wrong goes to the log file, and who was
/// refused, by its access lists or in the handshake.
const LOGGING: [&str; 5] = [
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.authorizer.logger=info",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.network.Selector=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
];
/// Without TLS whoever reaches the port may do everything.
const PLAIN: [(&str, &str); 2] = [
    ("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"),
    ("inter.broker.listener.name", "PLAINTEXT"),
];

/// One broker that is its own controller (KRaft). Replication is one everywhere, topics are never
/// made by accident. It does not fsync each message: a tier that runs one broker sets
/// `log.flush.interval.messages=1`.
const PROPERTIES: &str = "\
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
auto.create.topics.enable=false
num.partitions=3
default.replication.factor=1
min.insync.replicas=1
offsets.topic.num.partitions=3
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
";

/// A private Apache Kafka that asks nobody who he is. Stops when dropped.
pub struct Kafka {
    server: Server,
    port: u16,
    _lock: File,
}

impl Kafka {
    /// Whether everything that a broker needs is on this machine, fetching it where it can be.
    pub fn find() -> Result<(), DevServerError> {
        jars::java()?;
        jars::resolve().map(drop)
    }

    /// Starts a broker over `dir` with properties beside the usual ones; answers when it answers a
    /// request. Topics of an earlier one on `dir` are there again.
    pub fn start(dir: &Path, extra: &[(&str, &str)]) -> Result<Self, DevServerError> {
        let properties: Vec<_> = PLAIN.iter().chain(extra).copied().collect();
        Self::launch(dir, "PLAINTEXT", &properties, |port| answers(port).is_some())
    }

    /// The same behind a listener of any kind; whether it answers is for the caller to find out.
    pub(crate) fn launch(
        dir: &Path,
        listener: &str,
        extra: &[(&str, &str)],
        answers: impl Fn(u16) -> bool,
    ) -> Result<Self, DevServerError> {
        let (java, lib) = (jars::java()?, jars::resolve()?);
        fs::create_dir_all(dir).map_err(DevServerError::files("creating", dir))?;
        let dir = dir.canonicalize().map_err(DevServerError::files("entering", dir))?;
        let lock = lock(&dir)?;
        let prepare = || {
            let [port, controller] =
                ports::remembered([&dir.join("port"), &dir.join("controller.port")])?;
            let properties = dir.join("server.properties");
            write(&properties, &configuration(&dir, listener, [port, controller], extra))?;
            format(&java, &lib, &dir, &properties)?;
            let args = arguments(&lib, &LOGGING, "kafka.Kafka", &[properties.into()]);
            let program = Program::new(java.clone(), args, dir.join("kafka.log"));
            Ok((port, program))
        };
        let (server, port) = Server::start(&STARTUP, prepare, answers)?;
        Ok(Self { server, port, _lock: lock })
    }

    /// `host:port` for clients.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        bootstrap(self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Process id of the broker, for faults injected from outside.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.server.pid
    }

    /// Ends the broker as a crash would.
    pub fn kill(self) {
        self.server.stop("KILL");
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        self.server.stop("TERM");
    }
}

pub(crate) fn bootstrap(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn configuration(
    dir: &Path,
    listener: &str,
    [port, controller]: [u16; 2],
    extra: &[(&str, &str)],
) -> String {
    let mut text = PROPERTIES.to_owned();
    let logs = dir.join("logs");
    let own = [
        ("listeners", format!("{listener}://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}")),
        ("advertised.listeners", format!("{listener}://127.0.0.1:{port}")),
        ("controller.quorum.voters", format!("1@127.0.0.1:{controller}")),
        ("log.dirs", logs.display().to_string()),
    ];
    let own = own.iter().map(|(key, value)| (*key, value.as_str()));
    for (key, value) in own.chain(extra.iter().copied()) {
        // a String takes whatever is written to it
        writeln!(text, "{key}={value}").ok();
    }
    text
}

/// Gives the data directory its cluster id, unless it has one.
fn format(java: &Path, lib: &Path, dir: &Path, properties: &Path) -> Result<(), DevServerError> {
    if dir.join("logs/meta.properties").exists() {
        return Ok(());
    }
    let id_file = dir.join("cluster.id");
    if !id_file.exists() {
        write(&id_file, &cluster_id())?;
    }
    let id = fs::read_to_string(&id_file).map_err(DevServerError::files("reading", &id_file))?;
    let words: [OsString; 6] = [
        "format".into(),
        "-t".into(),
        id.into(),
        "-c".into(),
        properties.into(),
        "--ignore-formatted".into(),
    ];
    let args = arguments(lib, &LOGGING, "kafka.tools.StorageTool", &words);
    Program::new(java.to_owned(), args, dir.join("format.log")).run()
}

pub(crate) fn arguments(
    lib: &Path,
    options: &[&str],
    class: &str,
    words: &[OsString],
) -> Vec<OsString> {
    let mut args: Vec<OsString> =
        ["-Xms256m", "-Xmx1g", "-XX:+UseSerialGC"].map(OsString::from).to_vec();
    args.extend(options.iter().map(OsString::from));
    args.extend(["-cp".into(), lib.join("*").into(), class.into()]);
    args.extend_from_slice(words);
    args
}

/// 22 characters of the alphabet of Kafka's ids, none of them a leading hyphen.
fn cluster_id() -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    // sixteen bytes in base64 without padding end in a character with four empty bits
    let mut id: String = random_bytes()
        .iter()
        .chain(&random_bytes()[..5])
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect();
    id.push('A');
    id
}

/// Sends `ApiVersions` (key 18, version 0) and waits for its answer: `None` until the broker is there.
fn answers(port: u16) -> Option<()> {
    const REQUEST: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff];
    let mut broker = connect(port)?;
    broker.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    broker.write_all(&REQUEST).ok()?;
    let mut answer = [0; 10];
    broker.read_exact(&mut answer).ok()?;
    // length, then our correlation id, then error code 0
    (answer[4..8] == [0, 0, 0, 7] && answer[8..10] == [0, 0]).then_some(())
}

pub(crate) fn connect(port: u16) -> Option<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()
}

fn write(file: &PathBuf, text: &str) -> Result<(), DevServerError> {
    fs::write(file, text).map_err(DevServerError::files("writing", file))
}
