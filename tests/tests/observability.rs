//! What the documents, the alerts and the dashboard name is what a running node exports, and the other way
//! round.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use onenet_chassis::testing::uscc;
use onenet_proto::{
    enterprise::v1::{GetEnterpriseRequest, enterprise_service_client::EnterpriseServiceClient},
    exchange::v1::{
        Beginning, SubscribeRequest, SubscribeResponse,
        exchange_service_client::ExchangeServiceClient, subscribe_request::Start,
    },
};
use onenet_tests::{
    actors::{Actors, PLATFORM, PROVINCE, Reach, patiently},
    collector::Collector,
    network::{CONTEXTS, Network},
    process::until,
};
use tonic::Streaming;

/// What a name has with Prometheus beside its own: parts of a histogram.
const OF_HISTOGRAMS: [&str; 3] = ["_bucket", "_sum", "_count"];
/// Labels that the scrape adds.
const OF_THE_SCRAPE: [&str; 3] = ["instance", "job", "le"];

/// A metric: its kind and its labels.
#[derive(Debug, Default, PartialEq, Eq)]
struct Metric {
    kind: String,
    labels: BTreeSet<String>,
}

type Metrics = BTreeMap<String, Metric>;

#[tokio::test]
async fn documents_alerts_and_dashboard_name_what_a_node_exports() {
    let (collector, otlp) = Collector::start().await;
    let mut network = Network::start(Some(otlp)).await;
    let actors = Actors(&network);
    actors.register_public_side().await;
    actors.open_to(PLATFORM, &["onenet.enterprise.v1.EnterpriseRegistered"]).await;
    actors.register_enterprise(40, "2614").await;
    refused(&network).await;

    let documented = documented();
    let mut exported = Metrics::new();
    until("everything that is documented", async || {
        exported = gathered(&network);
        documented.keys().all(|name| exported.contains_key(name))
    })
    .await;
    assert_eq!(exported, documented, "left: exported, right: the table in the README");
    let mut subscribed = subscribe(&network).await;
    let counts = [
        "onenet_refusals_total{context=\"enterprise\",reason=\"ERROR_REASON_UNAUTHENTICATED\",\
         rpc=\"onenet.enterprise.v1.EnterpriseService/GetEnterprise\"} 1",
        "onenet_refusals_total{context=\"enterprise\",\
         reason=\"ENTERPRISE_ERROR_REASON_ENTERPRISE_UNKNOWN\",\
         rpc=\"onenet.enterprise.v1.EnterpriseService/GetEnterprise\"} 1",
        "onenet_lease_held{context=\"enterprise\",lease=\"relay\"} 1",
        "onenet_exchange_grants 1",
        "onenet_exchange_subscribers 1",
        "onenet_exchange_subscribers_behind 0",
        "onenet_exchange_deliveries_total{kind=\"whole\"} 1",
        "onenet_exchange_deliveries_total{kind=\"reduced\"} 0",
        "onenet_relay_lag_positions{context=\"enterprise\"} 0",
    ];
    until("every count", async || {
        let texts = CONTEXTS.map(|context| network.watch(context, "/metrics").unwrap().1).concat();
        counts.iter().all(|count| texts.lines().any(|line| line == *count))
    })
    .await;
    subscribed.message().await.unwrap();
    drop(subscribed);
    until("no stream", async || {
        let (_, text) = network.watch("exchange", "/metrics").unwrap();
        text.lines().any(|line| line == "onenet_exchange_subscribers 0")
    })
    .await;
    assert_files(&exported);
    until("every metric at the collector", async || {
        let sent: BTreeSet<String> =
            collector.metrics().into_iter().map(|(_, name)| name).collect();
        sent.iter().filter(|name| name.starts_with("onenet.")).count() == exported.len()
    })
    .await;
    let of_exchange = |(process, name): &(String, String)| {
        process.contains("onenet exchange") && name == "onenet.exchange.grants"
    };
    assert!(collector.metrics().iter().any(of_exchange), "{:?}", collector.metrics());

    network.stop().await;
}

/// One call without a certificate, and one for what is not there.
async fn refused(network: &Network) {
    let nobody = network.node().connect(network.address("enterprise"), None).unwrap();
    let ask = || GetEnterpriseRequest { uscc: uscc(99), ..Default::default() };
    EnterpriseServiceClient::new(nobody).get_enterprise(ask()).await.unwrap_err();
    let known = network.channel("enterprise", &uscc(PROVINCE));
    EnterpriseServiceClient::new(known).get_enterprise(ask()).await.unwrap_err();
}

