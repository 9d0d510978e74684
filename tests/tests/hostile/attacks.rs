use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use h2::{Reason, RecvStream, client::SendRequest};
use onenet_chassis::testing::refusal;
use onenet_proto::{
    enterprise::v1::{Enterprise, RegisterEnterpriseRequest},
    exchange::v1::{Beginning, SubscribeRequest, subscribe_request::Start},
};
use onenet_tests::up::Up;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};
use tokio_rustls::client::TlsStream;
use tonic::{Code, Status};

use crate::{
    MEASURED_FOR,
    raw::{Raw, call, message},
};

const SLOW: usize = 300;
const LARGE: usize = 10 * 1024 * 1024;
/// After the answer to the one before.
const LARGE_EVERY: Duration = Duration::from_millis(10);
const UNREAD: usize = 20;
const RESETS: usize = 10_000;
const RESETS_PER_CONNECTION: usize = 1_000;
const IDLE: usize = 2_000;
/// More than a quarter of the places of a node.
const BEYOND: usize = 2_600;
/// What a peer may take for its handshake, and a little.
const CLOSED_WITHIN: Duration = Duration::from_secs(15);
const REGISTER: &str = "/onenet.enterprise.v1.EnterpriseService/RegisterEnterprise";
const SUBSCRIBE: &str = "/onenet.exchange.v1.ExchangeService/Subscribe";

/// Somebody with a certificate of the node.
#[derive(Clone)]
pub(crate) struct Attacker {
    raw: Raw,
}

/// A subscription that is open for as long as this is held, and not read.
pub(crate) type Unread = (SendRequest<Bytes>, RecvStream);

impl Attacker {
    pub(crate) fn of(up: &Up) -> Self {
        Self { raw: Raw::of(up) }
    }

    /// Connections that say one byte of their greeting after the other.
    pub(crate) async fn shakes_hands_slowly(self) -> Vec<TcpStream> {
        let mut slow = Vec::new();
        for _ in 0..SLOW {
            slow.push(self.raw.tcp().await);
        }
        // a handshake record of 512 bytes
        let greeting = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];
        for byte in greeting {
            for stream in &mut slow {
                stream.write_all(&[byte]).await.unwrap();
            }
            tokio::time::sleep(MEASURED_FOR / 10).await;
        }
        slow
    }

    /// Each is refused for its size, before most of it was sent.
    pub(crate) async fn sends_large_messages(self) {
        let name = "大".repeat(LARGE / 3);
        let enterprise = Some(Enterprise { name, ..Enterprise::default() });
        let ask = message(&RegisterEnterpriseRequest { enterprise, ..Default::default() });
        let until = Instant::now() + MEASURED_FOR;
        let mut requests = self.raw.http2().await;
        while Instant::now() < until {
            requests = requests.ready().await.unwrap();
            let (answer, mut body) = requests.send_request(call(REGISTER), false).unwrap();
            body.send_data(ask.clone(), true).unwrap();
            let answer = answer.await.unwrap();
            let status = Status::from_header_map(answer.headers()).unwrap();
            let (code, reason, said) = refusal(&status);
            assert_eq!(code, Code::ResourceExhausted, "{said}");
            assert_eq!(reason, "ERROR_REASON_MESSAGE_TOO_LARGE");
            tokio::time::sleep(LARGE_EVERY).await;
        }
    }

    /// Subscriptions from the beginning whose windows are full: pings are answered, and nothing is read.
    pub(crate) async fn never_reads(self) -> Vec<Unread> {
        let start = Some(Start::Beginning(Beginning {}));
        let ask = SubscribeRequest { start, filter: None, max_batch: 50 };
        let mut unread = Vec::new();
        for _ in 0..UNREAD {
            let mut requests = self.raw.http2().await.ready().await.unwrap();
            let (answer, mut body) = requests.send_request(call(SUBSCRIBE), false).unwrap();
            body.send_data(message(&ask), true).unwrap();
            let answer = answer.await.unwrap();
            assert!(!answer.headers().contains_key("grpc-status"), "{answer:?}");
            unread.push((requests, answer.into_body()));
        }
        tokio::time::sleep(MEASURED_FOR).await;
        unread
    }

    /// Calls that are taken back as soon as they are made, over one connection after the other: a peer that
    /// goes on with it is cut off.
    pub(crate) async fn resets(self) {
        const CONNECTIONS: usize = RESETS / RESETS_PER_CONNECTION;
        let mut pace =
            tokio::time::interval(2 * MEASURED_FOR / u32::try_from(CONNECTIONS).unwrap());
        for _ in 0..CONNECTIONS {
            pace.tick().await;
            let mut requests = self.raw.http2().await;
            for _ in 0..RESETS_PER_CONNECTION {
                let Ok(ready) = requests.ready().await else { break };
                requests = ready;
                let Ok((_, mut body)) = requests.send_request(call(SUBSCRIBE), false) else {
                    break;
                };
                body.send_reset(Reason::CANCEL);
            }
        }
    }

    /// Connections with a certificate and no call, and then more than one address may have: those are sent
    /// away. Answers the first.
    pub(crate) async fn stays_idle(self) -> Vec<TlsStream<TcpStream>> {
        let mut idle = Vec::new();
        for _ in 0..IDLE {
            idle.push(self.raw.tls().await);
        }
        let mut beyond = Vec::new();
        for _ in IDLE..BEYOND {
            beyond.push(self.raw.tcp().await);
        }
        // less than a handshake may take
        tokio::time::sleep(MEASURED_FOR).await;
        let last = beyond.last_mut().unwrap();
        assert!(last.read(&mut [0]).now_or_never().is_some_and(|read| !matches!(read, Ok(1))));
        idle
    }
}

/// Those who did not prove who they are in time have been sent away.
pub(crate) async fn are_closed(slow: Vec<TcpStream>) {
    let closed = async {
        for mut stream in slow {
            // an end, or a reset: what was sent after it found nobody
            while stream.read(&mut [0; 64]).await.is_ok_and(|count| count > 0) {}
        }
    };
    tokio::time::timeout(CLOSED_WITHIN, closed).await.unwrap();
}
