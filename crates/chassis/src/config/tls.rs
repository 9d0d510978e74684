use std::{fmt, fs, path::Path, sync::Arc, time::Duration};

use onenet_kernel::{Clock, Timestamp};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject as _},
    server::WebPkiClientVerifier,
    time_provider::TimeProvider,
};
use sha2::{Digest as _, Sha256};
use x509_parser::parse_x509_certificate;

use super::{ConfigError, ServerSettings, Settings};

/// From when until when a chain of certificates is good: all of it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The latest beginning.
    pub from: Timestamp,
    /// The earliest end.
    pub until: Timestamp,
}

/// What a server shows its callers and whom it accepts.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// How long its own certificate is good.
    pub validity: Validity,
    pub(crate) config: Arc<rustls::ServerConfig>,
    pub(crate) digest: TlsDigest,
}

/// Of the content of all three files: tells whether one has changed.
pub(crate) type TlsDigest = [u8; 32];

/// The three files that [`ServerTls`] is made of, as they stood at one moment.
pub(crate) struct TlsFiles {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Vec<u8>,
}

const CERTIFICATE: &str = "server.certificate";
const KEY: &str = "server.key";
const CLIENT_CA: &str = "server.client_ca";
const KAFKA_CA: &str = "kafka.tls.ca";
const KAFKA_CERTIFICATE: &str = "kafka.tls.certificate";

impl Settings {
    /// The TLS side of the server: TLS 1.3, client certificates requested and not required, since a
    /// call without one has to be answered and audited. Whether a caller's is good is judged by `clock`. One of
    /// the server's own that is not is refused: every caller would refuse it.
    pub fn tls(&self, clock: &Arc<dyn Clock>) -> Result<ServerTls, ConfigError> {
        TlsFiles::read(&self.server)?.judge(clock)
    }

    /// How long each authority is good whose client certificates are accepted.
    pub fn authorities(&self) -> Result<Vec<Validity>, ConfigError> {
        Validity::each(CLIENT_CA, &self.server.client_ca)
    }
}

impl TlsFiles {
    pub(crate) fn read(settings: &ServerSettings) -> Result<Self, ConfigError> {
        Ok(Self {
            certificate: content(CERTIFICATE, &settings.certificate)?,
            key: content(KEY, &settings.key)?,
            client_ca: content(CLIENT_CA, &settings.client_ca)?,
        })
    }

    pub(crate) fn digest(&self) -> TlsDigest {
        let mut all = Sha256::new();
        for file in [&self.certificate, &self.key, &self.client_ca] {
            all.update(Sha256::digest(file));
        }
        all.finalize().into()
    }

    /// What a server can do with them, if they fit together and the certificate is good now.
    pub(crate) fn judge(&self, clock: &Arc<dyn Clock>) -> Result<ServerTls, ConfigError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let roots = roots(CLIENT_CA, &self.client_ca)?;
        let verifier =
            WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
                .allow_unauthenticated()
                .build()
                .map_err(unusable(CLIENT_CA))?;
        let chain = certificates(CERTIFICATE, &self.certificate)?;
        let validity = Validity::of(CERTIFICATE, &chain)?;
        validity.check(CERTIFICATE, clock.now())?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(unusable(KEY))?;
        let time = Arc::new(ByClock(Arc::clone(clock)));
        let mut config = rustls::ServerConfig::builder_with_details(provider, time)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(unusable("server"))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => unusable(KEY)(
                    "它不是 server.certificate 的私钥 / it is not the key of server.certificate",
                ),
                error => unusable(CERTIFICATE)(error.to_string().as_str()),
            })?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(ServerTls { validity, config: Arc::new(config), digest: self.digest() })
    }
}

/// The time by which certificates of callers are judged: otherwise the library asks the machine.
struct ByClock(Arc<dyn Clock>);

impl fmt::Debug for ByClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ByClock({})", self.0.now())
    }
}

impl TimeProvider for ByClock {
    fn current_time(&self) -> Option<UnixTime> {
        let since = u64::try_from(self.0.now().as_micros()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_micros(since)))
    }
}

impl Settings {
    /// Whether the files of `kafka.tls` can be used at `now`: a certificate that has expired, or a key
    /// that is another's, would be refused by every broker.
    pub fn check_kafka_tls(&self, now: Timestamp) -> Result<(), ConfigError> {
        let Some(tls) = self.kafka.as_ref().and_then(|kafka| kafka.tls.as_ref()) else {
            return Ok(());
        };
        let roots = roots(KAFKA_CA, &content(KAFKA_CA, &tls.ca)?)?;
        let chain =
            certificates(KAFKA_CERTIFICATE, &content(KAFKA_CERTIFICATE, &tls.certificate)?)?;
        Validity::of(KAFKA_CERTIFICATE, &chain)?.check(KAFKA_CERTIFICATE, now)?;
        let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(unusable("kafka.tls.key"))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(unusable("kafka.tls"))?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(unusable(KAFKA_CERTIFICATE))?;
        Ok(())
    }

