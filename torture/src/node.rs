use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use onenet_chassis::{
    config::Validity,
    private::{Brokers, Plan, PrivateNode},
    testing,
};
use onenet_devservers::{DevServerError, Kafka, Postgres, PostgresOptions, free_port};
use onenet_eventstore::sqlx::{Connection as _, PgConnection};

use tonic::transport::Channel;

use crate::{
    ask::Caller,
    clocks::Clocks,
    process::{Program, Supervised},
    proxy::Proxy,
    seen::Context,
    setup::PLATFORM,
};

/// Schemas and topics of every context are made within this.
const MIGRATED_WITHIN: Duration = Duration::from_mins(2);
/// Hours after which the term of every listing has ended that began before: three years, and a day.
pub(crate) const TERM: i64 = (3 * 366 + 1) * 24;
/// A broker that was killed is let in again when its last registration has run out: after nine seconds, if
/// nobody says otherwise, which would be most of a short run.
const SOON_BACK: [(&str, &str); 2] =
    [("broker.session.timeout.ms", "3000"), ("broker.heartbeat.interval.ms", "500")];

/// Roles of the process of a context: all, or all but one that runs beside it.
const WHOLE: &str = "api,project,relay,react,clock";
const WITHOUT_RELAY: &str = "api,project,clock";

/// A node under torture: private servers, and processes of the executable that runs a node in production.
pub(crate) struct Node {
    pub(crate) private: PrivateNode,
    /// The same, with other certificates of the same organisations.
    spare: PrivateNode,
    starter: Starter,
    pub(crate) links: Links,
    // in this order they end: processes first, servers last
    pub(crate) relay: Supervised,
    /// The process of each context that answers its calls; of all but the enterprise context it has every role.
    pub(crate) served: BTreeMap<Context, Supervised>,
    pub(crate) kafka: Server<Kafka>,
    pub(crate) postgres: Server<Postgres>,
}

/// The network between the parts of a node, and to its callers.
pub(crate) struct Links {
    pub(crate) database: Proxy,
    pub(crate) brokers: Proxy,
    /// Before each context.
    pub(crate) callers: BTreeMap<Context, Proxy>,
}

/// Starts processes of a node.
struct Starter {
    onenet: PathBuf,
    folder: PathBuf,
    config: PathBuf,
    clocks: Arc<Clocks>,
}

/// Starts a server over what it left.
type Start<S> = Box<dyn Fn() -> Result<S, DevServerError> + Send + Sync>;

/// A private server that can be killed and started again.
pub(crate) struct Server<S> {
    start: Start<S>,
    running: Option<S>,
}

impl<S> Server<S> {
    fn start(start: Start<S>) -> Result<Self, DevServerError> {
        let running = Some(tokio::task::block_in_place(&start)?);
        Ok(Self { start, running })
    }

    pub(crate) fn running(&self) -> Result<&S> {
        self.running.as_ref().context("the server was killed and has not come back")
    }

    /// Ends it as a crash would, and starts it again after so long.
    pub(crate) async fn kill_and_start(&mut self, kill: fn(S), away: Duration) -> Result<()> {
        if let Some(server) = self.running.take() {
            tokio::task::block_in_place(|| kill(server));
        }
        tokio::time::sleep(away).await;
        self.running = Some(tokio::task::block_in_place(&self.start)?);
        Ok(())
    }
}

impl Node {
    /// Starts servers and processes over a folder, with certificates that are good for so long.
    pub(crate) async fn start(
        onenet: &Path,
        folder: &Path,
        validity: Validity,
        chance: Rng,
    ) -> Result<Self> {
        let mut listening = BTreeMap::new();
        for context in Context::ALL {
            listening.insert(context, loopback(free_port()?));
        }
        let links = Links::start(&listening).await?;
        let data = folder.join("postgres");
        let postgres = Server::start(Box::new(move || Postgres::start(&data)))?;
        let (data, brokers) = (folder.join("kafka"), links.brokers.address());
        let kafka = Server::start(Box::new(move || start_kafka(&data, brokers)))?;
        // the superuser's way, which is the services', too
        let url = postgres.running()?.url("postgres");
        let [there, through] = [postgres.running()?.port(), links.database.address().port()]
            .map(|port| format!(":{port}/"));
        let brokers = Brokers::Plain(brokers.to_string());
        let plan = Plan {
            readers: vec![testing::uscc(PLATFORM)],
            validity: Some(validity),
            ..testing::plan(&url.replace(&there, &through), brokers)
        };
        links.lead(postgres.running()?, kafka.running()?)?;
        let private = PrivateNode::make(folder, &plan).await?;
        let config = private.write_settings()?;
        let spare = spare(folder, &plan).await?;
        migrate(onenet, &config).await?;
        let starter = Starter {
            onenet: onenet.to_owned(),
            folder: folder.to_owned(),
            config,
            clocks: Arc::new(Clocks::in_folder(folder, chance)?),
        };
        let served = Context::ALL.map(|context| {
            let roles = if context == Context::Enterprise { WITHOUT_RELAY } else { WHOLE };
            (context, starter.start(context.name(), context, roles, listening[&context]))
        });
        let enterprise = listening[&Context::Enterprise];
        Ok(Self {
            relay: starter.start("relay", Context::Enterprise, "relay", enterprise),
            served: served.into(),
            private,
            spare,
            starter,
            links,
            kafka,
            postgres,
        })
    }

