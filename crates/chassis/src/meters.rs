//! What is measured of calls: the only place of these names. RPCs and reasons come from the contracts and
//! never from a caller, so there are as many series as there are contracts.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use onenet_eventstore::{DURATIONS, meter};
use onenet_kernel::{Clock, Timestamp};
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram},
};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tokio::sync::watch;
use tonic::Code;

use crate::config::ServerTls;

/// An RPC that a contract knows.
struct Method {
    rpc: String,
    context: String,
    is_unary: bool,
}

/// By path, as requests name it.
static METHODS: LazyLock<HashMap<String, Method>> = LazyLock::new(|| {
    let contracts = FileDescriptorSet::decode(onenet_proto::DESCRIPTORS).unwrap_or_default();
    let mut methods = HashMap::new();
    for file in &contracts.file {
        // `onenet.<context>.v1`
        let context = file.package().split('.').nth(1).unwrap_or_default();
        for service in &file.service {
            for method in &service.method {
                let rpc = format!("{}.{}/{}", file.package(), service.name(), method.name());
                let is_unary = !method.client_streaming() && !method.server_streaming();
                let known = Method { rpc: rpc.clone(), context: context.to_owned(), is_unary };
                methods.insert(format!("/{rpc}"), known);
            }
        }
    }
    methods
});

static CALLS: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    meter()
        .f64_histogram("onenet.rpc.duration")
        .with_description("calls that are answered once")
        .with_unit("s")
        .with_boundaries(DURATIONS.to_vec())
        .build()
});

static REFUSALS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    meter()
        .u64_counter("onenet.refusals")
        .with_description("refusals, by the reason that the caller was given")
        .build()
});

/// A call was answered. One that opens a stream lasts as long as somebody listens: it is not measured.
pub(crate) fn answered(path: &str, code: Code, after: Duration) {
    if let Some(method) = METHODS.get(path).filter(|method| method.is_unary) {
        let labels =
            [KeyValue::new("rpc", method.rpc.clone()), KeyValue::new("code", format!("{code:?}"))];
        CALLS.record(after.as_secs_f64(), &labels);
    }
}

/// A refusal leaves.
pub(crate) fn refused(path: &str, reason: &'static str) {
    if let Some(method) = METHODS.get(path) {
        let labels = [
            KeyValue::new("context", method.context.clone()),
            KeyValue::new("rpc", method.rpc.clone()),
            KeyValue::new("reason", reason),
        ];
        REFUSALS.add(1, &labels);
    }
}

/// Shows how long the certificate that is in use is still good, for as long as somebody may replace it.
pub(crate) fn certificate(in_use: watch::Receiver<ServerTls>, clock: &Arc<dyn Clock>) {
    let clock = Arc::clone(clock);
    meter()
        .f64_observable_gauge("onenet.certificate.expiry")
        .with_description("until the node's own certificate expires; negative afterwards")
        .with_unit("s")
        .with_callback(move |observer| {
            if in_use.has_changed().is_ok() {
                let until = in_use.borrow().validity.until;
                observer.observe(seconds(clock.now(), until), &[]);
            }
        })
        .build();
}

#[expect(clippy::cast_precision_loss, reason = "told to people; a microsecond matters to nobody")]
fn seconds(from: Timestamp, until: Timestamp) -> f64 {
    until.as_micros().saturating_sub(from.as_micros()) as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contract_is_known_by_its_path_and_context() {
        let method = &METHODS["/onenet.exchange.v1.ExchangeService/Subscribe"];
        assert_eq!((method.context.as_str(), method.is_unary), ("exchange", false));
        assert!(METHODS["/onenet.credit.v1.BlacklistService/CheckSubjects"].is_unary);
        assert!(!METHODS.contains_key("/onenet.credit.v1.BlacklistService/Nothing"));
    }

    #[test]
    fn a_certificate_that_has_expired_counts_below_zero() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        assert!((seconds(at(10), at(70)) - 60.0).abs() < f64::EPSILON);
        assert!((seconds(at(70), at(10)) + 60.0).abs() < f64::EPSILON);
    }
}