    /// How long the certificate is good that the node shows to the brokers, and each authority that it
    /// believes theirs from; nothing where the connection is plain.
    pub fn kafka_certificates(&self) -> Result<Option<(Validity, Vec<Validity>)>, ConfigError> {
        let Some(tls) = self.kafka.as_ref().and_then(|kafka| kafka.tls.as_ref()) else {
            return Ok(None);
        };
        let chain =
            certificates(KAFKA_CERTIFICATE, &content(KAFKA_CERTIFICATE, &tls.certificate)?)?;
        Ok(Some((Validity::of(KAFKA_CERTIFICATE, &chain)?, Validity::each(KAFKA_CA, &tls.ca)?)))
    }
}

impl Validity {
    fn of(setting: &'static str, chain: &[CertificateDer<'_>]) -> Result<Self, ConfigError> {
        let mut all = Self {
            from: Timestamp::from_micros(i64::MIN),
            until: Timestamp::from_micros(i64::MAX),
        };
        for certificate in chain {
            let Self { from, until } = Self::read(setting, certificate)?;
            all = Self { from: all.from.max(from), until: all.until.min(until) };
        }
        Ok(all)
    }

    fn each(setting: &'static str, path: &Path) -> Result<Vec<Self>, ConfigError> {
        let authorities = certificates(setting, &content(setting, path)?)?;
        authorities.iter().map(|authority| Self::read(setting, authority)).collect()
    }

    fn read(setting: &'static str, der: &CertificateDer<'_>) -> Result<Self, ConfigError> {
        let (_, certificate) = parse_x509_certificate(der).map_err(unusable(setting))?;
        let instant = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000));
        let validity = certificate.validity();
        Ok(Self {
            from: instant(validity.not_before.timestamp()),
            until: instant(validity.not_after.timestamp()),
        })
    }

    fn check(self, setting: &'static str, now: Timestamp) -> Result<(), ConfigError> {
        let reason = if now > self.until {
            format!("已过期 / the certificate expired at {}", self.until)
        } else if now < self.from {
            format!("尚未生效 / the certificate is good from {} on", self.from)
        } else {
            return Ok(());
        };
        let reason =
            format!("{reason}; 更换证书 / put a new one in place: docs/runbooks/certificates.md");
        Err(ConfigError::Value { setting, reason })
    }
}

fn roots(setting: &'static str, pem: &[u8]) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(setting, pem)? {
        roots.add(authority).map_err(unusable(setting))?;
    }
    Ok(roots)
}

fn content(setting: &'static str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    fs::read(path).map_err(|source| ConfigError::File { setting, path: path.to_owned(), source })
}

fn certificates(
    setting: &'static str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let read = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let certificates = read.map_err(unusable(setting))?;
    if certificates.is_empty() {
        return Err(unusable(setting)("the file holds no certificate"));
    }
    Ok(certificates)
}

fn unusable<E: std::fmt::Display>(setting: &'static str) -> impl FnOnce(E) -> ConfigError {
    move |error| ConfigError::Value { setting, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KafkaTls;

    #[test]
    fn files_for_kafka_that_brokers_would_refuse_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let pki = onenet_devservers::Pki::open(folder.path()).unwrap();
        let (node, other) = (pki.node("henan").unwrap(), pki.node("hubei").unwrap());
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/onenet.toml");
        let mut settings = Settings::read(&example).unwrap();
        let good = KafkaTls { ca: pki.authority(), certificate: node.certificate, key: node.key };
        let mut check = |tls: KafkaTls| {
            settings.kafka.as_mut().unwrap().tls = Some(tls);
            settings.check_kafka_tls(Timestamp::from_micros(1_800_000_000_000_000))
        };
        check(good.clone()).unwrap();
        let missing = folder.path().join("none.pem");
        for (tls, setting) in [
            (KafkaTls { ca: missing.clone(), ..good.clone() }, "kafka.tls.ca"),
            (KafkaTls { certificate: missing.clone(), ..good.clone() }, "kafka.tls.certificate"),
            (KafkaTls { key: missing, ..good.clone() }, "kafka.tls.key"),
            (KafkaTls { key: other.key, ..good }, "kafka.tls.certificate"),
        ] {
            let refused = check(tls).unwrap_err().to_string();
            assert!(refused.starts_with(setting), "{setting}: {refused}");
        }
    }

    #[test]
    fn a_certificate_is_good_from_its_first_second_to_its_last() {
        let at = Timestamp::from_micros;
        let validity = Validity { from: at(10), until: at(20) };
        for (now, said) in [(9, Some("尚未生效")), (10, None), (20, None), (21, Some("已过期"))]
        {
            let checked =
                validity.check("server.certificate", at(now)).map_err(|error| error.to_string());
            match said {
                None => assert_eq!(checked, Ok(()), "{now}"),
                Some(said) => {
                    let error = checked.unwrap_err();
                    assert!(error.contains(said) && error.contains("certificates.md"), "{error}");
                }
            }
        }
    }
}
