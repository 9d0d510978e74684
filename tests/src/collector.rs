//! A collector of spans and metrics, for tests to look at.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    resource::v1::Resource,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, async_trait, transport::Server};

/// The spans of a trace, each as the process that made it and its name.
pub type Trace = BTreeSet<(String, String)>;

/// Takes spans over OTLP/gRPC and keeps them by trace; keeps the names of metrics.
#[derive(Clone, Default)]
pub struct Collector {
    traces: Arc<Mutex<BTreeMap<Vec<u8>, Trace>>>,
    metrics: Arc<Mutex<BTreeSet<(String, String)>>>,
}

impl Collector {
    /// Begins; answers the endpoint to send to.
    pub async fn start() -> (Self, String) {
        let collector = Self::default();
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let service = TraceServiceServer::new(collector.clone());
        let incoming = TcpListenerStream::new(listener);
        let metrics = MetricsServiceServer::new(collector.clone());
        let services = Server::builder().add_service(service).add_service(metrics);
        tokio::spawn(services.serve_with_incoming(incoming));
        (collector, endpoint)
    }

    /// Every trace so far.
    #[must_use]
    pub fn traces(&self) -> Vec<Trace> {
        self.traces.lock().unwrap().values().cloned().collect()
    }

    /// The metrics so far, each as the process that measured it and its name.
    #[must_use]
    pub fn metrics(&self) -> BTreeSet<(String, String)> {
        self.metrics.lock().unwrap().clone()
    }
}

fn process(resource: Option<Resource>) -> String {
    let attributes = resource.unwrap_or_default().attributes;
    let name = attributes.into_iter().find(|attribute| attribute.key == "service.name");
    format!("{:?}", name.and_then(|name| name.value))
}

#[async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut metrics = self.metrics.lock().unwrap();
        for of_process in request.into_inner().resource_metrics {
            let process = process(of_process.resource);
            for metric in of_process.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
                metrics.insert((process.clone(), metric.name));
            }
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut traces = self.traces.lock().unwrap();
        for of_process in request.into_inner().resource_spans {
            let process = process(of_process.resource);
            for span in of_process.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                let trace = traces.entry(span.trace_id).or_default();
                trace.insert((process.clone(), span.name));
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}
