use std::{sync::Arc, time::Duration};

use jiff::civil::date;
use onenet_chassis::{
    Role,
    private::{PrivateNode, Running},
    testing::{
        self, TestClock,
        elsewhere::{Registered, say, silent},
        uscc,
    },
};
use onenet_kernel::{Key, NewEvent, StreamId};
use onenet_proto::{
    cloudevents::v1::{CloudEvent, cloud_event::Data},
    common::v1::Receipt,
    enterprise::v1::Tier,
    exchange::v1::{
        Agency, Batch, Beginning, GiveGrantRequest, GrantTerms, RegisterAgencyRequest,
        ReplaceAgencyCertificatesRequest, SubscribeRequest, SubscribeResponse,
        exchange_service_client::ExchangeServiceClient, subscribe_request::Start,
        subscribe_response::Message,
    },
};
use tonic::{Status, Streaming, transport::Channel};

/// The authority of the province, which opens its area to agencies.
pub(crate) const BUREAU: u32 = 1;
pub(crate) const IDENTIFIED: &str = "onenet.hazard.v1.MajorHazardIdentified";
pub(crate) const FILED: &str = "onenet.hazard.v1.MajorHazardFiled";

/// A node with exchange running beside contexts that only say what a test makes them say.
pub(crate) struct World {
    pub(crate) node: PrivateNode,
    pub(crate) running: Running,
    _folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = onenet_devservers::shared_postgres().unwrap();
        let kafka = onenet_devservers::shared_kafka().unwrap();
        let node = testing::node(folder.path(), postgres, kafka).await.unwrap();
        let contexts = || {
            let others = ["enterprise", "hazard", "enforcement", "credit"].into_iter().map(silent);
            others.chain([onenet_exchange::context()]).collect::<Vec<_>>()
        };
        node.prepare(&contexts()).await.unwrap();
        let clock = TestClock::at(date(2026, 11, 24));
        let running = node.start(contexts(), &Role::ALL, Arc::clone(&clock) as _).await.unwrap();
        let world = Self { node, running, _folder: folder };
        for code in ["41", "4101", "410102", "4102"] {
            world.register(Registered::division(code)).await;
        }
        let bureau = Registered::body(&uscc(BUREAU), Tier::Province, "41");
        world.register(Registered::Organisation(bureau)).await;
        world
    }

    /// Says something in the name of the register.
    pub(crate) async fn register(&self, known: Registered) {
        say(&self.node, "enterprise", &known.stream(), known.event()).await.unwrap();
    }

    /// Says something in the name of the hazard context.
    pub(crate) async fn hazard(&self, id: u32, name: &str, subject: &str, place: (&str, &str)) {
        let stream = StreamId::new("major_hazard", &id.to_string());
        let payload = format!("hazard {id}").into_bytes();
        self.says(&stream, name, subject, place, payload).await;
    }

    /// The same of any stream and with any payload.
    pub(crate) async fn says(
        &self,
        stream: &StreamId,
        name: &str,
        subject: &str,
        (division, industry): (&str, &str),
        payload: Vec<u8>,
    ) {
        let key = Key {
            subject: subject.to_owned(),
            division: division.to_owned(),
            industry: industry.to_owned(),
        };
        let event = NewEvent { event_type: name.to_owned().into(), payload: payload.into(), key };
        say(&self.node, "hazard", stream, event).await.unwrap();
    }

    pub(crate) fn client(&self, serial: u32) -> ExchangeServiceClient<Channel> {
        let channel = self.node.connect(self.running.address, Some(&uscc(serial))).unwrap();
        ExchangeServiceClient::new(channel)
    }

    pub(crate) fn fingerprint(&self, serial: u32) -> String {
        self.node.fingerprint(&uscc(serial)).unwrap()
    }

    pub(crate) fn agency(&self, serial: u32) -> Agency {
        Agency {
            uscc: uscc(serial),
            name: "行业主管部门".to_owned(),
            division: "41".to_owned(),
            certificate_sha256: vec![self.fingerprint(serial)],
        }
    }

    /// Registers an agency, once the bureau is known here.
    pub(crate) async fn register_agency(&self, serial: u32) {
        let request = RegisterAgencyRequest {
            command_id: new_id(),
            agency: Some(self.agency(serial)),
            ..Default::default()
        };
        self.patiently(async || {
            self.client(BUREAU).register_agency(request.clone()).await.map(drop)
        })
        .await;
    }

    /// Puts other certificates in place of an agency's.
    pub(crate) async fn replace_certificates<const N: usize>(
        &self,
        serial: u32,
        certificates: [&String; N],
    ) -> Result<Receipt, Status> {
        let request = ReplaceAgencyCertificatesRequest {
            command_id: new_id(),
            agency: uscc(serial),
            certificate_sha256: certificates.map(Clone::clone).to_vec(),
            reason: "证书到期".to_owned(),
            ..Default::default()
        };
        let answer = self.client(BUREAU).replace_agency_certificates(request).await?;
        Ok(answer.into_inner().receipt.unwrap())
    }

    /// Gives a grant and answers its id.
    pub(crate) async fn grant(&self, serial: u32, terms: GrantTerms) -> String {
        let request = GiveGrantRequest {
            command_id: new_id(),
            agency: uscc(serial),
            terms: Some(terms),
            ..Default::default()
        };
        let given = self.client(BUREAU).give_grant(request).await.unwrap().into_inner();
        given.grant_id
    }

    /// A subscription from the beginning, once its rights are known here.
    pub(crate) async fn subscribe(&self, serial: u32) -> Subscriber {
        let mut subscriber = None;
        self.patiently(async || {
            subscriber = Some(Subscriber::open(self.client(serial), beginning()).await?);
            Ok(())
        })
        .await;
        subscriber.unwrap()
    }

    /// What depends on facts that are on their way: tried for a minute.
    pub(crate) async fn patiently(&self, mut attempt: impl AsyncFnMut() -> Result<(), Status>) {
        let mut last = Ok(());
        for _ in 0..600 {
            last = attempt().await;
            if last.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        last.unwrap();
    }
}

