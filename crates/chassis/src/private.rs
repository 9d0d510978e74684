//! A node of one's own on this machine: what `onenet up`, the demo and the tests stand on. Servers,
//! database, topics, keys and certificates come from a folder; nothing of it is for others.

mod access;

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use onenet_devservers::{DevServerError, Identity, Pki};
use onenet_eventstore::{DbError, create_database};
use onenet_kernel::Clock;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity as Pem};

use crate::{
    config::{
        BlacklistSettings, ConfigError, DatabaseSettings, ExchangeSettings, KafkaSettings,
        KafkaTls, LISTINGS_DAYS, NodeSettings, ServerSettings, Settings, TelemetrySettings,
        Validity,
    },
    context::{Context, Role, StartError, run},
    tools::prepare,
};

/// Topics of a private Kafka have few partitions: it serves one machine.
const PARTITIONS: i32 = 3;
/// Where a node's settings are, in its folder.
const SETTINGS: &str = "onenet.toml";

/// Why a private node does not stand.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// Its database cannot be created.
    #[error("making the database of a private node")]
    Database(#[from] DbError),
    /// Its certificates cannot be made.
    #[error(transparent)]
    Server(#[from] DevServerError),
    /// Its settings cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file of it cannot be written.
    #[error("writing {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The system has no random bytes.
    #[error("the system has no random bytes for a key")]
    NoChance,
    /// No port could be had.
    #[error("listening on the loopback address")]
    Listen(#[source] io::Error),
    /// A context does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A client's certificate cannot be used.
    #[error("connecting")]
    Connect(#[from] tonic::transport::Error),
}

/// Where a private node finds its servers, and what it is called.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Superuser's URL that ends in a database's name.
    pub postgres: String,
    /// Name of the node's own database.
    pub database: String,
    /// Password of its roles, which belong to the whole server.
    pub password: String,
    /// Its brokers; without them, contexts read each other's logs.
    pub kafka: Option<Brokers>,
    /// In front of its topics.
    pub prefix: String,
    /// The node's name.
    pub node: String,
    /// USCC of its operator.
    pub operator: String,
    /// USCCs of those who read its blacklist.
    pub readers: Vec<String>,
    /// Where traces and metrics go.
    pub otlp: Option<String>,
    /// Where metrics are shown.
    pub metrics: Option<SocketAddr>,
    /// Where calls come in; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How long certificates are good that are made for it; without it, for centuries.
    pub validity: Option<Validity>,
}

/// Where a private node's brokers are, `host:port`.
#[derive(Clone, Debug)]
pub enum Brokers {
    /// They ask nobody who calls.
    Plain(String),
    /// They know the node by a certificate of its own authority.
    Secured(String),
}

/// A node over a folder.
pub struct PrivateNode {
    settings: Arc<Settings>,
    folder: PathBuf,
    pki: Pki,
}

/// Contexts of a private node that run in this process.
pub struct Running {
    /// Where calls come in.
    pub address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<Result<(), StartError>>,
}

impl PrivateNode {
    /// Makes keys and certificates where they are missing, and the database of the node.
    pub async fn make(folder: &Path, plan: &Plan) -> Result<Self, PrivateError> {
        create_database(&plan.postgres, &plan.database).await?;
        let mut pki = Pki::open(&folder.join("pki"))?;
        if let Some(Validity { from, until }) = plan.validity {
            pki.good_for(from.to_datetime()..until.to_datetime());
        }
        let server = pki.server()?;
        let (base, _) = plan.postgres.rsplit_once('/').unwrap_or((&plan.postgres, ""));
        let owner = format!("{base}/{}", plan.database);
        let host = base.rsplit_once('@').map_or(base, |(_, host)| host);
        let host = host.trim_start_matches("postgres://");
        let token_key = folder.join("token.key");
        if !token_key.exists() {
            write(&token_key, &hex::encode(token_bytes()?))?;
        }
        let (password_file, owner_url_file) =
            (folder.join("database.password"), folder.join("database.owner"));
        write(&password_file, &plan.password)?;
        write(&owner_url_file, &owner)?;
        let kafka = plan.kafka.as_ref().map(|brokers| brokers.settings(plan, &pki)).transpose()?;
        let settings = Settings {
            node: NodeSettings { name: plan.node.clone(), operator: plan.operator.clone() },
            database: DatabaseSettings {
                url: format!("postgres://{host}/{}", plan.database),
                password_file,
                owner_url_file: Some(owner_url_file),
                max_connections: 8,
            },
            kafka,
            server: ServerSettings {
                listen: plan.listen,
                certificate: server.certificate,
                key: server.key,
                client_ca: pki.authority(),
            },
            telemetry: TelemetrySettings {
                otlp: plan.otlp.clone(),
                metrics: plan.metrics,
                ..TelemetrySettings::default()
            },
            rules: crate::config::RuleSettings::default(),
            exchange: ExchangeSettings { token_key_file: Some(token_key) },
            blacklist: BlacklistSettings { readers: plan.readers.clone() },
        };
        Ok(Self { settings: Arc::new(settings), folder: folder.to_owned(), pki })
    }

    /// A node that was made in `folder` and has written its settings there.
    pub fn open(folder: &Path) -> Result<Self, PrivateError> {
        let settings = Arc::new(Settings::read(&folder.join(SETTINGS))?);
        Ok(Self { settings, folder: folder.to_owned(), pki: Pki::open(&folder.join("pki"))? })
    }

    /// The node's settings, as a process of it would read them.
    #[must_use]
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Writes the settings to a file that `onenet --config` reads.
    pub fn write_settings(&self) -> Result<PathBuf, PrivateError> {
        let path = self.folder.join(SETTINGS);
        let text = toml::to_string_pretty(&*self.settings).map_err(|error| PrivateError::File {
            path: path.clone(),
            source: io::Error::other(error),
        })?;
        write(&path, &text)?;
        Ok(path)
    }

    /// The certificate of an organisation of this node.
    pub fn organisation(&self, uscc: &str) -> Result<Identity, PrivateError> {
        Ok(self.pki.organisation(&self.settings.node.name, uscc)?)
    }

    /// The fingerprint of that certificate, as an agency is registered with it.
    pub fn fingerprint(&self, uscc: &str) -> Result<String, PrivateError> {
        let path = self.organisation(uscc)?.certificate;
        let der = CertificateDer::from_pem_file(&path)
            .map_err(|error| PrivateError::File { path, source: io::Error::other(error) })?;
        Ok(hex::encode(Sha256::digest(&der)))
    }

    /// The authority that both sides trust.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.pki.authority()
    }

    /// Makes schemas and topics.
    pub async fn prepare(&self, contexts: &[Context]) -> Result<(), PrivateError> {
        for context in contexts {
            prepare(context, &self.settings).await?;
        }
        Ok(())
    }

    /// Runs these roles of these contexts in this process, behind one port.
    pub async fn start(
        &self,
        contexts: Vec<Context>,
        roles: &[Role],
        clock: Arc<dyn Clock>,
    ) -> Result<Running, PrivateError> {
        let listener =
            TcpListener::bind(self.settings.server.listen).await.map_err(PrivateError::Listen)?;
        let address = listener.local_addr().map_err(PrivateError::Listen)?;
        let (settings, stop, roles) =
            (Arc::clone(&self.settings), CancellationToken::new(), roles.to_vec());
        let stopping = stop.clone();
        let task = tokio::spawn(async move {
            run(&contexts, &settings, &roles, Some(listener), &clock, &stopping).await
        });
        Ok(Running { address, stop, task })
    }

    /// A connection to `address` as the organisation with this USCC; without one, as nobody.
    pub fn connect(
        &self,
        address: SocketAddr,
        uscc: Option<&str>,
    ) -> Result<Channel, PrivateError> {
        let mut tls = ClientTlsConfig::new()
            .domain_name("localhost")
            .ca_certificate(Certificate::from_pem(read(&self.pki.authority())?));
        if let Some(uscc) = uscc {
            let identity = self.organisation(uscc)?;
            tls = tls.identity(Pem::from_pem(read(&identity.certificate)?, read(&identity.key)?));
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()));
        Ok(Endpoint::from_shared(format!("https://{address}"))?.tls_config(tls)?.connect_lazy())
    }
}

