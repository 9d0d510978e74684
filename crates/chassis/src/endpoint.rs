//! What a process tells those who watch it: `/metrics` for Prometheus, `/healthz` (it lives) and `/readyz`
//! (its roles run, and it was not asked to stop). No secret is told and nobody is asked who he is: the
//! address is for the machine itself or a network of the operator's.

use std::{
    future::IntoFuture as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{Router, response::IntoResponse, routing::get};
use http::{StatusCode, header::CONTENT_TYPE};
use prometheus::{TEXT_FORMAT, TextEncoder};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::config::{ConfigError, TelemetrySettings};

/// Answers for as long as it is kept.
pub(crate) struct Endpoint {
    roles_run: Arc<AtomicBool>,
    _serving: JoinSet<std::io::Result<()>>,
}

impl Endpoint {
    /// Listens where `telemetry.metrics` says; without it, nowhere.
    pub(crate) async fn start(
        settings: &TelemetrySettings,
        stop: &CancellationToken,
    ) -> Result<Self, ConfigError> {
        let (roles_run, mut serving) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        if let Some(address) = settings.metrics {
            let listener =
                TcpListener::bind(address).await.map_err(|error| ConfigError::Value {
                    setting: "telemetry.metrics",
                    reason: format!("listening on {address}: {error}"),
                })?;
            let (runs, stop) = (Arc::clone(&roles_run), stop.clone());
            let ready = async move || {
                if runs.load(Ordering::Acquire) && !stop.is_cancelled() {
                    (StatusCode::OK, "ready\n")
                } else {
                    (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
                }
            };
            let routes = Router::new()
                .route("/metrics", get(metrics))
                .route("/healthz", get(async || "alive\n"))
                .route("/readyz", get(ready));
            serving.spawn(axum::serve(listener, routes).into_future());
        }
        Ok(Self { roles_run, _serving: serving })
    }

    /// From now on the process is ready, until it is to stop.
    pub(crate) fn roles_run(&self) {
        self.roles_run.store(true, Ordering::Release);
    }
}

async fn metrics() -> impl IntoResponse {
    match TextEncoder::new().encode_to_string(&prometheus::gather()) {
        Ok(text) => (StatusCode::OK, [(CONTENT_TYPE, TEXT_FORMAT)], text),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "metrics cannot be written");
            (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, TEXT_FORMAT)], String::new())
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use onenet_devservers::free_port;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;

    fn at(address: SocketAddr) -> TelemetrySettings {
        TelemetrySettings { metrics: Some(address), ..TelemetrySettings::default() }
    }

    pub(crate) async fn status(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_process_is_ready_while_its_roles_run_and_it_was_not_asked_to_stop() {
        let address = (Ipv4Addr::LOCALHOST, free_port().unwrap()).into();
        let stop = CancellationToken::new();
        let endpoint = Endpoint::start(&at(address), &stop).await.unwrap();
        assert_eq!(status(address, "/readyz").await, "503");
        assert_eq!(status(address, "/healthz").await, "200");
        endpoint.roles_run();
        assert_eq!(status(address, "/readyz").await, "200");
        stop.cancel();
        assert_eq!(status(address, "/readyz").await, "503");
        assert_eq!(status(address, "/healthz").await, "200");
        assert_eq!(status(address, "/metrics").await, "200");
    }

    #[tokio::test]
    async fn an_address_that_cannot_be_had_is_refused_by_its_setting() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = taken.local_addr().unwrap();
        let refused = Endpoint::start(&at(address), &CancellationToken::new()).await;
        let said = refused.err().unwrap().to_string();
        assert!(
            said.contains("telemetry.metrics") && said.contains(&address.to_string()),
            "{said}"
        );
    }
}
