use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use onenet_chassis::testing::{elsewhere::Registered, uscc};
use onenet_proto::{
    common::v1::Receipt,
    enterprise::v1::{
        DesignateKeyEnterpriseRequest, Enterprise, GetEnterpriseRequest, RegisterEnterpriseRequest,
    },
};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use uuid::Uuid;

use crate::{
    ask::{ANSWER_WITHIN, Ask, Caller, timed},
    history::{Read, Recorder},
    setup::PLACE,
};

/// USCC serials of one writer; they have seven digits.
const SERIALS: u32 = 1_000_000;
/// Serials below it belong to public bodies and agencies.
const FIRST: u32 = 1_000;
/// Between two commands of one writer, at most.
const PAUSE: Duration = Duration::from_millis(50);
/// Before the same command is sent again.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// An organisation's programme that asks and asks: registers, designates, sends again, reads back.
pub(crate) struct Writer {
    caller: Caller,
    recorder: Arc<Recorder>,
    chance: Rng,
    next: u32,
    plain: Vec<u32>,
    done: Vec<Done>,
}

/// A command that was acknowledged.
struct Done {
    id: Uuid,
    ask: Ask,
    serial: u32,
    receipt: Receipt,
}

impl Writer {
    pub(crate) fn new(number: u32, caller: Caller, recorder: Arc<Recorder>, chance: Rng) -> Self {
        let next = number * SERIALS + FIRST;
        Self { caller, recorder, chance, next, plain: Vec::new(), done: Vec::new() }
    }

    /// Until it is told to stop.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.chance.u8(..100) {
                0..50 => self.register(&stop).await,
                50..70 => self.designate(&stop).await,
                70..76 => self.register_otherwise(&stop).await,
                76..84 => self.send_again().await,
                _ => self.read_back().await,
            }
            let pause = PAUSE.mul_f64(self.chance.f64());
            stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    async fn register(&mut self, stop: &CancellationToken) {
        let serial = self.next;
        self.next += 1;
        if self.ask(registration(serial, "中原区"), serial, stop).await {
            self.plain.push(serial);
        }
    }

    async fn designate(&mut self, stop: &CancellationToken) {
        if self.plain.is_empty() {
            return;
        }
        let serial = self.plain.swap_remove(self.chance.usize(..self.plain.len()));
        let ask = DesignateKeyEnterpriseRequest {
            enterprise: uscc(serial),
            basis: "重点监管企业名录".to_owned(),
            ..DesignateKeyEnterpriseRequest::default()
        };
        self.ask(Ask::Designate(ask), serial, stop).await;
    }

    /// One that is registered with other content, which is refused.
    async fn register_otherwise(&mut self, stop: &CancellationToken) {
        if let Some(&serial) = self.chance.choice(&self.plain) {
            self.ask(registration(serial, "别处"), serial, stop).await;
        }
    }

    /// A command that was acknowledged, as a caller does that forgot: the answer is the first one.
    async fn send_again(&mut self) {
        if let Some(done) = self.chance.choice(&self.done) {
            self.caller.attempt(&self.recorder, &done.ask, done.id).await.ok();
        }
    }

    /// What a command did, as fresh as its receipt.
    async fn read_back(&mut self) {
        let Some(done) = self.chance.choice(&self.done) else { return };
        let fresh_as = vec![done.receipt.clone()];
        let request = GetEnterpriseRequest { fresh_as, uscc: uscc(done.serial) };
        let mut client = self.caller.enterprises();
        let reading = client.get_enterprise(timed(request));
        let saw = match tokio::time::timeout(ANSWER_WITHIN, reading).await {
            Ok(Ok(answer)) => answer.into_inner().enterprise.map(|view| view.version),
            Ok(Err(status)) if status.code() == Code::NotFound => None,
            // no answer shows nothing, neither fresh nor stale
            Ok(Err(_)) | Err(_) => return,
        };
        let (stream, asked) = (done.receipt.stream_id.clone(), done.receipt.version);
        self.recorder.read(Read { stream, asked, saw });
    }

    /// Sends it until there is an answer that will not change; of those that were not answered, every
    /// third is given up at once. Answers whether it was acknowledged.
    async fn ask(&mut self, ask: Ask, serial: u32, stop: &CancellationToken) -> bool {
        let id = new_id(&mut self.chance);
        let gives_up = self.chance.u8(..3) == 0;
        loop {
            match self.caller.attempt(&self.recorder, &ask, id).await {
                Ok(receipt) => {
                    self.done.push(Done { id, ask, serial, receipt });
                    return true;
                }
                Err(status) if is_final(status.code()) || gives_up => return false,
                Err(_) => {}
            }
            if stop.run_until_cancelled(tokio::time::sleep(AGAIN_AFTER)).await.is_none() {
                return false;
            }
        }
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

fn registration(serial: u32, address: &str) -> Ask {
    let enterprise = Enterprise {
        division: PLACE.to_owned(),
        address: address.to_owned(),
        ..Registered::plant(&uscc(serial))
    };
    let enterprise = Some(enterprise);
    Ask::Register(RegisterEnterpriseRequest { enterprise, ..RegisterEnterpriseRequest::default() })
}

/// The ids of a seed are the same in each of its runs.
pub(crate) fn new_id(chance: &mut Rng) -> Uuid {
    uuid::Builder::from_random_bytes(chance.u128(..).to_le_bytes()).into_uuid()
}
