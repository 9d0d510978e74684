use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::SocketAddr,
    task::{Context, Poll},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use bytes::{Buf as _, BufMut as _, Bytes};
use futures::{
    StreamExt as _,
    future::{BoxFuture, try_join_all},
    stream::BoxStream,
};
use http::uri::PathAndQuery;
use onenet_chassis::private::PrivateNode;
use onenet_proto::exchange::v1::{Beginning, SubscribeRequest, subscribe_request::Start};
use prost::Message;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    client, codec,
    server::{self, NamedService, ServerStreamingService},
    service::Routes,
    transport::Channel,
};

use super::bare;

const SUBSCRIBE: &str = "/onenet.exchange.v1.ExchangeService/Subscribe";
/// Frames that a stream may be behind.
const BEHIND: usize = 1_024;
const LARGEST_FRAME: usize = 64 << 20;
/// How long events may take to everyone, before something is wrong.
const WITHIN: Duration = Duration::from_mins(2);

/// Sends frames that were made ready before to everyone who subscribes, and does nothing else.
pub(super) struct FanOut {
    pub(super) address: SocketAddr,
    frames: broadcast::Sender<Bytes>,
}

impl FanOut {
    pub(super) fn serve(node: &PrivateNode) -> Result<Self> {
        let (frames, _) = broadcast::channel(BEHIND);
        let address = bare::serve(node, Routes::new(Frames(frames.clone())))?;
        Ok(Self { address, frames })
    }

    pub(super) fn send(&self, frame: &Bytes) -> Result<()> {
        self.frames.send(frame.clone()).map(drop).context("nobody subscribes")
    }
}

#[derive(Clone)]
struct Frames(broadcast::Sender<Bytes>);

impl NamedService for Frames {
    const NAME: &'static str = "onenet.exchange.v1.ExchangeService";
}

impl tower::Service<http::Request<Body>> for Frames {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let frames = self.clone();
        Box::pin(
            async move { Ok(server::Grpc::new(AsBytes).server_streaming(frames, request).await) },
        )
    }
}

impl ServerStreamingService<Bytes> for Frames {
    type Response = Bytes;
    type ResponseStream = BoxStream<'static, Result<Bytes, Status>>;
    type Future = Ready<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, _: Request<Bytes>) -> Self::Future {
        let frames = BroadcastStream::new(self.0.subscribe());
        let lost = |_lagged| Status::data_loss("the benchmark sends faster than it reads");
        ready(Ok(Response::new(frames.map(move |frame| frame.map_err(lost)).boxed())))
    }
}

/// Reads a subscription of exchange or of [`FanOut`]. What a subscriber does with an event is none of the
/// server's business: this one counts them.
pub(super) struct Subscriber(Streaming<Bytes>);

impl Subscriber {
    /// From the first event on.
    pub(super) async fn open(channel: Channel) -> Result<Self, Status> {
        let mut client = client::Grpc::new(channel).max_decoding_message_size(LARGEST_FRAME);
        client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let request =
            SubscribeRequest { start: Some(Start::Beginning(Beginning {})), ..Default::default() };
        let request = Request::new(Bytes::from(request.encode_to_vec()));
        let path = PathAndQuery::from_static(SUBSCRIBE);
        Ok(Self(client.server_streaming(request, path, AsBytes).await?.into_inner()))
    }

    /// Until something comes with events in it: how many, and the message as it came.
    pub(super) async fn next(&mut self) -> Result<(u64, Bytes)> {
        loop {
            let frame = self.0.message().await?.context("the stream ended")?;
            let deliveries = Counted::decode(frame.clone())?.batch.map(|batch| batch.deliveries);
            if let Some(deliveries) = deliveries.filter(|deliveries| !deliveries.is_empty()) {
                return Ok((deliveries.len() as u64, frame));
            }
        }
    }

    /// Reads so many events.
    pub(super) async fn read(&mut self, events: u64) -> Result<()> {
        self.record(events, |_| {}).await
    }

    /// The same, and hands on each message as it comes.
    pub(super) async fn record(&mut self, events: u64, mut see: impl FnMut(Bytes)) -> Result<()> {
        let mut read = 0;
        while read < events {
            let (count, frame) = self.next().await?;
            read += count;
            see(frame);
        }
        ensure!(read == events, "{read} events came where {events} were sent");
        Ok(())
    }
}

/// What all subscribers do at once, each in a task of its own; answers what each says.
pub(super) async fn all<T, F>(
    subscribers: &mut Vec<Subscriber>,
    each: impl Fn(Subscriber) -> F,
) -> Result<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = Result<(Subscriber, T)>> + Send + 'static,
{
    let tasks: Vec<_> = subscribers.drain(..).map(|it| tokio::spawn(each(it))).collect();
    let ended = tokio::time::timeout(WITHIN, try_join_all(tasks)).await;
    let mut said = Vec::new();
    for outcome in ended.context("a subscriber waits for events that do not come")?? {
        let (subscriber, says) = outcome?;
        subscribers.push(subscriber);
        said.push(says);
    }
    Ok(said)
}

/// All of them read so many events.
pub(super) async fn read(subscribers: &mut Vec<Subscriber>, events: u64) -> Result<()> {
    let each = |mut subscriber: Subscriber| async move {
        subscriber.read(events).await?;
        Ok((subscriber, ()))
    };
    all(subscribers, each).await.map(drop)
}

/// As much of `SubscribeResponse` as counting takes.
#[derive(Clone, PartialEq, Message)]
struct Counted {
    #[prost(message, optional, tag = "2")]
    batch: Option<CountedBatch>,
}

#[derive(Clone, PartialEq, Message)]
struct CountedBatch {
    #[prost(message, repeated, tag = "1")]
    deliveries: Vec<CountedDelivery>,
}

#[derive(Clone, PartialEq, Message)]
struct CountedDelivery {
    #[prost(uint64, tag = "1")]
    sequence: u64,
}

/// Messages as the bytes they are.
#[derive(Clone, Copy)]
struct AsBytes;

impl codec::Codec for AsBytes {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl codec::Encoder for AsBytes {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, bytes: Bytes, to: &mut codec::EncodeBuf<'_>) -> Result<(), Status> {
        to.put(bytes);
        Ok(())
    }
}

impl codec::Decoder for AsBytes {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut codec::DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