impl Brokers {
    fn settings(&self, plan: &Plan, pki: &Pki) -> Result<KafkaSettings, DevServerError> {
        let (brokers, tls) = match self {
            Self::Plain(brokers) => (brokers, None),
            Self::Secured(brokers) => {
                let Identity { certificate, key } = pki.node(&plan.node)?;
                (brokers, Some(KafkaTls { ca: pki.authority(), certificate, key }))
            }
        };
        Ok(KafkaSettings {
            brokers: brokers.clone(),
            prefix: plan.prefix.clone(),
            partitions: PARTITIONS,
            listings_days: LISTINGS_DAYS,
            tls,
        })
    }
}

impl Running {
    /// Stops in order and answers how it went.
    pub async fn stop(mut self) -> Result<(), StartError> {
        self.stop.cancel();
        self.ended().await
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> Result<(), StartError> {
        (&mut self.task).await.map_err(StartError::Broken)?
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// For the owner's eyes alone: most of these files are secrets.
fn write(path: &Path, text: &str) -> Result<(), PrivateError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = fs::create_dir_all(path.parent().unwrap_or(path))
        .and_then(|()| options.open(path))
        .and_then(|mut file| {
            // one that was made before keeps its mode otherwise
            file.set_permissions(Permissions::from_mode(0o600))?;
            file.write_all(text.as_bytes())
        });
    written.map_err(|source| PrivateError::File { path: path.to_owned(), source })
}

fn read(path: &Path) -> Result<String, PrivateError> {
    fs::read_to_string(path).map_err(|source| PrivateError::File { path: path.to_owned(), source })
}

/// 32 bytes nobody else knows.
fn token_bytes() -> Result<[u8; 32], PrivateError> {
    let mut bytes = [0; 32];
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.secure_random.fill(&mut bytes).map_err(|_unspecified| PrivateError::NoChance)?;
    Ok(bytes)
}
