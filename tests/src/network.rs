//! A whole node for journeys: every context as a process of its own, as production runs it.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use onenet_chassis::{
    Context, Role,
    clock::NodeClock,
    private::{Brokers, Plan, PrivateNode, Running},
    testing,
};
use onenet_devservers::{Pki, SecuredKafka, free_port, shared_kafka, shared_postgres};

use crate::{
    actors::{PLATFORM, Reach},
    process::{Process, until},
};

/// The contexts of the network.
pub const CONTEXTS: [&str; 5] = ["enterprise", "hazard", "enforcement", "credit", "exchange"];

/// A node whose contexts run in processes.
pub struct Network {
    /// Its settings, certificates and connections.
    pub node: PrivateNode,
    /// Where its files are.
    pub folder: tempfile::TempDir,
    config: PathBuf,
    otlp: Option<String>,
    processes: BTreeMap<&'static str, Process>,
    addresses: BTreeMap<&'static str, SocketAddr>,
    metrics: BTreeMap<&'static str, SocketAddr>,
    // the last to end: the processes write to it until then
    _kafka: Option<SecuredKafka>,
}

impl Network {
    /// Migrates and starts everything; spans and metrics go to `otlp`.
    pub async fn start(otlp: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let brokers = Brokers::Plain(shared_kafka().unwrap().to_owned());
        let node = Self::node(folder.path(), brokers).await;
        Self::run(node, folder, None, otlp).await
    }

    /// The same over a Kafka of its own, with TLS, where the platform may read and nobody else may.
    pub async fn start_secured(otlp: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pki = Pki::open(&folder.path().join("pki")).unwrap();
        let kafka = SecuredKafka::start(&folder.path().join("kafka"), &pki).unwrap();
        let node = Self::node(folder.path(), Brokers::Secured(kafka.bootstrap())).await;
        node.permit(&kafka, &contexts()).unwrap();
        Self::run(node, folder, Some(kafka), otlp).await
    }

    async fn node(folder: &Path, brokers: Brokers) -> PrivateNode {
        let mut plan = testing::plan(shared_postgres().unwrap(), brokers);
        plan.readers = vec![testing::uscc(PLATFORM)];
        PrivateNode::make(folder, &plan).await.unwrap()
    }

    async fn run(
        node: PrivateNode,
        folder: tempfile::TempDir,
        kafka: Option<SecuredKafka>,
        otlp: Option<String>,
    ) -> Self {
        let config = node.write_settings().unwrap();
        let migrated = Command::new(onenet()).args(["migrate", "--config"]).arg(&config).status();
        assert!(migrated.unwrap().success(), "onenet migrate");
        let (processes, addresses) = (BTreeMap::new(), BTreeMap::new());
        let metrics = CONTEXTS.map(|context| (context, loopback(free_port().unwrap()))).into();
        let mut network =
            Self { node, folder, config, otlp, processes, addresses, metrics, _kafka: kafka };
        for context in CONTEXTS {
            network.serve(context).await;
        }
        network
    }

    /// Starts a context's process; again on the port it had.
    pub async fn serve(&mut self, context: &'static str) {
        let listen = self
            .addresses
            .get(context)
            .map_or_else(|| "127.0.0.1:0".to_owned(), ToString::to_string);
        let config = self.config.to_str().unwrap();
        let words = ["serve", context, "--config", config, "--listen", &listen];
        let metrics = self.metrics[context].to_string();
        let mut settings =
            vec![("ONENET__TELEMETRY__LOG", "warn"), ("ONENET__TELEMETRY__METRICS", &metrics)];
        if let Some(otlp) = &self.otlp {
            settings.push(("ONENET__TELEMETRY__OTLP", otlp));
            // a test does not wait for a minute
            settings.push(("OTEL_METRIC_EXPORT_INTERVAL", "500"));
        }
        let process = Process::start_with(onenet(), &words, &settings);
        until("a context that listens", async || address(&process).is_some()).await;
        self.addresses.insert(context, address(&process).unwrap());
        self.processes.insert(context, process);
    }

