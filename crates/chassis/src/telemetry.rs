//! Logs to the standard error, spans to an OpenTelemetry collector.

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::config::{LogFormat, TelemetrySettings};

/// What this process tells of itself; ends with [`stop`](Self::stop), or the last spans are lost.
pub struct Telemetry(SdkTracerProvider);

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter in `telemetry.log` cannot be read.
    #[error("telemetry.log is no filter: {0}")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// The collector's address cannot be used.
    #[error("telemetry.otlp cannot be used: {0}")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
}

impl Telemetry {
    /// Begins; `service` names the process in traces. Needs a running tokio.
    pub fn start(settings: &TelemetrySettings, service: &str) -> Result<Self, TelemetryError> {
        let attributes = [KeyValue::new("service.name", format!("onenet {service}"))];
        let mut provider = SdkTracerProvider::builder()
            .with_resource(Resource::builder().with_attributes(attributes).build());
        if let Some(endpoint) = &settings.otlp {
            let exporter = SpanExporter::builder()
                .with_tonic()
                .with_endpoint(endpoint)
                .build()
                .map_err(TelemetryError::Exporter)?;
            provider = provider.with_batch_exporter(exporter);
        }
        let provider = provider.build();
        let filter = EnvFilter::try_new(&settings.log).map_err(TelemetryError::Filter)?;
        let text = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let text = match settings.format {
            LogFormat::Text => text.boxed(),
            LogFormat::Json => text.json().boxed(),
        };
        // our own spans only: those of the libraries are many and say nothing of the field
        let spans = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("onenet"))
            .with_filter(Targets::new().with_target("onenet", tracing::Level::INFO));
        tracing_subscriber::registry().with(spans).with(text.with_filter(filter)).try_init().ok();
        Ok(Self(provider))
    }

    /// Sends what was not sent yet.
    pub async fn stop(self) {
        // blocks until the collector has answered or the time is up
        let stopped = tokio::task::spawn_blocking(move || self.0.shutdown()).await;
        if let Ok(Err(error)) = stopped {
            tracing::debug!(error = &error as &dyn std::error::Error, "spans may be lost");
        }
    }
}
