//! Connections without the manners of a gRPC library.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::{BufMut as _, Bytes, BytesMut};
use h2::client::SendRequest;
use http::Request;
use onenet_chassis::{private::PrivateNode, testing::uscc};
use onenet_tests::{
    actors::{PLATFORM, Reach as _},
    up::Up,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Where attacks come from: everything of 127/8 is this machine.
const FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// How an agency of the node reaches it.
#[derive(Clone)]
pub(crate) struct Raw {
    node: SocketAddr,
    tls: TlsConnector,
}

impl Raw {
    pub(crate) fn of(up: &Up) -> Self {
        Self { node: up.address("exchange"), tls: Arc::new(config(up.node())).into() }
    }

    pub(crate) async fn tcp(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((FROM, 0).into()).unwrap();
        socket.connect(self.node).await.unwrap()
    }

    pub(crate) async fn tls(&self) -> TlsStream<TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        self.tls.connect(name, self.tcp().await).await.unwrap()
    }

    /// HTTP/2 with the smallest windows; the connection answers pings until it ends.
    pub(crate) async fn http2(&self) -> SendRequest<Bytes> {
        let (requests, connection) = h2::client::handshake(self.tls().await).await.unwrap();
        tokio::spawn(connection);
        requests
    }
}

fn config(node: &PrivateNode) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(node.authority()).unwrap()).unwrap();
    let identity = node.organisation(&uscc(PLATFORM)).unwrap();
    let certificate = CertificateDer::from_pem_file(identity.certificate).unwrap();
    let key = PrivateKeyDer::from_pem_file(identity.key).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// A gRPC call without its body.
pub(crate) fn call(path: &str) -> Request<()> {
    Request::post(format!("https://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .unwrap()
}

/// A gRPC message on the wire.
pub(crate) fn message(message: &impl prost::Message) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(message.encoded_len()).unwrap());
    message.encode(&mut bytes).unwrap();
    bytes.freeze()
}
