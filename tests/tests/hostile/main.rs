//! Callers that mean no good, against a node as `onenet up` runs it: others are answered as fast as before,
//! its memory stays bounded, and it goes on afterwards.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

mod attacks;
mod honest;
mod raw;

use std::{future::Future, time::Duration};

use onenet_proto::enterprise::v1::{
    GetEnterpriseRequest, enterprise_service_client::EnterpriseServiceClient,
};
use onenet_tests::{
    actors::{Actors, COUNTY, PLATFORM, Reach as _},
    up::Up,
};

use rustix::{
    process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit},
    thread::gettid,
};
use tokio::runtime::{Handle, Runtime};

use crate::{attacks::Attacker, honest::Honest};

/// What a caller is measured for before an attack; an attack goes on as long, at least.
pub(crate) const MEASURED_FOR: Duration = Duration::from_secs(2);
const TRIES: usize = 3;
/// What an attack may cost in memory of the node, in MiB; a build for development.
const MEMORY: u64 = 300;

/// The node, an honest caller of it and a hostile one.
struct World {
    up: Up,
    honest: Honest,
    attacker: Attacker,
    hostile: Handle,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start(hostile: Handle) -> Self {
        open_many_files();
        let folder = tempfile::tempdir().unwrap();
        let up = Up::start(folder.path(), &[]).await;
        let actors = Actors(&up);
        actors.register_public_side().await;
        actors.register_enterprise(100, "2614").await;
        actors.open_to(PLATFORM, &["onenet.enterprise.v1.EnterpriseRegistered"]).await;
        let (honest, attacker) = (Honest::of(&up), Attacker::of(&up));
        Self { up, honest, attacker, hostile, _folder: folder }
    }

    /// What is done to the node costs others nothing, and the node little. The machine may be busy with other
    /// things meanwhile: an attack that slows others down does so every time.
    async fn bears<F>(&self, attack: &str, attacking: impl Fn(Attacker) -> F) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let mut told = Vec::new();
        for _ in 0..TRIES {
            let before = self.honest.measured(tokio::time::sleep(MEASURED_FOR)).await.0;
            let memory_before = self.up.resident();
            let (during, outcome) =
                self.honest.measured(self.hostile.spawn(attacking(self.attacker.clone()))).await;
            let memory = self.up.resident().saturating_sub(memory_before);
            told.push(format!("before {before}; meanwhile {during}; {memory} MiB more"));
            assert!(memory <= MEMORY, "{attack}: {told:#?}");
            self.answers().await;
            if during.is_within_twice(&before) {
                return outcome.unwrap();
            }
        }
        unreachable!("{attack}: {told:#?}")
    }

    /// Somebody who comes now is let in and answered.
    async fn answers(&self) {
        let mut client = EnterpriseServiceClient::new(
            self.up.channel("enterprise", &onenet_chassis::testing::uscc(COUNTY)),
        );
        let uscc = onenet_chassis::testing::uscc(100);
        let ask = GetEnterpriseRequest { fresh_as: Vec::new(), uscc };
        let answer = client.get_enterprise(ask).await.unwrap().into_inner();
        assert_eq!(answer.enterprise.unwrap().version, 1);
    }
}

/// Thousands of connections are this process's files, too.
fn open_many_files() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}

/// Attacks come from elsewhere: what they cost whoever makes them is not to slow others down.
fn elsewhere() -> Runtime {
    let least = || setpriority_process(Some(gettid()), 19).unwrap();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().on_thread_start(least).build().unwrap()
}

#[test]
fn hostile_callers_cost_others_nothing() {
    let (here, elsewhere) = (Runtime::new().unwrap(), elsewhere());
    here.block_on(attacked(elsewhere.handle().clone()));
}

async fn attacked(hostile: Handle) {
    let world = World::start(hostile).await;
    let slow = world.bears("slow handshakes", Attacker::shakes_hands_slowly).await;
    world.bears("messages of 10 MB", Attacker::sends_large_messages).await;
    world.bears("subscribers that never read", Attacker::never_reads).await;
    world.bears("10,000 resets", Attacker::resets).await;
    world.bears("2,000 idle connections", Attacker::stays_idle).await;
    // begun long ago
    attacks::are_closed(slow).await;
    world.up.stop().await;
}
