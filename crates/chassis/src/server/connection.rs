use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf},
    net::TcpStream,
};
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::places::Place;

/// What is written at once: a record of TLS.
const CAPACITY: usize = 16 * 1024;

/// A peer's connection below TLS, and its place. It gathers what is written until it is flushed, and gives way
/// once before that: what calls that are ready say meanwhile goes with it. Answers come in bursts, since commands
/// are committed together; each by itself would be a system call and a packet of its own.
pub(super) struct Connection {
    stream: BufWriter<TcpStream>,
    gave_way: bool,
    _place: Place,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, place: Place) -> Self {
        let stream = BufWriter::with_capacity(CAPACITY, stream);
        Self { stream, gave_way: false, _place: place }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.stream.get_ref().connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.stream.buffer().is_empty() {
            return Pin::new(&mut self.stream).poll_flush(cx);
        }
        if !self.gave_way {
            self.gave_way = true;
            // a task that wakes itself goes behind those that are ready
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.gave_way = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures::poll;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::server::places::Places;

    #[tokio::test]
    async fn what_is_written_while_it_gives_way_goes_with_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut peer = TcpStream::connect(address).await.unwrap();
        let (stream, from) = listener.accept().await.unwrap();
        let places = Places::new(1);
        let place = places.take(places.free().await.unwrap(), from).unwrap();
        let mut connection = Connection::new(stream, place);
        for _ in 0..2 {
            connection.write_all(b"one").await.unwrap();
            assert!(poll!(Box::pin(connection.flush())).is_pending());
            connection.write_all(b"two").await.unwrap();
            connection.flush().await.unwrap();
            let mut read = [0; 16];
            let length = peer.read(&mut read).await.unwrap();
            assert_eq!(&read[..length], b"onetwo");
        }
    }
}
