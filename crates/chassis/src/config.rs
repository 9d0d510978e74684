//! Settings: one TOML file, then the environment (`ONENET__SERVER__LISTEN` for `server.listen`).
//! Unknown keys are refused; secrets are named by the path of the file that holds them.

mod blacklist;
mod kafka;
mod rules;
mod tls;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    providers::{Env, Format as _, Toml},
};
use onenet_eventstore::DbSettings;
use onenet_standards::Uscc;
use serde::{Deserialize, Serialize};

pub(crate) use self::tls::{TlsDigest, TlsFiles};
pub use self::{
    blacklist::BlacklistSettings,
    kafka::{KafkaSettings, KafkaTls},
    rules::{DatedRule, RuleSettings},
    tls::{ServerTls, Validity},
};

pub(crate) use self::kafka::LISTINGS_DAYS;

/// Everything a process is told.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Which node this is.
    pub node: NodeSettings,
    /// Where its logs are.
    pub database: DatabaseSettings,
    /// How they travel. Without it one process holds the whole node (`onenet up`), and its contexts
    /// read each other's logs directly.
    #[serde(default)]
    pub kafka: Option<KafkaSettings>,
    /// How it is called.
    pub server: ServerSettings,
    /// What it tells of itself.
    #[serde(default)]
    pub telemetry: TelemetrySettings,
    /// What the law leaves open or could not be read.
    #[serde(default)]
    pub rules: RuleSettings,
    /// How agencies are served.
    #[serde(default)]
    pub exchange: ExchangeSettings,
    /// Who has to acknowledge removals.
    #[serde(default)]
    pub blacklist: BlacklistSettings,
}

/// One installation of onenet.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSettings {
    /// Its name, in certificates and in the source of every event.
    pub name: String,
    /// USCC of the organisation that runs it: registers divisions and organisations, and is who
    /// clocks and reactions act as.
    pub operator: String,
}

/// The node's database.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// `postgres://host:port/database`, without role and password.
    pub url: String,
    /// File with the password of the roles `onenet_<schema>`.
    pub password_file: PathBuf,
    /// File with the URL of the owning role; only `onenet migrate` and `onenet recover`
    /// read it.
    #[serde(default)]
    pub owner_url_file: Option<PathBuf>,
    /// Upper bound of pooled connections per log.
    #[serde(default = "eight")]
    pub max_connections: u32,
}

/// The gRPC server.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Address and port.
    pub listen: SocketAddr,
    /// Certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// The authorities whose client certificates are accepted, PEM.
    pub client_ca: PathBuf,
}

/// Logs, traces and metrics.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetrySettings {
    /// A filter, such as `info` or `info,onenet_kafka=debug`.
    pub log: String,
    /// How lines are written.
    pub format: LogFormat,
    /// OTLP/gRPC endpoint of a collector; none: spans and metrics are not sent.
    pub otlp: Option<String>,
    /// Address and port of `/metrics`, `/healthz` and `/readyz`, over plain HTTP; none: there are none.
    pub metrics: Option<SocketAddr>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// The exchange context.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExchangeSettings {
    /// File with the 32 bytes, in hexadecimal, that resume tokens are sealed with. Every process of
    /// exchange needs the same; a new one makes every token void.
    pub token_key_file: Option<PathBuf>,
}

impl TelemetrySettings {
    /// Whether anybody is told what is measured.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.otlp.is_some() || self.metrics.is_some()
    }
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self { log: "info".to_owned(), format: LogFormat::Text, otlp: None, metrics: None }
    }
}

/// Why a process does not start with its settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key is unknown, missing or of another shape.
    #[error("{0}")]
    Settings(Box<figment::Error>),
    /// A named file cannot be read.
    #[error("{setting} names {path}, which cannot be read: {source}")]
    File {
        /// Which setting.
        setting: &'static str,
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A value or a file's content cannot be used.
    #[error("{setting} cannot be used: {reason}")]
    Value {
        /// Which setting.
        setting: &'static str,
        /// Why.
        reason: String,
    },
}

