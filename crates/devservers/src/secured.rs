use std::{
    cell::Cell,
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use crate::{
    DevServerError, Grant, Kafka, Pki,
    acls::Tool,
    jars,
    kafka::{bootstrap, connect},
    pki::BROKER,
};

/// A caller is the common name of its certificate; whoever has none, or one of another authority, is
/// nobody, and what no list permits is refused.
const PROPERTIES: [(&str, &str); 7] = [
    ("listener.security.protocol.map", "CONTROLLER:SSL,SSL:SSL"),
    ("inter.broker.listener.name", "SSL"),
    ("ssl.client.auth", "required"),
    ("ssl.enabled.protocols", "TLSv1.3"),
    ("ssl.principal.mapping.rules", "RULE:^CN=([^,]+).*$/$1/"),
    ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
    ("allow.everyone.if.no.acl.found", "false"),
];

/// A private Apache Kafka that takes TLS with a client's certificate alone, and lets each caller do what
/// its grants say. What it refuses stands in `kafka.log` of its folder. Stops when dropped.
pub struct SecuredKafka {
    kafka: Kafka,
    tool: Tool,
}

impl SecuredKafka {
    /// Starts a broker over `dir`, with a certificate of `pki`; answers when it answers a request.
    /// Topics of an earlier one on `dir` are there again, and so are its grants.
    pub fn start(dir: &Path, pki: &Pki) -> Result<Self, DevServerError> {
        let (java, lib) = (jars::java()?, jars::resolve()?);
        fs::create_dir_all(dir).map_err(DevServerError::files("creating", dir))?;
        let dir = dir.canonicalize().map_err(DevServerError::files("entering", dir))?;
        let stores = stores(&dir, pki)?;
        let properties = dir.join("superuser.properties");
        write(&properties, &client(&stores))?;
        let tool = |port| Tool {
            java: java.clone(),
            lib: lib.clone(),
            bootstrap: bootstrap(port),
            properties: properties.clone(),
            log: dir.join("acls.log"),
        };
        let refused = Cell::new(None);
        let answers = |port| {
            // the tool alone is slow to find out that nobody listens
            let listed = connect(port).map(|_| tool(port).list().map_err(|e| refused.set(Some(e))));
            matches!(listed, Some(Ok(_)))
        };
        let superuser = format!("User:{BROKER}");
        let stores = stores.iter().map(|(key, value)| (*key, value.as_str()));
        let all: Vec<_> =
            PROPERTIES.into_iter().chain(stores).chain([("super.users", &*superuser)]).collect();
        let kafka = Kafka::launch(&dir, "SSL", &all, answers).map_err(|error| match error {
            // it runs: why nobody can talk to it, the tool knows
            DevServerError::Silent { .. } => refused.take().unwrap_or(error),
            other => other,
        })?;
        Ok(Self { tool: tool(kafka.port()), kafka })
    }

    /// From now on exactly these grants are in force: what was granted before and is not among them has
    /// ended.
    pub fn permit(&self, grants: &[Grant]) -> Result<(), DevServerError> {
        self.tool.apply(&self.tool.list()?, grants)
    }

    /// `host:port` for clients.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        self.kafka.bootstrap()
    }
}

/// Keys and authorities, as Kafka reads PEM: the broker's key and its certificate are one file.
fn stores(dir: &Path, pki: &Pki) -> Result<[(&'static str, String); 4], DevServerError> {
    let identity = pki.broker()?;
    let read =
        |path: &Path| fs::read_to_string(path).map_err(DevServerError::files("reading", path));
    let (keystore, truststore) = (dir.join("broker.pem"), dir.join("authority.pem"));
    write(&keystore, &(read(&identity.key)? + &read(&identity.certificate)?))?;
    write(&truststore, &read(&pki.authority())?)?;
    Ok([
        ("ssl.keystore.type", "PEM".to_owned()),
        ("ssl.keystore.location", keystore.display().to_string()),
        ("ssl.truststore.type", "PEM".to_owned()),
        ("ssl.truststore.location", truststore.display().to_string()),
    ])
}

/// How the tool connects.
fn client(stores: &[(&str, String)]) -> String {
    // it would ask again for a minute by itself, and the broker is looked at in between
    let own = "security.protocol=SSL\nrequest.timeout.ms=5000\ndefault.api.timeout.ms=15000\n";
    let own = own.to_owned();
    stores.iter().fold(own, |text, (key, value)| format!("{text}{key}={value}\n"))
}

/// For the owner alone: some of these files hold a key.
fn write(path: &Path, text: &str) -> Result<(), DevServerError> {
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(DevServerError::files("writing", path))
}
