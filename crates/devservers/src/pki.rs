use std::{
    fs,
    ops::Range,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use time::OffsetDateTime;

use crate::DevServerError;

/// A certificate authority in a folder, for a private node: it makes the certificates of its servers
/// and of the organisations that call them.
pub struct Pki {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    /// When what it makes is good, unless that is for centuries.
    good: Option<Range<OffsetDateTime>>,
}

/// The common name of a private Kafka.
pub(crate) const BROKER: &str = "broker";

/// Where a certificate and its key are, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key, readable by the owner alone.
    pub key: PathBuf,
}

impl Pki {
    /// Goes on with the authority in `folder`, or makes one.
    pub fn open(folder: &Path) -> Result<Self, DevServerError> {
        fs::create_dir_all(folder).map_err(DevServerError::files("creating", folder))?;
        let authority = Identity::named(folder, "ca");
        let issuer = if authority.certificate.exists() {
            let read = |path: &Path| {
                fs::read_to_string(path).map_err(DevServerError::files("reading", path))
            };
            let key = KeyPair::from_pem(&read(&authority.key)?).map_err(failed("reading a key"))?;
            Issuer::from_ca_cert_pem(&read(&authority.certificate)?, key)
                .map_err(failed("reading an authority's certificate"))?
        } else {
            make_authority(&authority)?
        };
        Ok(Self { folder: folder.to_owned(), issuer, good: None })
    }

    /// What it makes from now on is good at these times alone, in whole seconds.
    pub fn good_for(&mut self, times: Range<OffsetDateTime>) {
        self.good = Some(times);
    }

    /// The authority's certificate: what both sides trust.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// A server on this machine.
    pub fn server(&self) -> Result<Identity, DevServerError> {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let params = CertificateParams::new(names).map_err(failed("naming a server"))?;
        self.issue("server", "server", params, &[ExtendedKeyUsagePurpose::ServerAuth])
    }

    /// A broker on this machine: a server that is its own client.
    pub(crate) fn broker(&self) -> Result<Identity, DevServerError> {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).map_err(failed("naming a broker"))?;
        let both = [ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(BROKER, BROKER, params, &both)
    }

    /// A node, as the brokers know it by its name.
    pub fn node(&self, name: &str) -> Result<Identity, DevServerError> {
        let client = [ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(&format!("node-{name}"), name, CertificateParams::default(), &client)
    }

    /// An organisation of a node, as its certificates name it.
    pub fn organisation(&self, node: &str, uscc: &str) -> Result<Identity, DevServerError> {
        let uri = format!("spiffe://onenet/{node}/org/{uscc}");
        let mut params = CertificateParams::default();
        let uri = uri.as_str().try_into().map_err(failed("naming an organisation"))?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        self.issue(uscc, uscc, params, &[ExtendedKeyUsagePurpose::ClientAuth])
    }

    /// What was made before under this file's name stays as it is.
    fn issue(
        &self,
        file: &str,
        common_name: &str,
        mut params: CertificateParams,
        purposes: &[ExtendedKeyUsagePurpose],
    ) -> Result<Identity, DevServerError> {
        let identity = Identity::named(&self.folder, file);
        if identity.certificate.exists() {
            return Ok(identity);
        }
        if let Some(good) = &self.good {
            (params.not_before, params.not_after) = (good.start, good.end);
        }
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = purposes.to_vec();
        let key = KeyPair::generate().map_err(failed("making a key"))?;
        let certificate =
            params.signed_by(&key, &self.issuer).map_err(failed("signing a certificate"))?;
        identity.write(&certificate.pem(), &key)?;
        Ok(identity)
    }
}

impl Identity {
    fn named(folder: &Path, name: &str) -> Self {
        Self {
            certificate: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
        }
    }

    /// The certificate last: where it is, the key is.
    fn write(&self, certificate: &str, key: &KeyPair) -> Result<(), DevServerError> {
        let doing = |path| DevServerError::files("writing", path);
        fs::write(&self.key, key.serialize_pem()).map_err(doing(&self.key))?;
        fs::set_permissions(&self.key, fs::Permissions::from_mode(0o600))
            .map_err(doing(&self.key))?;
        fs::write(&self.certificate, certificate).map_err(doing(&self.certificate))
    }
}

fn make_authority(authority: &Identity) -> Result<Issuer<'static, KeyPair>, DevServerError> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "onenet private authority");
    let key = KeyPair::generate().map_err(failed("making a key"))?;
    let certificate = params.self_signed(&key).map_err(failed("signing a certificate"))?;
    authority.write(&certificate.pem(), &key)?;
    Ok(Issuer::new(params, key))
}

fn failed(doing: &'static str) -> impl Fn(rcgen::Error) -> DevServerError {
    move |source| DevServerError::Certificate { doing, source }
}
