use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Bytes that are carried at once.
const CHUNK: usize = 4 * 1024;

/// A piece of network between a server and those who call it: what goes through can be cut, held up and slowed
/// down. Gone, with every connection through it, when this is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    _listening: JoinSet<()>,
}

/// What becomes of bytes on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    /// Nothing arrives, and nobody is told.
    HalfOpen,
    /// So many bytes a second, of each connection and direction.
    Slow(u32),
}

struct State {
    server: Mutex<SocketAddr>,
    way: watch::Sender<Way>,
    /// Of the connections there are now.
    cut: Mutex<CancellationToken>,
}

impl Proxy {
    /// Listens on a port of its own, in front of a server that may come later.
    pub(crate) async fn start(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (server, cut) = (Mutex::new(server), Mutex::default());
        let state = Arc::new(State { server, way: watch::Sender::new(Way::Open), cut });
        let mut listening = JoinSet::new();
        listening.spawn(listen(listener, Arc::clone(&state)));
        Ok(Self { address, state, _listening: listening })
    }

    /// Where callers go.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on new connections lead there.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        *lock(&self.state.server) = server;
    }

    /// What becomes of every byte from now on, also of those that have left already.
    pub(crate) fn set(&self, way: Way) {
        self.state.way.send_replace(way);
    }

    /// Ends every connection; new ones go through.
    pub(crate) fn cut(&self) {
        std::mem::take(&mut *lock(&self.state.cut)).cancel();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(listener: TcpListener, state: Arc<State>) {
    while let Ok((caller, _)) = listener.accept().await {
        let (server, cut) = (*lock(&state.server), lock(&state.cut).clone());
        let way = state.way.subscribe();
        // a connection that breaks is what both ends are here to bear
        tokio::spawn(cut.run_until_cancelled_owned(connect(caller, server, way)));
    }
}

async fn connect(
    caller: TcpStream,
    server: SocketAddr,
    way: watch::Receiver<Way>,
) -> io::Result<()> {
    let server = TcpStream::connect(server).await?;
    for stream in [&caller, &server] {
        stream.set_nodelay(true)?;
    }
    let (from_caller, to_caller) = caller.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(
        carry(from_caller, to_server, way.clone()),
        carry(from_server, to_caller, way),
    )
    .map(drop)
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut way: watch::Receiver<Way>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = from.read(&mut chunk).await?;
        let passes = way.wait_for(|way| *way != Way::HalfOpen).await;
        let way = passes.map_or(Way::Open, |way| *way);
        if count == 0 {
            return to.shutdown().await;
        }
        if let Way::Slow(rate) = way {
            let share = u32::try_from(count).unwrap_or(u32::MAX);
            tokio::time::sleep(Duration::from_secs(1) * share / rate.max(1)).await;
        }
        to.write_all(&chunk[..count]).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it gets, behind a proxy.
    async fn echo() -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let server = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        Proxy::start(server).await.unwrap()
    }

    async fn says(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<Vec<u8>> {
        stream.write_all(bytes).await?;
        let mut answer = vec![0; bytes.len()];
        stream.read_exact(&mut answer).await.map(|_| answer)
    }

    #[tokio::test]
    async fn bytes_go_through_and_a_cut_ends_what_there_is() {
        let proxy = echo().await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(says(&mut stream, b"one").await.unwrap(), b"one");
        proxy.cut();
        assert!(says(&mut stream, b"two").await.is_err());
        let mut other = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(says(&mut other, b"two").await.unwrap(), b"two");
    }

    #[tokio::test]
    async fn half_open_keeps_every_byte_and_tells_nobody() {
        let proxy = echo().await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        proxy.set(Way::HalfOpen);
        let held =
            tokio::time::timeout(Duration::from_millis(200), says(&mut stream, b"one")).await;
        assert!(held.is_err());
        proxy.set(Way::Open);
        let mut answer = [0; 3];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"one");
    }

    #[tokio::test]
    async fn slow_takes_its_time() {
        let proxy = echo().await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        proxy.set(Way::Slow(10_000));
        let began = tokio::time::Instant::now();
        let bytes = vec![7; 2_000];
        assert_eq!(says(&mut stream, &bytes).await.unwrap(), bytes);
        // there and back
        assert!(began.elapsed() >= Duration::from_millis(400), "{:?}", began.elapsed());
    }
}
