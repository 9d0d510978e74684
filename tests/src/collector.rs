//! A collector of spans, for tests to look at.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, async_trait, transport::Server};

/// The spans of a trace, each as the process that made it and its name.
pub type Trace = BTreeSet<(String, String)>;

/// Takes spans over OTLP/gRPC and keeps them by trace.
#[derive(Clone, Default)]
pub struct Collector {
    traces: Arc<Mutex<BTreeMap<Vec<u8>, Trace>>>,
}

impl Collector {
    /// Begins; answers the endpoint to send to.
    pub async fn start() -> (Self, String) {
        let collector = Self::default();
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let service = TraceServiceServer::new(collector.clone());
        let incoming = TcpListenerStream::new(listener);
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
        (collector, endpoint)
    }

    /// Every trace so far.
    #[must_use]
    pub fn traces(&self) -> Vec<Trace> {
        self.traces.lock().unwrap().values().cloned().collect()
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
            let attributes = of_process.resource.unwrap_or_default().attributes;
            let name = attributes.into_iter().find(|attribute| attribute.key == "service.name");
            let process = format!("{:?}", name.and_then(|name| name.value));
            for span in of_process.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                let trace = traces.entry(span.trace_id).or_default();
                trace.insert((process.clone(), span.name));
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}