/// An agency's live stream, which receives the one event its grant lets pass.
async fn subscribe(network: &Network) -> Streaming<SubscribeResponse> {
    let agency = network.channel("exchange", &uscc(PLATFORM));
    let start = Some(Start::Beginning(Beginning {}));
    let request = || SubscribeRequest { start: start.clone(), ..Default::default() };
    let subscribing =
        patiently(async || ExchangeServiceClient::new(agency.clone()).subscribe(request()).await);
    subscribing.await.into_inner()
}

/// What all processes export of ours.
fn gathered(network: &Network) -> Metrics {
    let mut metrics = Metrics::new();
    for context in CONTEXTS {
        let (_, text) = network.watch(context, "/metrics").unwrap();
        for line in text.lines().filter(|line| line.starts_with("# TYPE onenet_")) {
            let mut words = line.split(' ').skip(2);
            let (name, kind) = (words.next().unwrap(), words.next().unwrap());
            kind.clone_into(&mut metrics.entry(name.to_owned()).or_default().kind);
        }
        for line in text.lines().filter(|line| line.starts_with("onenet_")) {
            let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap());
            let metric = metrics.get_mut(base(name)).unwrap();
            metric.labels.extend(labels_of(rest));
        }
    }
    metrics
}

/// The names in `{name="value",…}`, without those the scrape adds.
fn labels_of(text: &str) -> impl Iterator<Item = String> {
    let inside = text.strip_prefix('{').and_then(|rest| rest.split_once('}')).unwrap_or_default().0;
    let names = inside.split("\",").filter_map(|pair| Some(pair.split_once('=')?.0.to_owned()));
    names.filter(|name| !OF_THE_SCRAPE.contains(&name.as_str()))
}

/// A metric's own name.
fn base(name: &str) -> &str {
    OF_HISTOGRAMS.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

/// The table of the README: names, kind, labels.
fn documented() -> Metrics {
    let mut metrics = Metrics::new();
    for row in read("README.md").lines().filter(|line| line.starts_with("| `onenet_")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let labels: BTreeSet<String> = quoted(cells[3]).collect();
        for name in quoted(cells[1]) {
            let kind = cells[2].to_owned();
            metrics.insert(name, Metric { kind, labels: labels.clone() });
        }
    }
    metrics
}

fn quoted(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// Alerts and dashboard: every metric is used, with labels that it has, and each alert names a page that
/// is there.
fn assert_files(exported: &Metrics) {
    let (alerts, dashboard) = (read("alerts.yaml"), read("dashboard.json"));
    let mut expressions: Vec<String> = expressions_of(&serde_json::from_str(&dashboard).unwrap());
    expressions.extend(alerts.split("expr:").skip(1).map(|rest| {
        // up to the next key; a folded one begins on a line of its own
        let lines = rest.trim_start().trim_start_matches(">-").lines().map(str::trim);
        let mut lines = lines.skip_while(|line| line.is_empty());
        lines.next().unwrap().to_owned()
    }));
    assert_eq!(alerts.matches("expr:").count(), alerts.matches("runbook:").count());
    let mut used = BTreeSet::new();
    for expression in &expressions {
        let named = names(expression);
        let metrics =
            named.iter().filter(|name| name.starts_with("onenet_")).map(|name| base(name));
        for metric in metrics {
            let known = exported.get(metric);
            let known = known.unwrap_or_else(|| unreachable!("{metric} is not exported"));
            for label in labels_in(expression) {
                let has = OF_THE_SCRAPE.contains(&&*label) || known.labels.contains(&label);
                assert!(has, "{metric} has no label {label}: {expression}");
            }
            used.insert(metric.to_owned());
        }
    }
    assert_eq!(used, exported.keys().cloned().collect(), "left: used, right: exported");
    for line in alerts.lines().filter_map(|line| line.trim().strip_prefix("runbook: ")) {
        assert!(root().join(line).is_file(), "there is no {line}");
    }
}

fn expressions_of(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Object(fields) => {
            let own = fields.get("expr").and_then(|expr| expr.as_str()).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(expressions_of)).collect()
        }
        serde_json::Value::Array(values) => values.iter().flat_map(expressions_of).collect(),
        _ => Vec::new(),
    }
}

/// The words of an expression, without what stands in quotes.
fn names(expression: &str) -> Vec<String> {
    let bare: String = expression.split('"').step_by(2).collect();
    let words = bare.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Labels that an expression groups by or selects.
fn labels_in(expression: &str) -> Vec<String> {
    let inside = |from: &str, to: char| -> Vec<String> {
        let parts = expression.split(from).skip(1).filter_map(|rest| rest.split(to).next());
        parts.map(str::to_owned).collect()
    };
    let grouped = inside("by (", ')').into_iter().flat_map(|list| names(&list));
    let selected = inside("{", '}');
    let selected = selected.iter().flat_map(|list| names(list)).collect::<Vec<_>>();
    grouped.chain(selected).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join("deploy/observability").join(file)).unwrap()
}
