//! How a server stops, over real connections.

use std::{
    future::{Future as _, pending},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Mutex, mpsc as blocking},
    task::{Wake, Waker},
};

use axum::{Router, routing::post};
use onenet_devservers::{Pki, free_port};
use onenet_kernel::Clock;
use onenet_proto::enterprise::v1::{
    GetEnterpriseRequest, enterprise_service_client::EnterpriseServiceClient,
};
use tokio::{runtime::Handle, sync::Notify, task::JoinHandle};
use tonic::{
    Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::*;
use crate::{
    config::{Settings, TelemetrySettings},
    day::SystemClock,
    endpoint::{self, tests::status},
    health::Health,
    testing::refusal,
};

const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(50);
const PATH: &str = "/onenet.enterprise.v1.EnterpriseService/GetEnterprise";

/// A server on a free port, and a connection to it.
struct World {
    channel: Channel,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
    _tls: watch::Sender<ServerTls>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start(routes: Routes, stop: &CancellationToken, drain_within: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pki = Pki::open(folder.path()).unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/onenet.toml");
        let mut settings = Settings::read(&example).unwrap();
        let server = pki.server().unwrap();
        (settings.server.certificate, settings.server.key) = (server.certificate, server.key);
        settings.server.client_ca = pki.authority();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (holds, tls) = watch::channel(settings.tls(&clock).unwrap());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(serve(listener, tls, routes, stop.clone(), drain_within));
        let authority = std::fs::read(pki.authority()).unwrap();
        let tls = ClientTlsConfig::new()
            .domain_name("localhost")
            .ca_certificate(Certificate::from_pem(authority));
        let endpoint = Endpoint::from_shared(format!("https://{address}")).unwrap();
        let channel = endpoint.tls_config(tls).unwrap().connect().await.unwrap();
        Self { channel, serving, _tls: holds, _folder: folder }
    }

    /// The outcome of a call, and of the server, which is asked to stop while the call is under way.
    async fn stopped_meanwhile(
        drain_within: Duration,
        call: impl Future<Output = ()> + Clone + Send + Sync + 'static,
        and_then: impl FnOnce(),
    ) -> Status {
        let (begun, mut has_begun) = mpsc::channel(1);
        let answer = async move || {
            begun.send(()).await.ok();
            call.clone().await;
            Status::not_found("answered").into_http::<axum::body::Body>()
        };
        let stop = CancellationToken::new();
        let routes = Router::new().route(PATH, post(answer)).into();
        let world = Self::start(routes, &stop, drain_within).await;
        let mut client = EnterpriseServiceClient::new(world.channel.clone());
        let called =
            tokio::spawn(
                async move { client.get_enterprise(GetEnterpriseRequest::default()).await },
            );
        has_begun.recv().await.unwrap();
        stop.cancel();
        and_then();
        let answered = tokio::time::timeout(LONG, called).await;
        let status = answered.expect("an answer").unwrap().unwrap_err();
        world.serving.await.unwrap().unwrap();
        status
    }
}

async fn check(channel: Channel) -> ServingStatus {
    let request = HealthCheckRequest { service: String::new() };
    HealthClient::new(channel).check(request).await.unwrap().into_inner().status()
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cut_off_with_a_reason_and_the_stop_goes_on() {
    let never = futures::FutureExt::shared(pending::<()>());
    let status = World::stopped_meanwhile(SHORT, never, || {}).await;
    let (code, reason, said) = refusal(&status);
    assert_eq!((code, &*reason), (Code::Unavailable, "ERROR_REASON_UNAVAILABLE"), "{said}");
}

#[tokio::test]
async fn a_call_that_ends_in_time_is_answered_after_the_stop() {
    let ends = Arc::new(Notify::new());
    let ended = Arc::clone(&ends);
    let call = futures::FutureExt::shared(async move { ended.notified().await });
    let status = World::stopped_meanwhile(LONG, call, || ends.notify_one()).await;
    assert_eq!((status.code(), status.message()), (Code::NotFound, "answered"));
}

#[tokio::test]
async fn a_stream_that_does_not_end_holds_no_stop_up() {
    let stop = CancellationToken::new();
    // nobody ends its watchers' streams
    let (_health, routes) = Health::over(Vec::new()).await;
    let world = World::start(routes, &stop, SHORT).await;
    let request = HealthCheckRequest { service: String::new() };
    let mut client = HealthClient::new(world.channel.clone());
    let mut watching = client.watch(request).await.unwrap().into_inner();
    assert!(watching.message().await.unwrap().is_some());
    stop.cancel();
    world.serving.await.unwrap().unwrap();
}

/// What whoever asks over the network is told, asked when this is woken and before anything goes on.
struct Asks {
    runtime: Handle,
    channel: Mutex<Option<Channel>>,
    ready: SocketAddr,
    told: Mutex<Option<(ServingStatus, String)>>,
}

impl Asks {
    async fn now(channel: Channel, ready: SocketAddr) -> (ServingStatus, String) {
        (check(channel).await, status(ready, "/readyz").await)
    }
}

impl Wake for Asks {
    fn wake(self: Arc<Self>) {
        let Some(channel) = self.channel.lock().unwrap().take() else { return };
        let (answer, answered) = blocking::channel();
        let ready = self.ready;
        self.runtime.spawn(async move { answer.send(Self::now(channel, ready).await) });
        *self.told.lock().unwrap() = answered.recv_timeout(LONG).ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_is_told_of_the_stop_before_calls_drain() {
    let (stop, draining) = (CancellationToken::new(), CancellationToken::new());
    let ready = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap()));
    let telemetry = TelemetrySettings { metrics: Some(ready), ..TelemetrySettings::default() };
    let endpoint = endpoint::Endpoint::start(&telemetry, &stop).await.unwrap();
    endpoint.roles_run();
    let (health, routes) = Health::over(Vec::new()).await;
    let (runtime, channel, told) = (Handle::current(), Mutex::default(), Mutex::default());
    let asks = Arc::new(Asks { runtime, channel, ready, told });
    // waits longest, so it is woken first: the server still knows nothing
    let mut begins = Box::pin(draining.cancelled());
    let waker = Waker::from(Arc::clone(&asks));
    assert!(begins.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let world = World::start(routes, &draining, LONG).await;
    let before = Asks::now(world.channel.clone(), ready).await;
    assert_eq!(before, (ServingStatus::Serving, "200".to_owned()));
    *asks.channel.lock().unwrap() = Some(world.channel.clone());

    stop.cancel();
    health.drain(&draining).await;
    let told = asks.told.lock().unwrap().take();
    assert_eq!(told, Some((ServingStatus::NotServing, "503".to_owned())));
    world.serving.await.unwrap().unwrap();
}
