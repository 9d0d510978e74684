//! Logs to the standard error; spans and metrics to an OpenTelemetry collector; metrics to Prometheus.

use opentelemetry::{KeyValue, global, trace::TracerProvider as _};
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkError,
    metrics::{PeriodicReader, SdkMeterProvider},
    trace::SdkTracerProvider,
};
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::config::{LogFormat, TelemetrySettings};

/// What this process tells of itself; ends with [`stop`](Self::stop), or the last of it is lost.
pub struct Telemetry {
    spans: SdkTracerProvider,
    metrics: SdkMeterProvider,
}

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter in `telemetry.log` cannot be read.
    #[error("telemetry.log is no filter: {0}")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// The collector's address cannot be used.
    #[error("telemetry.otlp cannot be used: {0}")]
    Exporter(#[source] ExporterBuildError),
    /// The process measures itself already.
    #[error("telemetry.metrics cannot be used: {0}")]
    Registry(#[source] OTelSdkError),
}

impl Telemetry {
    /// Begins, before anything is measured; `service` names the process. Needs a running tokio.
    pub fn start(settings: &TelemetrySettings, service: &str) -> Result<Self, TelemetryError> {
        let attributes = [KeyValue::new("service.name", format!("onenet {service}"))];
        let resource = Resource::builder().with_attributes(attributes).build();
        let spans = spans(settings, resource.clone())?;
        let metrics = metrics(settings, resource)?;
        if settings.is_measured() {
            // a provider without readers calls each gauge a failure
            global::set_meter_provider(metrics.clone());
        }
        let filter = EnvFilter::try_new(&settings.log).map_err(TelemetryError::Filter)?;
        let text = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let text = match settings.format {
            LogFormat::Text => text.boxed(),
            LogFormat::Json => text.json().boxed(),
        };
        // our own spans only: those of the libraries are many and say nothing of the field
        let layer = tracing_opentelemetry::layer()
            .with_tracer(spans.tracer("onenet"))
            .with_filter(Targets::new().with_target("onenet", tracing::Level::INFO));
        tracing_subscriber::registry().with(layer).with(text.with_filter(filter)).try_init().ok();
        Ok(Self { spans, metrics })
    }

    /// Sends what was not sent yet.
    pub async fn stop(self) {
        // blocks until the collector has answered or the time is up
        let stopped =
            tokio::task::spawn_blocking(move || self.spans.shutdown().and(self.metrics.shutdown()));
        if let Ok(Err(error)) = stopped.await {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, "spans or metrics may be lost");
        }
    }
}

fn spans(
    settings: &TelemetrySettings,
    resource: Resource,
) -> Result<SdkTracerProvider, TelemetryError> {
    let mut provider = SdkTracerProvider::builder().with_resource(resource);
    if let Some(endpoint) = &settings.otlp {
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build();
        provider = provider.with_batch_exporter(exporter.map_err(TelemetryError::Exporter)?);
    }
    Ok(provider.build())
}

/// What is shown at `/metrics` is gathered from the registry that belongs to the process, as the
/// instruments do.
fn metrics(
    settings: &TelemetrySettings,
    resource: Resource,
) -> Result<SdkMeterProvider, TelemetryError> {
    let mut provider = SdkMeterProvider::builder().with_resource(resource);
    if let Some(endpoint) = &settings.otlp {
        let exporter = MetricExporter::builder().with_tonic().with_endpoint(endpoint).build();
        let exporter = exporter.map_err(TelemetryError::Exporter)?;
        provider = provider.with_reader(PeriodicReader::builder(exporter).build());
    }
    if settings.metrics.is_some() {
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(prometheus::default_registry().clone())
            .scope_info_enabled(false)
            .build();
        provider = provider.with_reader(exporter.map_err(TelemetryError::Registry)?);
    }
    Ok(provider.build())
}
