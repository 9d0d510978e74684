use std::{
    convert::Infallible,
    net::SocketAddr,
    task::{Context, Poll},
};

use anyhow::Result;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::uri::PathAndQuery;
use onenet_eventstore::{
    PgLog,
    testing::{Scratch, cause, event, new_id},
};
use onenet_kernel::{EventStore as _, NewEvent, StreamId, Version};
use prost::Message;
use tonic::{
    Request, Response, Status,
    body::Body,
    client,
    server::{self, NamedService, UnaryService},
    service::Routes,
    transport::{Channel, Endpoint, Server},
};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use super::{bare, peers};
use crate::{
    Bar, Bench, Figure, PAYLOAD,
    contest::{Turn, closed_loop},
};

const CALLERS: [usize; 2] = [64, 256];
const APPEND: &str = "/bench.Log/Append";

/// The log behind a service that does nothing but append, without TLS and on one connection, as the peer.
pub(super) async fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let scratch = Scratch::create(&bench.postgres).await?;
    let address = serve(scratch.log("bench", &[]).await?)?;
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
    let mut figures = Vec::new();
    for callers in CALLERS {
        let ours = async || {
            let channel = channel.clone();
            let call = move |_| append(channel.clone());
            Turn::of(closed_loop(callers, bench.turn, call)).await
        };
        let figure = peers::beside(bench, "umadb", callers, ours).await?;
        figures.push(figure.with(Bar::AtLeast(1.1, 1.5)));
    }
    Ok(figures)
}

/// One event on a stream of its own.
#[derive(Clone, PartialEq, Message)]
struct Append {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(bytes = "bytes", tag = "2")]
    command_id: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    payload: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct Appended {
    #[prost(uint64, tag = "1")]
    position: u64,
}

async fn append(channel: Channel) -> Result<()> {
    let mut client = client::Grpc::new(channel);
    client.ready().await?;
    let id = new_id();
    let request = Append {
        key: super::key(id).to_string(),
        command_id: Bytes::copy_from_slice(id.as_bytes()),
        payload: vec![b'x'; PAYLOAD].into(),
    };
    let codec = ProstCodec::<Append, Appended>::default();
    let path = PathAndQuery::from_static(APPEND);
    client.unary(Request::new(request), path, codec).await?;
    Ok(())
}

fn serve(log: PgLog) -> Result<SocketAddr> {
    let incoming = bare::incoming()?;
    let address = incoming.local_addr()?;
    let routes = Routes::new(Appends(log));
    // for as long as the benchmark
    tokio::spawn(Server::builder().add_routes(routes).serve_with_incoming(incoming));
    Ok(address)
}

#[derive(Clone)]
struct Appends(PgLog);

impl NamedService for Appends {
    const NAME: &'static str = "bench.Log";
}

impl tower::Service<http::Request<Body>> for Appends {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let (service, codec) = (self.clone(), ProstCodec::<Appended, Append>::default());
        Box::pin(async move { Ok(server::Grpc::new(codec).unary(service, request).await) })
    }
}

impl UnaryService<Append> for Appends {
    type Response = Appended;
    type Future = BoxFuture<'static, Result<Response<Appended>, Status>>;

    fn call(&mut self, request: Request<Append>) -> Self::Future {
        let log = self.0.clone();
        Box::pin(async move {
            let Append { key, command_id, payload } = request.into_inner();
            let malformed = |_| Status::invalid_argument("command_id: 16 bytes");
            let cause = cause(Uuid::from_slice(&command_id).map_err(malformed)?);
            let (stream, made) = (StreamId::new("bench", &key), event(&key, ""));
            let appended =
                log.append(&stream, Version::NONE, &cause, vec![NewEvent { payload, ..made }]);
            let appended =
                appended.await.map_err(|error| Status::unavailable(error.to_string()))?;
            Ok(Response::new(Appended { position: appended.receipt.position.number }))
        })
    }
}
