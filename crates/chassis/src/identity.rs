use onenet_standards::Uscc;
use sha2::{Digest as _, Sha256};
use x509_parser::{extensions::GeneralName, parse_x509_certificate};

/// Who is at the other end, as far as the certificate proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The organisation.
    pub uscc: Uscc,
    /// Fingerprint of the certificate.
    pub certificate_sha256: [u8; 32],
}

/// Why a certificate names nobody this node knows how to address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoIdentity {
    /// The connection came without one.
    #[error("no client certificate was sent")]
    NoCertificate,
    /// It cannot be read.
    #[error("the client certificate cannot be read")]
    Unreadable,
    /// It does not carry exactly one organisation of this node.
    #[error("the client certificate names no organisation: it needs the URI {expected}<USCC>")]
    NoOrganisation {
        /// What the URI has to begin with.
        expected: String,
    },
}

/// The organisation in a certificate that the TLS layer has verified: the one URI among its subject
/// alternative names of the form `spiffe://onenet/<node>/org/<USCC>`. A header never says who calls.
pub fn peer(certificate: Option<&[u8]>, node: &str) -> Result<Peer, NoIdentity> {
    let der = certificate.ok_or(NoIdentity::NoCertificate)?;
    let (_, parsed) = parse_x509_certificate(der).map_err(|_parse| NoIdentity::Unreadable)?;
    let names = parsed.subject_alternative_name().map_err(|_parse| NoIdentity::Unreadable)?;
    let expected = format!("spiffe://onenet/{node}/org/");
    let mut organisations =
        names.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
            GeneralName::URI(uri) => uri.strip_prefix(expected.as_str()),
            _ => None,
        });
    let (Some(uscc), None) = (organisations.next(), organisations.next()) else {
        return Err(NoIdentity::NoOrganisation { expected });
    };
    let uscc = uscc.parse().map_err(|_shape| NoIdentity::NoOrganisation { expected })?;
    Ok(Peer { uscc, certificate_sha256: Sha256::digest(der).into() })
}
