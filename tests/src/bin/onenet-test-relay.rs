//! A relay for tests to kill: `onenet-test-relay URL SCHEMA BOOTSTRAP PREFIX`. It says on the standard
//! output when a transaction begins and when it is committed.

use std::process::ExitCode;

use onenet_kafka::{Cluster, Relay, events_only};
use onenet_tests::{open_log, topics};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false).init();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, schema, bootstrap, prefix] = words.as_slice() else {
        return ExitCode::from(2);
    };
    let Ok(log) = open_log(url, schema).await else {
        return ExitCode::FAILURE;
    };
    let cluster = Cluster::plain(bootstrap);
    let relay = Relay {
        log,
        cluster,
        topics: topics(prefix),
        mapping: events_only,
        span: |_| tracing::Span::none(),
    };
    match relay.run(CancellationToken::new()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "stopped");
            ExitCode::FAILURE
        }
    }
}