    /// What a context's process says at `/metrics`, `/healthz` or `/readyz`: status and text; none while
    /// nobody listens.
    #[must_use]
    pub fn watch(&self, context: &str, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.metrics[context]).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, text) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, text.to_owned()))
    }

    /// Asks a context's process to stop; answers the process, to wait for.
    pub fn terminate(&mut self, context: &str) -> Process {
        let process = self.processes.remove(context).unwrap();
        process.terminate();
        process
    }

    /// Ends a context's process where it stands.
    pub fn kill(&mut self, context: &str) {
        self.processes.remove(context).unwrap().kill();
    }

    /// Ends every process where it stands.
    pub fn kill_all(&mut self) {
        for (_, process) in std::mem::take(&mut self.processes) {
            process.kill();
        }
    }

    /// Starts one role of a context, beside what [`serve`](Self::serve) has started.
    #[must_use]
    pub fn role(&self, context: &str, role: &str) -> Process {
        let config = self.config.to_str().unwrap();
        let words =
            ["serve", context, "--role", role, "--config", config, "--listen", "127.0.0.1:0"];
        Process::start_with(onenet(), &words, &[("ONENET__TELEMETRY__LOG", "warn")])
    }

    /// Runs a tool of the node, `onenet <words> --config …`; answers whether it ended well, and all that
    /// it said.
    pub async fn tool(&self, words: &[&str]) -> (bool, String) {
        let words = [words, &["--config", self.config.to_str().unwrap()]].concat();
        run(&words).await
    }

    /// Asks every process to stop, and expects each to end well.
    pub async fn stop(&mut self) {
        let processes = std::mem::take(&mut self.processes);
        for process in processes.values() {
            process.terminate();
        }
        for (context, process) in processes {
            assert!(process.ended().await, "{context} did not stop well");
        }
    }
}

impl Reach for Network {
    fn node(&self) -> &PrivateNode {
        &self.node
    }

    fn address(&self, context: &str) -> SocketAddr {
        self.addresses[context]
    }
}

/// Runs the executable; answers whether it ended well, and all that it said.
pub async fn run(words: &[&str]) -> (bool, String) {
    let running = tokio::process::Command::new(onenet()).args(words).kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_mins(1), running).await.unwrap().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
    (output.status.success(), said.concat())
}

/// A whole node in this process, as `onenet up` runs it.
pub struct Single {
    /// Its settings, certificates and connections.
    pub node: PrivateNode,
    running: Running,
}

impl Single {
    /// Starts every context over a folder and a database; without Kafka they read each other's logs.
    pub async fn start(folder: &Path, database: &str, kafka: Option<&str>) -> Self {
        let plan = Plan {
            postgres: shared_postgres().unwrap().to_owned(),
            database: database.to_owned(),
            password: "onenet".to_owned(),
            kafka: kafka.map(|kafka| Brokers::Plain(kafka.to_owned())),
            prefix: format!("{database}."),
            node: "henan".to_owned(),
            operator: testing::OPERATOR.to_owned(),
            readers: Vec::new(),
            otlp: None,
            metrics: None,
            listen: "127.0.0.1:0".parse().unwrap(),
            validity: None,
        };
        let node = PrivateNode::make(folder, &plan).await.unwrap();
        node.prepare(&contexts()).await.unwrap();
        let running = node.start(contexts(), &Role::ALL, NodeClock::new()).await.unwrap();
        Self { node, running }
    }

    /// Stops in order.
    pub async fn stop(self) {
        self.running.stop().await.unwrap();
    }
}

impl Reach for Single {
    fn node(&self) -> &PrivateNode {
        &self.node
    }

    fn address(&self, _: &str) -> SocketAddr {
        self.running.address
    }
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A name for a database of a test's own.
#[must_use]
pub fn new_database() -> String {
    format!("node_{}", onenet_eventstore::testing::new_id().simple())
}

/// Every context, as the executable lists them.
#[must_use]
pub fn contexts() -> Vec<Context> {
    vec![
        onenet_enterprise::context(),
        onenet_hazard::context(),
        onenet_enforcement::context(),
        onenet_credit::context(),
        onenet_exchange::context(),
    ]
}

/// Where a process says that it listens, once it does.
#[must_use]
pub fn address(process: &Process) -> Option<SocketAddr> {
    let said = process.said();
    said.first()?.rsplit(' ').next()?.parse().ok()
}

/// The executable, beside the test that is running; built if need be.
#[must_use]
pub fn onenet() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap();
    let built = folder.join("onenet");
    if !built.exists() {
        let cargo = Command::new(env!("CARGO")).args(["build", "-p", "onenet"]).status();
        assert!(cargo.unwrap().success(), "cargo build -p onenet");
    }
    built
}

/// A Python client of this repository: the interpreter that `scripts/setup check` made, and the file.
#[must_use]
pub fn python(file: &str) -> (PathBuf, PathBuf) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let interpreter = root.join("target/venv/bin/python");
    assert!(interpreter.exists(), "no Python clients: run `scripts/setup check`");
    (interpreter, root.join("tests/python").join(file))
}
