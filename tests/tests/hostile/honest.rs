use std::{
    fmt,
    future::Future,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use onenet_chassis::testing::{elsewhere::Registered, uscc};
use onenet_proto::enterprise::v1::{
    Enterprise, RegisterEnterpriseRequest, enterprise_service_client::EnterpriseServiceClient,
};
use onenet_tests::{
    actors::{COUNTY, PLACE, Reach as _, new_id},
    up::Up,
};

use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};
use tonic::transport::Channel;

/// One command every so often, whether the one before was answered or not.
const EVERY: Duration = Duration::from_millis(25);
/// Faster than this is fast, whatever it was before: the machine has other things to do.
const FAST: [Duration; 2] = [Duration::from_millis(25), Duration::from_millis(100)];

/// A caller that registers enterprises at a modest pace.
pub(crate) struct Honest {
    client: EnterpriseServiceClient<Channel>,
    next: AtomicU32,
}

/// How long answers took.
pub(crate) struct Latencies(Vec<Duration>);

impl Honest {
    pub(crate) fn of(up: &Up) -> Self {
        let channel = up.channel("enterprise", &uscc(COUNTY));
        Self { client: EnterpriseServiceClient::new(channel), next: AtomicU32::new(1_000) }
    }

    /// What it is answered meanwhile, and how fast; each answer is the receipt of a new event.
    pub(crate) async fn measured<T>(&self, meanwhile: impl Future<Output = T>) -> (Latencies, T) {
        let mut calls = JoinSet::new();
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut meanwhile = std::pin::pin!(meanwhile);
        let outcome = loop {
            tokio::select! {
                outcome = &mut meanwhile => break outcome,
                due = ticks.tick() => calls.spawn(self.register(due)),
            };
        };
        (Latencies(calls.join_all().await), outcome)
    }

    fn register(&self, due: Instant) -> impl Future<Output = Duration> + Send + 'static {
        let enterprise = Enterprise {
            division: PLACE.to_owned(),
            ..Registered::plant(&uscc(self.next.fetch_add(1, Ordering::Relaxed)))
        };
        let request = RegisterEnterpriseRequest {
            command_id: new_id(),
            enterprise: Some(enterprise),
            ..RegisterEnterpriseRequest::default()
        };
        let mut client = self.client.clone();
        async move {
            client.register_enterprise(request).await.unwrap();
            due.elapsed()
        }
    }
}

impl Latencies {
    /// The median and the slowest of twenty.
    fn key(&self) -> [Duration; 2] {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        [sorted[sorted.len() / 2], sorted[sorted.len() * 19 / 20]]
    }

    pub(crate) fn is_within_twice(&self, before: &Self) -> bool {
        let (mine, theirs) = (self.key(), before.key());
        mine.iter()
            .zip(theirs)
            .zip(FAST)
            .all(|((mine, before), fast)| *mine <= fast.max(before * 2))
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p95] = self.key();
        write!(f, "{} answers, p50 {p50:.1?}, p95 {p95:.1?}", self.0.len())
    }
}