pub(crate) fn beginning() -> SubscribeRequest {
    SubscribeRequest { start: Some(Start::Beginning(Beginning {})), ..Default::default() }
}

pub(crate) fn resume(token: &str) -> SubscribeRequest {
    SubscribeRequest { start: Some(Start::ResumeToken(token.to_owned())), ..Default::default() }
}

pub(crate) fn new_id() -> String {
    onenet_eventstore::testing::new_id().to_string()
}

/// Hazards of an industry under a division.
pub(crate) fn terms(subtree: &str, industries: &[&str]) -> GrantTerms {
    GrantTerms {
        event_types: vec![IDENTIFIED.to_owned(), FILED.to_owned()],
        subtree: subtree.to_owned(),
        industries: industries.iter().map(|&prefix| prefix.to_owned()).collect(),
        purpose: "行业监管".to_owned(),
        legal_basis: "政务数据共享条例".to_owned(),
        from_on: "2026-01-01".to_owned(),
        to_on: None,
    }
}

/// The bytes of an event.
pub(crate) fn data(event: &CloudEvent) -> &[u8] {
    match &event.data {
        Some(Data::BinaryData(data)) => data,
        _ => unreachable!("an event without its bytes"),
    }
}

/// A subscriber and what it has kept.
pub(crate) struct Subscriber {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) sequence: u64,
    stream: Streaming<SubscribeResponse>,
}

impl Subscriber {
    pub(crate) async fn open(
        mut client: ExchangeServiceClient<Channel>,
        request: SubscribeRequest,
    ) -> Result<Self, Status> {
        let mut stream = client.subscribe(request).await?.into_inner();
        let first = stream.message().await?.and_then(|response| response.message);
        let Some(Message::Subscribed(subscribed)) = first else {
            unreachable!("the first message is {first:?}");
        };
        let (id, token) = (subscribed.subscription_id, subscribed.resume_token);
        Ok(Self { id, token, sequence: 0, stream })
    }

    pub(crate) async fn message(&mut self) -> Result<Message, Status> {
        let wait = tokio::time::timeout(Duration::from_mins(1), self.stream.message());
        let response =
            wait.await.map_err(|_elapsed| Status::cancelled("nothing came for a minute"))??;
        let message = response.and_then(|response| response.message);
        match &message {
            Some(Message::Batch(Batch { resume_token, .. })) => self.token.clone_from(resume_token),
            Some(Message::Progress(progress)) => self.token.clone_from(&progress.resume_token),
            _ => {}
        }
        message.ok_or_else(|| Status::cancelled("the stream ended"))
    }

    /// The next `count` deliveries as type and payload.
    pub(crate) async fn deliveries(&mut self, count: usize) -> Vec<(String, String)> {
        let events = self.events(count).await.into_iter();
        let text = |event: CloudEvent| {
            let data = String::from_utf8(data(&event).to_vec()).unwrap();
            (event.r#type, data)
        };
        events.map(text).collect()
    }

    /// The next `count` deliveries; sequences have no gap.
    pub(crate) async fn events(&mut self, count: usize) -> Vec<CloudEvent> {
        let mut seen = Vec::new();
        while seen.len() < count {
            let Message::Batch(batch) = self.message().await.unwrap() else { continue };
            for delivery in batch.deliveries {
                assert_eq!(delivery.sequence, self.sequence + 1, "a gap or a repetition");
                self.sequence = delivery.sequence;
                let event = delivery.event.unwrap();
                for hidden in ["streamid", "streamversion", "logposition", "commandid", "issuer"] {
                    assert!(!event.attributes.contains_key(hidden), "{hidden} is told");
                }
                seen.push(event);
            }
        }
        seen
    }

    /// Waits for the token to move without anything being delivered.
    pub(crate) async fn progress(&mut self) {
        let message = self.message().await.unwrap();
        assert!(matches!(message, Message::Progress(_)), "{message:?}");
    }

    /// Waits for the end of the stream.
    pub(crate) async fn end(&mut self) -> Status {
        loop {
            if let Err(status) = self.message().await {
                return status;
            }
        }
    }
}
