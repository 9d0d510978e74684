use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use onenet_proto::common::v1::Receipt;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    ask::{Ask, Caller},
    history::{History, Read, Recorder},
};

/// Before the same is sent again.
const AGAIN_AFTER: Duration = Duration::from_millis(200);
/// Commands that a programme remembers after they were acknowledged.
const REMEMBERED: usize = 64;

/// The programme of an organisation: sends until it is answered, or gives up; sends again what was answered.
pub(crate) struct Asker {
    pub(crate) caller: Caller,
    pub(crate) chance: Rng,
    pub(crate) stop: CancellationToken,
    recorder: Arc<Recorder>,
    done: Vec<Done>,
}

/// A command that was acknowledged.
#[derive(Clone)]
pub(crate) struct Done {
    id: Uuid,
    ask: Ask,
    pub(crate) receipt: Receipt,
}

impl Asker {
    pub(crate) fn new(
        caller: Caller,
        recorder: Arc<Recorder>,
        chance: Rng,
        stop: CancellationToken,
    ) -> Self {
        Self { caller, chance, stop, recorder, done: Vec::new() }
    }

    /// Sends it until there is an answer that will not change; of those that were not answered, every
    /// third is given up at once. Answers the receipt, if there was one.
    pub(crate) async fn ask(&mut self, ask: impl Into<Ask>) -> Option<Receipt> {
        let gives_up = self.chance.u8(..3) == 0;
        self.send(ask.into(), gives_up).await
    }

    /// The same, and is never given up before it is time to stop.
    pub(crate) async fn insist(&mut self, ask: impl Into<Ask>) -> Option<Receipt> {
        self.send(ask.into(), false).await
    }

    async fn send(&mut self, ask: Ask, gives_up: bool) -> Option<Receipt> {
        self.answer(ask, gives_up).await?.ok()
    }

    /// The receipt or the reason why there is none; neither if it is given up, or time to stop.
    pub(crate) async fn answer(
        &mut self,
        ask: impl Into<Ask>,
        gives_up: bool,
    ) -> Option<Result<Receipt, Status>> {
        let (ask, id) = (ask.into(), new_id(&mut self.chance));
        loop {
            match self.caller.attempt(&self.recorder, &ask, id).await {
                Ok(receipt) => {
                    self.remember(Done { id, ask, receipt: receipt.clone() });
                    return Some(Ok(receipt));
                }
                Err(status) if is_final(status.code()) => return Some(Err(status)),
                Err(_) if gives_up => return None,
                Err(_) => self.before_again().await?,
            }
        }
    }

    /// A command that was acknowledged, as a caller does that forgot: the answer is the first one.
    pub(crate) async fn send_again(&mut self) {
        if let Some(done) = self.any_done() {
            self.caller.attempt(&self.recorder, &done.ask, done.id).await.ok();
        }
    }

    /// One of the commands that are remembered.
    pub(crate) fn any_done(&mut self) -> Option<Done> {
        self.chance.choice(&self.done).cloned()
    }

    /// Something was answered beside receipts and fresh reads.
    pub(crate) fn note(&self, note: impl FnOnce(&mut History)) {
        self.recorder.note(note);
    }

    /// A read that asked to be fresh was answered.
    pub(crate) fn read(&self, read: Read) {
        self.recorder.read(read);
    }

    /// The time before something is tried again; none if it is time to stop.
    pub(crate) async fn before_again(&self) -> Option<()> {
        self.pause(AGAIN_AFTER).await
    }

    /// As long as chance says, at most so long; none if it is time to stop.
    pub(crate) async fn pause_at_most(&mut self, most: Duration) -> Option<()> {
        let pause = most.mul_f64(self.chance.f64());
        self.pause(pause).await
    }

    /// None if it is time to stop.
    pub(crate) async fn pause(&self, pause: Duration) -> Option<()> {
        self.stop.run_until_cancelled(tokio::time::sleep(pause)).await
    }

    fn remember(&mut self, done: Done) {
        if self.done.len() == REMEMBERED {
            self.done.swap_remove(self.chance.usize(..REMEMBERED));
        }
        self.done.push(done);
    }
}

/// The business said no.
fn is_final(code: Code) -> bool {
    matches!(
        code,
        Code::AlreadyExists
            | Code::FailedPrecondition
            | Code::InvalidArgument
            | Code::NotFound
            | Code::PermissionDenied
            | Code::Unauthenticated
    )
}

/// The ids of a seed are the same in each of its runs.
pub(crate) fn new_id(chance: &mut Rng) -> Uuid {
    uuid::Builder::from_random_bytes(chance.u128(..).to_le_bytes()).into_uuid()
}
