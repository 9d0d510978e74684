use std::{fs, io::IsTerminal as _, path::Path};

use anyhow::{Context as _, Result};
use onenet_proto::{
    Delivery,
    cloudevents::v1::{CloudEvent, cloud_event::cloud_event_attribute_value::Attr},
    exchange::v1::{
        Beginning, Filter, SubscribeRequest, exchange_service_client::ExchangeServiceClient,
        subscribe_request::Start, subscribe_response::Message,
    },
};

use super::asked_to_stop;
use crate::{
    cli::{Watch, complain, say},
    client,
};

/// What a subscription receives, one line an event, until it is asked to stop.
pub(crate) async fn run(options: Watch) -> Result<()> {
    let mut client = ExchangeServiceClient::new(client::connect(&options.node).await?);
    let kept = options.resume.as_deref().map(kept_token).transpose()?.flatten();
    let start = kept.map_or(Start::Beginning(Beginning {}), Start::ResumeToken);
    // the node refuses a type it does not share, so short names are narrowed here
    let filter = Filter { subtree: options.subtree, subject: options.subject, ..Filter::default() };
    // one by one where they are counted: a token must not cover an event that was not shown
    let max_batch = options.count.map_or(0, |_| 1);
    let request = SubscribeRequest { start: Some(start), filter: Some(filter), max_batch };
    let mut stream = client.subscribe(request).await?.into_inner();
    let is_coloured = std::io::stdout().is_terminal();
    let mut seen = 0;
    loop {
        let response = tokio::select! {
            response = stream.message() => response?.context("the node ended the stream")?,
            asked = asked_to_stop() => return asked,
        };
        let token = match response.message {
            Some(Message::Subscribed(subscribed)) => {
                complain(&format!("订阅 / subscription {}", subscribed.subscription_id));
                subscribed.resume_token
            }
            Some(Message::Progress(progress)) => progress.resume_token,
            Some(Message::Batch(batch)) => {
                for delivery in &batch.deliveries {
                    let event = delivery.event.as_ref();
                    let is_wanted = event.is_some_and(|event| {
                        options.types.is_empty()
                            || options
                                .types
                                .iter()
                                .any(|name| event.r#type.ends_with(name.as_str()))
                    });
                    if is_wanted {
                        say(&line(delivery, is_coloured));
                        seen += 1;
                    }
                }
                batch.resume_token
            }
            None => continue,
        };
        if let Some(file) = &options.resume {
            keep_token(file, &token)?;
        }
        if options.count.is_some_and(|count| seen >= count) {
            return Ok(());
        }
    }
}

fn line(delivery: &Delivery, is_coloured: bool) -> String {
    let event = delivery.event.clone().unwrap_or_default();
    let name = event.r#type.rsplit('.').next().unwrap_or_default();
    // green for what was registered, yellow for hazards, red for penalties and listings
    let colour = match event.source.rsplit('/').next() {
        Some("hazard") => "\u{1b}[33m",
        Some("enforcement" | "credit") => "\u{1b}[31m",
        _ => "\u{1b}[32m",
    };
    let (on, off) = if is_coloured { (colour, "\u{1b}[0m") } else { ("", "") };
    format!(
        "{} {on}{name}{off} {} {} {}",
        delivery.sequence,
        attribute(&event, "subject"),
        attribute(&event, "division"),
        attribute(&event, "industry")
    )
}

fn attribute<'a>(event: &'a CloudEvent, name: &str) -> &'a str {
    match event.attributes.get(name).and_then(|value| value.attr.as_ref()) {
        Some(Attr::CeString(text)) => text,
        _ => "-",
    }
}

fn kept_token(file: &Path) -> Result<Option<String>> {
    if !file.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    Ok(Some(text.trim().to_owned()).filter(|token| !token.is_empty()))
}

/// Beside the old one and then in its place: a token is never half.
fn keep_token(file: &Path, token: &str) -> Result<()> {
    let new = file.with_extension("new");
    fs::write(&new, token)
        .and_then(|()| fs::rename(&new, file))
        .with_context(|| format!("writing {}", file.display()))
}