    pub(crate) async fn kill_postgres(&mut self, away: Duration) -> Result<()> {
        self.postgres.kill_and_start(Postgres::kill, away).await?;
        self.links.lead(self.postgres.running()?, self.kafka.running()?)
    }

    /// Stops PostgreSQL, and starts it with a clock by which the terms of all listings have ended.
    pub(crate) fn let_terms_end(&mut self) -> Result<()> {
        let data = self.starter.folder.join("postgres");
        let variables = self.starter.clocks.ahead(TERM).to_vec();
        let options = PostgresOptions { variables, ..PostgresOptions::default() };
        tokio::task::block_in_place(|| self.postgres.running = None);
        self.postgres = Server::start(Box::new(move || Postgres::start_with(&data, &options)))?;
        self.links.lead(self.postgres.running()?, self.kafka.running()?)
    }

    pub(crate) async fn kill_kafka(&mut self, away: Duration) -> Result<()> {
        self.kafka.kill_and_start(Kafka::kill, away).await?;
        self.links.lead(self.postgres.running()?, self.kafka.running()?)
    }

    /// A second process with these roles of a context, until it is dropped.
    pub(crate) fn second(&self, context: Context, roles: &str) -> Result<Supervised> {
        // nobody calls it
        let nowhere = loopback(free_port()?);
        Ok(self.starter.start(&format!("{context}-{roles}-2"), context, roles, nowhere))
    }

    /// How many processes were started, by the hours that their clock was ahead.
    pub(crate) fn clocks(&self) -> BTreeMap<i64, usize> {
        self.starter.clocks.starts()
    }

    /// Calls every context as an organisation.
    pub(crate) fn caller(&self, uscc: &str) -> Result<Caller> {
        let channels = self.links.callers.iter().map(|(&context, proxy)| {
            Ok((context, self.private.connect(proxy.address(), Some(uscc))?))
        });
        Ok(Caller::new(channels.collect::<Result<_>>()?))
    }

    /// Two certificates of an agency: the fingerprint of each, and a connection to the exchange with it.
    pub(crate) fn certificates(&self, uscc: &str) -> Result<([String; 2], [Channel; 2])> {
        let exchange = self.links.callers.get(&Context::Exchange).context("no exchange")?;
        let fingerprint = |node: &PrivateNode| node.fingerprint(uscc);
        let channel = |node: &PrivateNode| node.connect(exchange.address(), Some(uscc));
        let [first, second] = [&self.private, &self.spare];
        let fingerprints = [fingerprint(first)?, fingerprint(second)?];
        Ok((fingerprints, [channel(first)?, channel(second)?]))
    }

    /// A session in the node's database that may do everything, beside its processes.
    pub(crate) async fn owner(&self) -> Result<PgConnection> {
        let url = self.private.settings().owner_url()?;
        Ok(PgConnection::connect(&url).await?)
    }
}

impl Links {
    async fn start(listening: &BTreeMap<Context, SocketAddr>) -> Result<Self> {
        // servers take the port they had, if it is free: they say where they are once they run
        let nowhere = loopback(0);
        let mut callers = BTreeMap::new();
        for (&context, &address) in listening {
            callers.insert(context, Proxy::start(address).await?);
        }
        let (database, brokers) = (Proxy::start(nowhere).await?, Proxy::start(nowhere).await?);
        Ok(Self { database, brokers, callers })
    }

    fn lead(&self, postgres: &Postgres, kafka: &Kafka) -> Result<()> {
        self.database.lead_to(loopback(postgres.port()));
        self.brokers.lead_to(kafka.bootstrap().parse()?);
        Ok(())
    }
}

/// A broker that tells everybody to come through `brokers`.
fn start_kafka(folder: &Path, brokers: SocketAddr) -> Result<Kafka, DevServerError> {
    let advertised = format!("PLAINTEXT://{brokers}");
    let [session, heartbeat] = SOON_BACK;
    Kafka::start(folder, &[session, heartbeat, ("advertised.listeners", &advertised)])
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

impl Starter {
    fn start(&self, name: &str, of: Context, roles: &str, listen: SocketAddr) -> Supervised {
        let mut words: Vec<OsString> =
            ["serve", of.name(), "--role", roles, "--config"].map(Into::into).into();
        words.extend([(&self.config).into(), "--listen".into(), listen.to_string().into()]);
        Supervised::start(Program {
            path: self.onenet.clone(),
            words,
            log: self.folder.join(name).with_extension("log"),
            clocks: Arc::clone(&self.clocks),
        })
    }
}

/// The same node by the same authority, in a folder with no certificate of an organisation yet.
async fn spare(folder: &Path, plan: &Plan) -> Result<PrivateNode> {
    let (pki, spare) = (folder.join("pki"), folder.join("spare"));
    fs::create_dir_all(spare.join("pki"))?;
    for name in ["ca.pem", "ca.key"] {
        fs::copy(pki.join(name), spare.join("pki").join(name))?;
    }
    Ok(PrivateNode::make(&spare, plan).await?)
}

async fn migrate(onenet: &Path, config: &Path) -> Result<()> {
    let mut migrating = tokio::process::Command::new(onenet);
    migrating.arg("migrate").arg("--config").arg(config).kill_on_drop(true);
    let output = migrating.stdin(Stdio::null()).output();
    let output = tokio::time::timeout(MIGRATED_WITHIN, output)
        .await
        .context("`onenet migrate` did not end within two minutes")?
        .with_context(|| format!("starting {}", onenet.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`onenet migrate` failed: {said}");
    Ok(())
}
