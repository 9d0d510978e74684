use std::{ops::Range, sync::Arc, time::Duration};

use onenet_chassis::{day::SystemClock, testing::uscc};
use onenet_kernel::Clock as _;
use onenet_proto::exchange::v1::{
    Beginning, ReplaceAgencyCertificatesRequest, SubscribeRequest,
    exchange_service_client::ExchangeServiceClient, subscribe_request::Start,
};
use tonic::transport::Channel;

use crate::{
    ask::answered,
    asker::Asker,
    inbox::Inbox,
    province::known,
    rights::Knock,
    subscriber::{Refusal, refusal},
    terms::Rights,
};

/// Milliseconds for which both certificates are registered, and for which one alone is.
const BOTH: Range<u64> = 1_000..4_000;
const ONE: Range<u64> = 4_000..8_000;

/// The authority that has an agency go over from one of two certificates to the other, again and again; and somebody
/// who comes with the one that was replaced.
pub(crate) struct Certificates {
    asker: Asker,
    agency: u32,
    /// SHA-256 of each.
    fingerprints: [String; 2],
    /// A connection with each.
    channels: [Channel; 2],
    inbox: Arc<Inbox>,
    rights: Arc<Rights>,
}

impl Certificates {
    pub(crate) fn new(
        asker: Asker,
        agency: u32,
        (fingerprints, channels): ([String; 2], [Channel; 2]),
        inbox: Arc<Inbox>,
        rights: Arc<Rights>,
    ) -> Self {
        Self { asker, agency, fingerprints, channels, inbox, rights }
    }

    /// Until it is told to stop.
    pub(crate) async fn run(mut self) {
        for old in [0, 1].into_iter().cycle() {
            if self.replace(old, 1 - old).await.is_none() {
                return;
            }
        }
    }

    async fn replace(&mut self, old: usize, new: usize) -> Option<()> {
        self.rights.certificates.give(new);
        self.register(&[old, new]).await?;
        self.rights.certificates.given();
        let is_at_once = self.asker.chance.bool();
        self.inbox.come_with(new, is_at_once);
        self.stand(BOTH).await?;

        self.rights.certificates.revoke(|number| *number == old);
        self.register(&[new]).await?;
        self.rights.certificates.revoked();
        self.stand(ONE).await?;
        self.knock(old).await;
        Some(())
    }

    async fn register(&mut self, numbers: &[usize]) -> Option<()> {
        let certificates = numbers.iter().map(|number| self.fingerprints[*number].clone());
        let replace = ReplaceAgencyCertificatesRequest {
            agency: uscc(self.agency),
            certificate_sha256: certificates.collect(),
            reason: "证书到期".to_owned(),
            ..ReplaceAgencyCertificatesRequest::default()
        };
        let receipt = self.asker.insist(replace).await?;
        known(&self.asker, self.agency, &receipt).await
    }

    /// Begins a subscription of its own, which nobody reads.
    async fn knock(&self, certificate: usize) {
        let from = SystemClock.now();
        let start = Some(Start::Beginning(Beginning {}));
        let request = SubscribeRequest { start, ..SubscribeRequest::default() };
        let mut client = ExchangeServiceClient::new(self.channels[certificate].clone());
        let is_let_in = match answered(client.subscribe(request)).await {
            Ok(_) => true,
            Err(status) if refusal(&status) == Some(Refusal::Certificate) => false,
            Err(_) => return,
        };
        self.inbox.knocked(Knock { certificate, from, until: SystemClock.now(), is_let_in });
    }

    async fn stand(&mut self, millis: Range<u64>) -> Option<()> {
        let time = Duration::from_millis(self.asker.chance.u64(millis));
        self.asker.pause(time).await
    }
}
