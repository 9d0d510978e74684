use std::{path::Path, sync::Arc};

use onenet_kernel::Timestamp;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use x509_parser::parse_x509_certificate;

use super::{ConfigError, Settings};

/// From when until when a chain of certificates is good: all of it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The latest beginning.
    pub from: Timestamp,
    /// The earliest end.
    pub until: Timestamp,
}

impl Settings {
    /// The TLS side of the server: TLS 1.3, client certificates requested and not required, since a
    /// call without one has to be answered and audited. A certificate that is not good at `now` is
    /// refused: every caller would refuse it.
    pub fn tls(&self, now: Timestamp) -> Result<Arc<ServerConfig>, ConfigError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        for authority in certificates("server.client_ca", &self.server.client_ca)? {
            roots.add(authority).map_err(unusable("server.client_ca"))?;
        }
        let verifier =
            WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
                .allow_unauthenticated()
                .build()
                .map_err(unusable("server.client_ca"))?;
        self.server_certificate()?.check("server.certificate", now)?;
        let chain = certificates("server.certificate", &self.server.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.server.key).map_err(unusable("server.key"))?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(unusable("server"))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(unusable("server.certificate"))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(config))
    }

    /// How long the node's own certificate is good.
    pub fn server_certificate(&self) -> Result<Validity, ConfigError> {
        Validity::of("server.certificate", &self.server.certificate)
    }

    /// How long each authority is good whose client certificates are accepted.
    pub fn authorities(&self) -> Result<Vec<Validity>, ConfigError> {
        let setting = "server.client_ca";
        let authorities = certificates(setting, &self.server.client_ca)?;
        authorities.iter().map(|authority| Validity::read(setting, authority)).collect()
    }
}

impl Validity {
    fn of(setting: &'static str, path: &Path) -> Result<Self, ConfigError> {
        let chain = certificates(setting, path)?;
        let mut all = Self {
            from: Timestamp::from_micros(i64::MIN),
            until: Timestamp::from_micros(i64::MAX),
        };
        for certificate in &chain {
            let Self { from, until } = Self::read(setting, certificate)?;
            all = Self { from: all.from.max(from), until: all.until.min(until) };
        }
        Ok(all)
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
        let reason = format!(
            "{reason}; 更换证书后重启 / put a new one in place and start again: docs/runbooks/certificates.md"
        );
        Err(ConfigError::Value { setting, reason })
    }
}

fn certificates(
    setting: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
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