impl Settings {
    /// Reads the file and the environment.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        if !file.exists() {
            let source = std::io::ErrorKind::NotFound.into();
            return Err(ConfigError::File { setting: "--config", path: file.to_owned(), source });
        }
        Figment::new()
            .merge(Toml::file(file))
            .merge(Env::prefixed("ONENET__").split("__"))
            .extract()
            .map_err(|error| ConfigError::Settings(Box::new(error)))
    }

    /// The operator's code.
    pub fn operator(&self) -> Result<Uscc, ConfigError> {
        self.node.operator.parse().map_err(|error: onenet_standards::UsccError| {
            ConfigError::Value { setting: "node.operator", reason: error.to_string() }
        })
    }

    /// How the role of a schema reaches it.
    pub fn database(&self, schema: &str) -> Result<DbSettings, ConfigError> {
        let password = self.database_password()?;
        let address =
            self.database.url.strip_prefix("postgres://").filter(|rest| !rest.contains('@'));
        let address = address.ok_or_else(|| ConfigError::Value {
            setting: "database.url",
            reason: "it has the form postgres://host:port/database, without a role".to_owned(),
        })?;
        Ok(DbSettings {
            url: format!("postgres://{}:{password}@{address}", role(schema)),
            schema: schema.to_owned(),
            max_connections: self.database.max_connections,
        })
    }

    /// The password of the roles.
    pub fn database_password(&self) -> Result<String, ConfigError> {
        secret("database.password_file", &self.database.password_file)
    }

    /// URL of the owning role.
    pub fn owner_url(&self) -> Result<String, ConfigError> {
        let file = self.database.owner_url_file.as_ref().ok_or_else(|| ConfigError::Value {
            setting: "database.owner_url_file",
            reason: "this needs the owning role; name the file that holds its URL".to_owned(),
        })?;
        secret("database.owner_url_file", file)
    }
}

/// The login role of a schema.
#[must_use]
pub fn role(schema: &str) -> String {
    format!("onenet_{schema}")
}

/// The trimmed content of a file that holds a secret.
pub fn secret(setting: &'static str, path: &Path) -> Result<String, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::File {
        setting,
        path: path.to_owned(),
        source,
    })?;
    Ok(text.trim().to_owned())
}

fn eight() -> u32 {
    8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/onenet.toml")
    }

    #[test]
    fn the_documented_settings_are_read_and_name_every_default() {
        let settings = Settings::read(&example()).unwrap();
        assert_eq!(settings.operator().unwrap().as_str(), settings.node.operator);
        let named = settings.kafka.as_ref().unwrap();
        assert_eq!(named.partitions, kafka::twelve());
        assert_eq!(named.listings_days, LISTINGS_DAYS);
        assert_eq!(settings.database.max_connections, eight());
        let rules = RuleSettings::default();
        assert_eq!(settings.rules.statement_working_days, rules.statement_working_days);
        assert_eq!(settings.rules.escalation_days, rules.escalation_days);
        let (written, built_in) =
            (settings.rules.third_party_acceptance, rules.third_party_acceptance);
        assert_eq!((written.from_on, written.to_on), (built_in.from_on, built_in.to_on));
        assert_eq!(written.legal_basis, built_in.legal_basis);
    }

    #[test]
    fn an_unknown_key_and_a_missing_file_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("onenet.toml");
        let text = fs::read_to_string(example()).unwrap();
        fs::write(&file, text.replace("prefix =", "praefix =")).unwrap();
        let unknown = Settings::read(&file).unwrap_err().to_string();
        assert!(unknown.contains("praefix"), "{unknown}");
        let missing = Settings::read(&folder.path().join("none.toml")).unwrap_err().to_string();
        assert!(missing.contains("none.toml"), "{missing}");
    }

    #[test]
    fn a_role_in_the_database_url_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::read(&example()).unwrap();
        settings.database.password_file = folder.path().join("password");
        fs::write(&settings.database.password_file, "secret\n").unwrap();
        let database = settings.database("credit").unwrap();
        assert_eq!(database.url, "postgres://onenet_credit:secret@127.0.0.1:5432/onenet");
        settings.database.url = "postgres://root@127.0.0.1/onenet".to_owned();
        assert!(settings.database("credit").is_err());
    }
}
