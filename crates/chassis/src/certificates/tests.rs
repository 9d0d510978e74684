//! Over real connections to a real server.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use onenet_devservers::{Identity, Pki};
use onenet_kernel::Timestamp;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::service::Routes;

use super::*;
use crate::{clock::NodeClock, server};

const AGENCY: &str = "124100000000000057";

/// A running server whose files are changed, and two authorities.
struct World {
    folder: tempfile::TempDir,
    old: Pki,
    new: Pki,
    certificates: Certificates,
    clock: Arc<dyn Clock>,
    address: SocketAddr,
    stop: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pki = |name: &str| Pki::open(&folder.path().join(name)).unwrap();
        let (old, new) = (pki("old"), pki("new"));
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/onenet.toml");
        let mut settings = Settings::read(&example).unwrap();
        let path = |name: &str| folder.path().join(name);
        settings.server.certificate = path("server.pem");
        settings.server.key = path("server.key");
        settings.server.client_ca = path("clients.pem");
        put(&old.server().unwrap(), folder.path());
        fs::copy(old.authority(), path("clients.pem")).unwrap();
        let clock: Arc<dyn Clock> = NodeClock::new();
        let certificates = Certificates::read(&Arc::new(settings), &clock).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_, health) = tonic_health::server::health_reporter();
        let stop = CancellationToken::new();
        let serving = server::serve(
            listener,
            certificates.in_use(),
            Routes::new(health),
            stop.clone(),
            server::DRAIN_WITHIN,
        );
        tokio::spawn(serving);
        Self { folder, old, new, certificates, clock, address, stop }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn accept(&self, authorities: &[&Pki]) {
        let pem: Vec<_> =
            authorities.iter().map(|pki| fs::read_to_string(pki.authority()).unwrap()).collect();
        fs::write(self.path("clients.pem"), pem.concat()).unwrap();
    }

    /// Looks so often that whatever stands there is judged.
    fn look(&mut self) {
        self.certificates.look();
        self.certificates.look();
    }

    /// A connection of an organisation that `authority` has signed.
    async fn connect(&self, client: &ClientConfig) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = "localhost".try_into().unwrap();
        TlsConnector::from(Arc::new(client.clone())).connect(name, stream).await.unwrap()
    }

    fn client(&self, authority: &Pki) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        for pki in [&self.old, &self.new] {
            roots.add(CertificateDer::from_pem_file(pki.authority()).unwrap()).unwrap();
        }
        let identity = authority.organisation("henan", AGENCY).unwrap();
        let key = PrivateKeyDer::from_pem_file(identity.key).unwrap();
        let chain = vec![CertificateDer::from_pem_file(identity.certificate).unwrap()];
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .unwrap();
        client.alpn_protocols = vec![b"h2".to_vec()];
        client
    }

    /// Whether a server with this certificate answers the organisation.
    async fn shows(&self, identity: &Identity) -> bool {
        let stream = self.connect(&self.client(&self.old)).await;
        let shown = stream.get_ref().1.peer_certificates().unwrap();
        *shown == [CertificateDer::from_pem_file(&identity.certificate).unwrap()]
    }
}

fn put(identity: &Identity, folder: &Path) {
    fs::copy(&identity.certificate, folder.join("server.pem")).unwrap();
    fs::copy(&identity.key, folder.join("server.key")).unwrap();
}

/// An HTTP/2 server speaks first; one that has refused the certificate of its caller says so instead.
async fn is_answered(mut stream: impl AsyncRead + Unpin) -> bool {
    stream.read_u8().await.is_ok()
}

#[tokio::test]
async fn a_replaced_certificate_is_shown_to_new_connections_and_old_ones_go_on() {
    let mut world = World::start().await;
    let (old, new) = (world.old.server().unwrap(), world.new.server().unwrap());
    let before = world.connect(&world.client(&world.old)).await;
    assert!(world.shows(&old).await);
    put(&new, world.folder.path());
    world.certificates.look();
    assert!(world.shows(&old).await, "it was taken before it stood still");
    world.certificates.look();
    assert!(world.shows(&new).await);
    assert!(is_answered(before).await);
}

#[tokio::test]
async fn what_cannot_be_used_is_not_taken_and_said_once() {
    let mut world = World::start().await;
    let (old, new) = (world.old.server().unwrap(), world.new.server().unwrap());
    let whole = fs::read(&new.certificate).unwrap();
    let expired = {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(2020, 1, 1);
        let key = KeyPair::from_pem(&fs::read_to_string(&new.key).unwrap()).unwrap();
        params.self_signed(&key).unwrap().pem().into_bytes()
    };
    let own_key = fs::read(&old.key).unwrap();
    let new_key = fs::read(&new.key).unwrap();
    for (certificate, key, said) in [
        (&whole[..whole.len() / 2], &new_key, "server.certificate"),
        (&whole[..], &own_key, "server.key cannot be used: 它不是"),
        (&expired[..], &new_key, "server.certificate cannot be used: 已过期"),
        (&whole[..], &Vec::new(), "server.key"),
    ] {
        fs::write(world.path("server.pem"), certificate).unwrap();
        fs::write(world.path("server.key"), key).unwrap();
        world.look();
        let refused = world.certificates.refused.clone().unwrap();
        assert!(refused.starts_with(said), "{refused}");
        assert!(world.shows(&old).await, "{said}");
    }
    fs::remove_file(world.path("clients.pem")).unwrap();
    world.look();
    assert!(world.certificates.refused.as_ref().unwrap().contains("clients.pem"));
    world.accept(&[&world.old]);
    fs::write(world.path("server.key"), new_key).unwrap();
    world.look();
    assert!(world.shows(&new).await && world.certificates.refused.is_none());
}

#[tokio::test]
async fn an_authority_is_added_and_another_removed_while_the_server_runs() {
    let mut world = World::start().await;
    let (old, new) = (world.client(&world.old), world.client(&world.new));
    assert!(is_answered(world.connect(&old).await).await);
    assert!(!is_answered(world.connect(&new).await).await);
    world.accept(&[&world.old, &world.new]);
    world.look();
    assert!(is_answered(world.connect(&old).await).await);
    assert!(is_answered(world.connect(&new).await).await);
    let before = world.connect(&old).await;
    world.accept(&[&world.new]);
    world.look();
    // with the session it kept, too
    assert!(!is_answered(world.connect(&old).await).await);
    assert!(is_answered(world.connect(&new).await).await);
    assert!(is_answered(before).await, "a connection keeps what it began with");
}

#[tokio::test]
async fn whether_a_caller_is_let_in_is_judged_by_the_clock_that_is_told_not_by_the_machines() {
    let world = World::start().await;
    let now = world.clock.now();
    // its certificate is good from 1975 to 4096
    for (told, is_good) in [(Timestamp::from_micros(0), false), (now, true)] {
        world.clock.told(told);
        let stream = world.connect(&world.client(&world.old)).await;
        assert_eq!(is_answered(stream).await, is_good, "{told}");
    }
}
