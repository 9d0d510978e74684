use anyhow::{Context as _, Result, bail};
use onenet_proto::exchange::v1::{
    Beginning, SubscribeRequest, SubscribeResponse, exchange_service_client::ExchangeServiceClient,
    subscribe_request::Start, subscribe_response::Message,
};
use tonic::{Streaming, transport::Channel};

/// The agency's side: what it has received so far.
pub(super) struct Watcher {
    stream: Streaming<SubscribeResponse>,
    received: Vec<String>,
}

impl Watcher {
    /// Subscribes from the beginning.
    pub(super) async fn subscribe(channel: Channel) -> Result<Self> {
        let start = Some(Start::Beginning(Beginning {}));
        let request = SubscribeRequest { start, ..SubscribeRequest::default() };
        let stream = ExchangeServiceClient::new(channel).subscribe(request).await?.into_inner();
        Ok(Self { stream, received: Vec::new() })
    }

    /// Reads on until an event of this type has come; answers everything received, in order.
    pub(super) async fn until(&mut self, event_type: &str) -> Result<&[String]> {
        while !self.received.iter().any(|received| received.ends_with(event_type)) {
            let response = self.stream.message().await?.context("the stream ended")?;
            let Some(Message::Batch(batch)) = response.message else { continue };
            for delivery in batch.deliveries {
                let event = delivery.event.context("a delivery without an event")?;
                if delivery.sequence != self.received.len() as u64 + 1 {
                    bail!("sequence {} is a gap or a repetition", delivery.sequence);
                }
                self.received.push(event.r#type);
            }
        }
        Ok(&self.received)
    }
}
