use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use onenet_proto::{
    cloudevents::v1::{CloudEvent, cloud_event::Data},
    exchange::v1::{
        Beginning, SubscribeRequest, exchange_service_client::ExchangeServiceClient,
        subscribe_request::Start, subscribe_response::Message,
    },
};
use tonic::{Status, transport::Channel};
use uuid::Uuid;

use crate::seen::{Content, Delivered, Sighting};

/// While anything moves, the node says something every second: after so long it has nothing to say, or is not
/// there any more. Either way the subscription is resumed.
const SILENT_WITHIN: Duration = Duration::from_secs(10);
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// What an agency has received, with the token that covers it.
#[derive(Default)]
pub(crate) struct Inbox(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    token: Option<String>,
    received: Vec<Delivered>,
    breaks: u64,
    /// The node had nothing more to send when so many had been received.
    idle_at: Option<usize>,
}

impl Inbox {
    pub(crate) fn received(&self) -> Vec<Delivered> {
        self.with(|kept| kept.received.clone())
    }

    /// How often the stream broke and was resumed.
    pub(crate) fn breaks(&self) -> u64 {
        self.with(|kept| kept.breaks)
    }

    /// Whether at least so many were received, and the node says that there is nothing more.
    pub(crate) fn is_at_rest(&self, count: usize) -> bool {
        self.with(|kept| kept.received.len() >= count && kept.idle_at == Some(kept.received.len()))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A batch and its token are kept together, as a subscriber's database would.
    fn keep(&self, message: Message) -> Result<(), Status> {
        let (token, new, is_idle) = match message {
            Message::Subscribed(subscribed) => (subscribed.resume_token, Vec::new(), false),
            Message::Progress(progress) => (progress.resume_token, Vec::new(), true),
            Message::Batch(batch) => {
                let new = batch.deliveries.into_iter().map(|delivery| {
                    let event = delivery.event.unwrap_or_default();
                    Ok(Delivered { sequence: delivery.sequence, sighting: sighting(event)? })
                });
                (batch.resume_token, new.collect::<Result<Vec<_>, Status>>()?, false)
            }
        };
        self.with(|kept| {
            kept.token = Some(token);
            kept.received.extend(new);
        });
        if is_idle {
            self.rest();
        }
        Ok(())
    }

    /// The node has nothing more for now.
    fn rest(&self) {
        self.with(|kept| kept.idle_at = Some(kept.received.len()));
    }
}

fn sighting(event: CloudEvent) -> Result<Sighting, Status> {
    let no_event = || Status::data_loss("a delivery that is no event");
    let Some(Data::BinaryData(data)) = event.data else { return Err(no_event()) };
    let id = Uuid::parse_str(&event.id).map_err(|_malformed| no_event())?;
    Ok(Sighting { event: id, place: None, content: Content::of(&data) })
}

/// One subscription from its beginning, resumed after each break with the token last kept; until this is
/// dropped.
pub(crate) async fn subscribe(channel: Channel, inbox: Arc<Inbox>) {
    loop {
        if let Err(status) = receive(&channel, &inbox).await {
            tracing::debug!(error = &status as &dyn std::error::Error, "the subscription broke");
        }
        inbox.with(|kept| kept.breaks += 1);
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

async fn receive(channel: &Channel, inbox: &Inbox) -> Result<(), Status> {
    let token = inbox.with(|kept| kept.token.clone());
    let start = token.map_or(Start::Beginning(Beginning {}), Start::ResumeToken);
    let request = SubscribeRequest { start: Some(start), filter: None, max_batch: 50 };
    let mut client = ExchangeServiceClient::new(channel.clone());
    let silent = |_| Status::deadline_exceeded("silent");
    let subscribing = tokio::time::timeout(SILENT_WITHIN, client.subscribe(request));
    let mut stream = subscribing.await.map_err(silent)??.into_inner();
    loop {
        let Ok(next) = tokio::time::timeout(SILENT_WITHIN, stream.message()).await else {
            inbox.rest();
            return Ok(());
        };
        let response = next?.ok_or_else(|| Status::unavailable("the node ended the stream"))?;
        if let Some(message) = response.message {
            inbox.keep(message)?;
        }
    }
}
