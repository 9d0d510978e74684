use std::time::Duration;

use onenet_chassis::testing::{elsewhere::Registered, uscc};
use onenet_proto::{
    common::v1::Receipt,
    enterprise::v1::{
        DesignateKeyEnterpriseRequest, Enterprise, GetEnterpriseRequest, RegisterEnterpriseRequest,
        enterprise_service_client::EnterpriseServiceClient,
    },
};
use tonic::{Code, Status};

use crate::{
    ask::{answered, timed},
    asker::Asker,
    history::Read,
    seen::Context,
    setup::{INDUSTRY, PLACE},
};

/// USCC serials of one writer; they have seven digits.
const SERIALS: u32 = 400_000;
/// Serials below it belong to public bodies and agencies.
const FIRST: u32 = 1_000;
/// Between two commands of one writer, at most.
const PAUSE: Duration = Duration::from_millis(50);

/// An organisation's programme that asks and asks: registers, designates, sends again, reads back.
pub(crate) struct Writer {
    asker: Asker,
    plants: Plants,
    plain: Vec<u32>,
}

impl Writer {
    pub(crate) fn new(number: u32, asker: Asker) -> Self {
        Self { asker, plants: Plants::of(number), plain: Vec::new() }
    }

    /// Until it is told to stop.
    pub(crate) async fn run(mut self) {
        while !self.asker.stop.is_cancelled() {
            match self.asker.chance.u8(..100) {
                0..50 => self.register().await,
                50..70 => self.designate().await,
                70..76 => self.register_otherwise().await,
                76..84 => self.asker.send_again().await,
                _ => {
                    self.read_back().await.ok();
                }
            }
            self.asker.pause_at_most(PAUSE).await;
        }
    }

    async fn register(&mut self) {
        let (serial, registered) = self.plants.register(&mut self.asker).await;
        if registered.is_some() {
            self.plain.push(serial);
        }
    }

    async fn designate(&mut self) {
        if self.plain.is_empty() {
            return;
        }
        let nth = self.asker.chance.usize(..self.plain.len());
        let ask = DesignateKeyEnterpriseRequest {
            enterprise: uscc(self.plain.swap_remove(nth)),
            basis: "重点监管企业名录".to_owned(),
            ..DesignateKeyEnterpriseRequest::default()
        };
        self.asker.ask(ask).await;
    }

    /// One that is registered with other content, which is refused.
    async fn register_otherwise(&mut self) {
        if let Some(&serial) = self.asker.chance.choice(&self.plain) {
            self.asker.ask(registration(serial, PLACE, INDUSTRY, "别处")).await;
        }
    }

    /// What a command did, as fresh as its receipt.
    async fn read_back(&mut self) -> Result<(), Status> {
        let Some(done) = self.asker.any_done() else { return Ok(()) };
        let Receipt { stream_id: stream, version: asked, .. } = done.receipt.clone();
        let uscc = stream.trim_start_matches("enterprise-").to_owned();
        let request = timed(GetEnterpriseRequest { fresh_as: vec![done.receipt], uscc });
        let channel = self.asker.caller.channel(Context::Enterprise)?;
        let saw =
            match answered(EnterpriseServiceClient::new(channel).get_enterprise(request)).await {
                Ok(answer) => answer.enterprise.map(|view| view.version),
                Err(status) if status.code() == Code::NotFound => None,
                // no answer shows nothing, neither fresh nor stale
                Err(status) => return Err(status),
            };
        self.asker.read(Read { stream, asked, saw });
        Ok(())
    }
}

/// Enterprises that one programme registers, one after the other.
pub(crate) struct Plants {
    next: u32,
}

impl Plants {
    pub(crate) fn of(number: u32) -> Self {
        Self { next: first(number) }
    }

    /// The next one, and the receipt of its registration if there was one.
    pub(crate) async fn register(&mut self, asker: &mut Asker) -> (u32, Option<Receipt>) {
        let serial = self.next;
        self.next += 1;
        (serial, asker.ask(registration(serial, PLACE, INDUSTRY, "中原区")).await)
    }
}

/// The first serial of a programme.
pub(crate) fn first(number: u32) -> u32 {
    number * SERIALS + FIRST
}

/// A plant somewhere.
pub(crate) fn registration(
    serial: u32,
    division: &str,
    industry: &str,
    address: &str,
) -> RegisterEnterpriseRequest {
    let enterprise = Enterprise {
        division: division.to_owned(),
        industry: industry.to_owned(),
        address: address.to_owned(),
        ..Registered::plant(&uscc(serial))
    };
    let enterprise = Some(enterprise);
    RegisterEnterpriseRequest { enterprise, ..RegisterEnterpriseRequest::default() }
}
