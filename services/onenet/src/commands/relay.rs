use anyhow::{Context as _, Result, ensure};
use onenet_chassis::{config::Settings, tools};
use onenet_kafka::{relay_status, republish};

use crate::{
    cli::{Relay, RelayWhat, say},
    contexts,
};

const NO_KAFKA: &str =
    "these settings name no Kafka: there is nothing that a relay would publish to";

/// Where the relays are, and what to do for a topic that was damaged.
pub(crate) async fn run(options: Relay) -> Result<()> {
    let settings = Settings::read(&options.settings.config)?;
    match options.what {
        RelayWhat::Status => status(&settings).await,
        RelayWhat::Republish { context } => again(&settings, &context).await,
    }
}

async fn status(settings: &Settings) -> Result<()> {
    let mut lost = 0;
    for context in contexts::all() {
        let (log, cluster, topics) = tools(&context, settings).await?;
        let cluster = cluster.context(NO_KAFKA)?;
        let status = relay_status(&log, &cluster, &topics).await?;
        let published = status.published.map_or_else(|| "—".to_owned(), |at| at.number.to_string());
        say(&format!(
            "{}: 日志 / log {}, 已发布 / published {published}, 滞后 / lag {}",
            context.name,
            status.head.number,
            status.lag()
        ));
        lost += status.lost();
    }
    ensure!(
        lost == 0,
        "日志缺少 {lost} 个已发布的事件 / the logs have lost {lost} published events: stop every process of \
         the node, run `onenet recover`, and see docs/runbooks/restoring.md"
    );
    Ok(())
}

async fn again(settings: &Settings, context: &str) -> Result<()> {
    for context in contexts::chosen(Some(context))? {
        let (log, cluster, topics) = tools(&context, settings).await?;
        let cluster = cluster.context(NO_KAFKA)?;
        let kafka = settings.kafka.as_ref().context(NO_KAFKA)?;
        let beside = (context.beside)(kafka);
        let count = republish(&log, &cluster, &topics, context.mapping, &beside).await?;
        say(&format!(
            "{}: {count} 条最新状态已重新发布 / newest records written again",
            context.name
        ));
    }
    Ok(())
}
