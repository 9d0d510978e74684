//! A process that is asked to stop in the middle of its work ends in order: health first, then calls and
//! streams, then what follows, and the relay last. Nothing that was acknowledged waits behind it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use onenet_chassis::testing::{refusal, uscc};
use onenet_kafka::read_topic;
use onenet_proto::{
    common::v1::Receipt,
    enterprise::v1::{
        Enterprise, GetEnterpriseRequest, RegisterEnterpriseRequest,
        enterprise_service_client::EnterpriseServiceClient,
    },
    exchange::v1::{
        Beginning, SubscribeRequest, SubscribeResponse,
        exchange_service_client::ExchangeServiceClient, subscribe_request::Start,
        subscribe_response::Message,
    },
};
use onenet_tests::{
    actors::{Actors, COUNTY, PLACE, Reach as _, new_id, patiently},
    network::Network,
    process::until,
};
use tokio::task::JoinHandle;
use tonic::{Code, Request, Status, Streaming, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_client::HealthClient,
};

const AGENCY: u32 = 20;
const REGISTERED: &str = "onenet.enterprise.v1.EnterpriseRegistered";
const WRITERS: usize = 4;
/// Registrations that are acknowledged before somebody asks the process to stop.
const BEFORE: usize = 40;

static NEXT: AtomicU32 = AtomicU32::new(100);

/// Registers enterprises until the node answers no more, counting them; answers the receipts.
async fn write(channel: Channel, known: Receipt, count: Arc<AtomicUsize>) -> Vec<Receipt> {
    let mut client = EnterpriseServiceClient::new(channel);
    let mut receipts = Vec::new();
    loop {
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        let plant = onenet_chassis::testing::elsewhere::Registered::plant(&uscc(serial));
        let request = RegisterEnterpriseRequest {
            command_id: new_id(),
            fresh_as: vec![known.clone()],
            enterprise: Some(Enterprise { division: PLACE.to_owned(), ..plant }),
            ..Default::default()
        };
        match client.register_enterprise(request).await {
            Ok(answer) => {
                receipts.extend(answer.into_inner().receipt);
                count.fetch_add(1, Ordering::Relaxed);
            }
            Err(status) => {
                let code = status.code();
                assert!(matches!(code, Code::Unavailable | Code::Unknown), "{status}");
                return receipts;
            }
        }
    }
}

type Writers = Vec<JoinHandle<Vec<Receipt>>>;

fn write_all(network: &Network, known: &Receipt) -> (Writers, Arc<AtomicUsize>) {
    let count = Arc::default();
    let writers = (0..WRITERS)
        .map(|_| tokio::spawn(write(connect(network), known.clone(), Arc::clone(&count))));
    (writers.collect(), count)
}

fn connect(network: &Network) -> Channel {
    network.channel("enterprise", &uscc(COUNTY))
}

