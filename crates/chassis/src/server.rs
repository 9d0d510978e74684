//! The gRPC server: TLS with the caller's certificate requested, bounded in every direction.

mod connection;
mod places;

use std::{
    convert::Infallible,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use onenet_proto::common::v1::ErrorReason;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Code, body::Body, service::Routes, transport::Server};
use tower::{Layer, Service};
use tracing::Instrument as _;

use self::{connection::Connection, places::Places};
use crate::{Refusal, config::ServerTls, meters, trace};

/// Calls at once per connection.
const STREAMS_PER_CONNECTION: u32 = 1_024;
/// How long a peer may take to prove who it is.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// How long calls under way may take once the process is to stop.
pub(crate) const DRAIN_WITHIN: Duration = Duration::from_secs(10);
/// How long the peers of calls that were cut off may take to hear of it.
const CUT_WITHIN: Duration = Duration::from_secs(1);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(30);
const KEEPALIVE_WITHIN: Duration = Duration::from_secs(10);

/// Path of the RPC a request is for.
#[derive(Clone, Debug)]
pub(crate) struct RpcPath(pub(crate) String);

/// Serves until `stop`, each new connection with what `tls` then holds; then lets calls under way end. Those
/// that have not after `drain_within` are cut off and answered UNAVAILABLE: what became of them is found out
/// by sending them again. Streams must watch `stop` themselves.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: watch::Receiver<ServerTls>,
    routes: Routes,
    stop: CancellationToken,
    drain_within: Duration,
) -> Result<(), tonic::transport::Error> {
    let cut = CancellationToken::new();
    let (accepted, incoming) = mpsc::channel::<Result<TlsStream<Connection>, Infallible>>(64);
    tokio::spawn(accept(listener, tls, accepted, stop.clone()));
    let mut serving = pin!(
        Server::builder()
            .max_concurrent_streams(Some(STREAMS_PER_CONNECTION))
            .http2_keepalive_interval(Some(KEEPALIVE_EVERY))
            .http2_keepalive_timeout(Some(KEEPALIVE_WITHIN))
            .http2_max_header_list_size(Some(16 * 1024))
            .layer(RpcLayer { cut: cut.clone() })
            .add_routes(routes)
            .serve_with_incoming_shutdown(
                ReceiverStream::new(incoming),
                stop.clone().cancelled_owned(),
            )
    );
    let drained = async {
        stop.cancelled().await;
        tokio::time::sleep(drain_within).await;
    };
    tokio::select! {
        outcome = &mut serving => return outcome,
        () = drained => tracing::warn!("calls were still under way and are cut off"),
    }
    cut.cancel();
    // a peer that takes no answer, or a stream that does not end, is left behind
    tokio::time::timeout(CUT_WITHIN, serving).await.unwrap_or(Ok(()))
}

async fn accept(
    listener: TcpListener,
    tls: watch::Receiver<ServerTls>,
    accepted: mpsc::Sender<Result<TlsStream<Connection>, Infallible>>,
    stop: CancellationToken,
) {
    let places = Places::of_this_process();
    while let Some(Some(free)) = stop.run_until_cancelled(places.free()).await {
        let Some(arrived) = stop.run_until_cancelled(listener.accept()).await else { return };
        let (stream, peer) = match arrived {
            Ok(arrived) => arrived,
            Err(error) => {
                // out of files, or a peer that hung up: the listener itself goes on
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a connection was not accepted"
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(place) = places.take(free, peer) else {
            tracing::debug!(%peer, "an address has its share of connections");
            continue;
        };
        stream.set_nodelay(true).ok();
        let tls = TlsAcceptor::from(Arc::clone(&tls.borrow().config));
        let (connection, accepted) = (Connection::new(stream, place), accepted.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_WITHIN, tls.accept(connection)).await {
                Ok(Ok(stream)) => {
                    accepted.send(Ok(stream)).await.ok();
                }
                Ok(Err(error)) => {
                    tracing::info!(error = &error as &dyn std::error::Error, "a handshake failed");
                }
                Err(_) => tracing::info!("a handshake took too long"),
            }
        });
    }
}

/// Around every call: its path and span, and our words for what is refused before our code runs.
#[derive(Clone)]
struct RpcLayer {
    cut: CancellationToken,
}

impl<S> Layer<S> for RpcLayer {
    type Service = Rpc<S>;

    fn layer(&self, inner: S) -> Rpc<S> {
        Rpc { inner, cut: self.cut.clone() }
    }
}

#[derive(Clone)]
struct Rpc<S> {
    inner: S,
    cut: CancellationToken,
}

impl<S> Service<http::Request<Body>> for Rpc<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>> + Send,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let path = request.uri().path().to_owned();
        let span = tracing::info_span!(
            "rpc",
            otel.name = path.trim_start_matches('/'),
            otel.kind = "server"
        );
        let parent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
        trace::continue_from(&span, parent.unwrap_or_default());
        request.extensions_mut().insert(RpcPath(path.clone()));
        let (answering, called_at) = (self.inner.call(request), Instant::now());
        let cut = self.cut.clone();
        let answered = async move {
            let response = match cut.run_until_cancelled(answering).await {
                Some(response) => in_our_words(&path, response?),
                None => cut_off().into_status(&path, "").into_http(),
            };
            meters::answered(&path, code(&response).unwrap_or(Code::Ok), called_at.elapsed());
            Ok(response)
        };
        Box::pin(answered.instrument(span))
    }
}

fn cut_off() -> Refusal {
    let message = "the process stops and waits no longer for this call: send it again";
    Refusal::new(ErrorReason::Unavailable, message)
}

/// What tonic refuses by itself (bytes that are no message, a message too large) carries no reason of
/// ours: it gets one.
fn in_our_words(path: &str, response: http::Response<Body>) -> http::Response<Body> {
    if response.headers().contains_key("grpc-status-details-bin") {
        return response;
    }
    let refusal = match code(&response) {
        Some(Code::OutOfRange) => Refusal::new(
            ErrorReason::MessageTooLarge,
            "the message is larger than this server reads",
        ),
        Some(Code::Internal) => {
            Refusal::new(ErrorReason::MessageMalformed, "the bytes are no message of this method")
        }
        _ => return response,
    };
    refusal.into_status(path, "").into_http()
}

/// Of an answer that consists of a status alone; an answer with a body ends in its own.
fn code(response: &http::Response<Body>) -> Option<Code> {
    let status = response.headers().get("grpc-status");
    status.map(|status| Code::from_bytes(status.as_bytes()))
}

#[cfg(test)]
mod tests;
