use std::fs;

use anyhow::{Context as _, Result};
use onenet_chassis::{Role, Telemetry, clock::NodeClock};

use super::{
    heard_to_stop,
    private::{Own, Travel, Wanted},
};
use crate::{
    cli::{Up, complain, say},
    contexts,
};

/// Everything in one process, until it is asked to stop.
pub(crate) async fn run(options: Up) -> Result<()> {
    fs::create_dir_all(&options.data)
        .with_context(|| format!("creating {}", options.data.display()))?;
    complain("正在启动 / starting");
    let own = Own::start(Wanted {
        folder: &options.data,
        node: &options.node,
        operator: &options.operator,
        readers: &options.reader,
        listen: Some(options.listen),
        otlp: options.otlp.clone(),
        metrics: options.metrics,
        travel: match options.kafka.clone() {
            None => Travel::Embedded,
            Some(word) if word == "private" => Travel::Private,
            Some(brokers) => Travel::Brokers(brokers),
        },
    })
    .await?;
    let telemetry = Telemetry::start(&own.node.settings().telemetry, "up")?;
    let settings = own.node.write_settings()?;
    let operator = own.node.organisation(&options.operator)?;
    let mut running = own.node.start(contexts::all(), &Role::ALL, NodeClock::new()).await?;
    // before it says that it is ready: whoever reads that may ask it to stop
    let asked = heard_to_stop()?;
    say(&format!(
        "节点 {} 已就绪 / the node is ready\n  gRPC        https://{}\n  PostgreSQL  {}\n  Kafka       {}\n  \
         settings    {}\n  authority   {}\n  operator    {} ({})\n\
         Ctrl-C 停止 / stops it. 其他单位的证书 / certificates of others: onenet certificate <USCC> --data {}",
        options.node,
        running.address,
        own.postgres(),
        own.kafka().unwrap_or("— 内嵌 / embedded"),
        settings.display(),
        own.node.authority().display(),
        operator.certificate.display(),
        options.operator,
        options.data.display(),
    ));
    let outcome = tokio::select! {
        // a part could not go on
        ended = running.ended() => ended,
        () = asked => {
            complain("正在停止 / stopping");
            running.stop().await
        }
    };
    telemetry.stop().await;
    Ok(outcome?)
}