async fn watch(channel: Channel) -> Streaming<HealthCheckResponse> {
    let request = HealthCheckRequest { service: String::new() };
    let mut watching = HealthClient::new(channel).watch(request).await.unwrap().into_inner();
    assert_eq!(watching.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    watching
}

/// A call that is under way for four and a half seconds: it waits for what comes long after `newest`.
async fn wait_for_more(channel: Channel, newest: Receipt) -> Status {
    let mut later = newest;
    later.position.as_mut().unwrap().number += 1_000_000;
    let ask = GetEnterpriseRequest { fresh_as: vec![later], uscc: uscc(100) };
    let mut request = Request::new(ask);
    request.set_timeout(Duration::from_secs(5));
    EnterpriseServiceClient::new(channel).get_enterprise(request).await.unwrap_err()
}

/// That call, once the process has begun with it: what came after it on its connection was answered.
async fn hold(channel: Channel, newest: &Receipt) -> JoinHandle<Status> {
    // connected before: the caller's time runs while it connects, the process's only afterwards
    check(channel.clone()).await.unwrap();
    let mut held = Box::pin(wait_for_more(channel.clone(), newest.clone()));
    tokio::select! {
        biased;
        status = &mut held => unreachable!("{status}"),
        checked = check(channel) => checked.unwrap(),
    };
    tokio::spawn(held)
}

async fn check(channel: Channel) -> Result<(), Status> {
    let request = HealthCheckRequest { service: String::new() };
    HealthClient::new(channel).check(request).await.map(drop)
}

/// Events on the topic of enterprise.
async fn published(network: &Network) -> usize {
    let settings = network.node.settings();
    let topic = format!("{}onenet.enterprise.events.v1", settings.kafka.as_ref().unwrap().prefix);
    read_topic(&settings.cluster().unwrap(), &topic).await.unwrap().len()
}

async fn until_stopping(network: &Network) {
    until("a process that is not ready", async || {
        network.watch("enterprise", "/readyz").is_some_and(|(status, _)| status == 503)
    })
    .await;
    assert_eq!(network.watch("enterprise", "/healthz").unwrap().0, 200, "it lives");
}

#[tokio::test]
async fn what_was_acknowledged_is_on_the_topic_once_the_process_has_ended() {
    let mut network = Network::start(None).await;
    let newest = Actors(&network).register_public_side().await;
    let mut watching = watch(connect(&network)).await;
    let held = hold(connect(&network), &newest).await;
    assert_eq!(network.watch("enterprise", "/readyz").unwrap().0, 200);
    let (writers, count) = write_all(&network, &newest);
    until("writers at work", async || count.load(Ordering::Relaxed) >= BEFORE).await;

    let stopping = network.terminate("enterprise");
    until_stopping(&network).await;
    assert_eq!(watching.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert!(watching.message().await.unwrap().is_none(), "whoever watches is let go");
    let refused = check(connect(&network)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "a new connection: {refused}");

    let (code, reason, _) = refusal(&held.await.unwrap());
    assert_eq!(code, Code::DeadlineExceeded, "a call under way gets its answer");
    assert_eq!(reason, "ERROR_REASON_NOT_FRESH_IN_TIME");
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    assert!(acknowledged.len() >= BEFORE);
    assert!(stopping.ended().await);
    assert!(network.watch("enterprise", "/healthz").is_none(), "it does not live");
    let last = acknowledged.iter().filter_map(|receipt| receipt.position.as_ref());
    let last = last.map(|position| position.number).max().unwrap();
    let published = published(&network).await;
    assert!(published as u64 >= last, "{published} published, {last} acknowledged");
    network.stop().await;
}

/// What has come on a subscription's streams.
struct Subscriber {
    stream: Streaming<SubscribeResponse>,
    ids: Vec<String>,
    sequence: u64,
    token: String,
}

impl Subscriber {
    async fn open(network: &Network, start: Start) -> Streaming<SubscribeResponse> {
        let client = ExchangeServiceClient::new(network.channel("exchange", &uscc(AGENCY)));
        let request = SubscribeRequest { start: Some(start), ..Default::default() };
        patiently(async || client.clone().subscribe(request.clone()).await).await.into_inner()
    }

    /// Reads until so many have come, or the stream ends; each one is the next.
    async fn read(&mut self, count: usize) -> Result<(), Status> {
        while self.ids.len() < count {
            match self.stream.message().await?.unwrap().message {
                Some(Message::Batch(batch)) => {
                    for delivery in batch.deliveries {
                        self.sequence += 1;
                        assert_eq!(delivery.sequence, self.sequence, "lost or repeated");
                        self.ids.push(delivery.event.unwrap().id);
                    }
                    self.token = batch.resume_token;
                }
                Some(Message::Subscribed(_) | Message::Progress(_)) | None => {}
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_subscriber_is_told_to_resume_and_loses_nothing() {
    let mut network = Network::start(None).await;
    let newest = Actors(&network).register_public_side().await;
    Actors(&network).open_to(AGENCY, &[REGISTERED]).await;
    let (writers, _) = write_all(&network, &newest);
    let stream = Subscriber::open(&network, Start::Beginning(Beginning {})).await;
    let mut subscriber = Subscriber { stream, ids: Vec::new(), sequence: 0, token: String::new() };
    subscriber.read(BEFORE).await.unwrap();
    let stopping = network.terminate("exchange");
    let ended = subscriber.read(usize::MAX).await.unwrap_err();
    let (code, reason, said) = refusal(&ended);
    assert_eq!((code, &*reason), (Code::Unavailable, "ERROR_REASON_UNAVAILABLE"), "{said}");
    assert!(stopping.ended().await);

    network.serve("exchange").await;
    subscriber.stream =
        Subscriber::open(&network, Start::ResumeToken(subscriber.token.clone())).await;
    let stopping = network.terminate("enterprise");
    let mut acknowledged = 0;
    for writer in writers {
        acknowledged += writer.await.unwrap().len();
    }
    assert!(stopping.ended().await);
    // a command whose answer was cut off may have been carried out
    subscriber.read(acknowledged).await.unwrap();
    let ids: std::collections::BTreeSet<_> = subscriber.ids.iter().collect();
    assert_eq!(ids.len(), subscriber.ids.len(), "each enterprise once");
    network.stop().await;
}

#[tokio::test]
async fn a_second_signal_ends_the_process_where_it_stands() {
    let mut network = Network::start(None).await;
    let newest = Actors(&network).register_public_side().await;
    let held = hold(connect(&network), &newest).await;
    let stopping = network.terminate("enterprise");
    until_stopping(&network).await;
    stopping.terminate();
    assert!(!stopping.ended().await, "it does not claim to have ended well");
    let (_, reason, _) = refusal(&held.await.unwrap());
    assert_eq!(reason, "", "cut off");
    network.serve("enterprise").await;
    network.stop().await;
}
