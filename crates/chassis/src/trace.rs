//! One trace from a command through log, Kafka and reaction: W3C trace context rides in the events.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The present span as a `traceparent`; empty where nothing is traced.
#[must_use]
pub fn traceparent() -> String {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return String::new();
    }
    format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8())
}

/// The trace the present span belongs to, for people to search by.
#[must_use]
pub fn trace_id() -> String {
    Span::current().context().span().span_context().trace_id().to_string()
}

/// Makes `span` a part of the trace that `traceparent` names; a damaged one is ignored.
pub fn continue_from(span: &Span, traceparent: &str) {
    if let Some(parent) = parse(traceparent) {
        // fails only where nothing is traced
        span.set_parent(Context::new().with_remote_span_context(parent)).ok();
    }
}

fn parse(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::default(),
    );
    (version == "00" && context.is_valid()).then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_traceparent_is_no_parent() {
        let whole = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(parse(whole).is_some_and(|span| span.is_remote() && span.is_sampled()));
        for damaged in
            ["", "00", "00-0-0-01", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]
        {
            assert!(parse(damaged).is_none(), "{damaged}");
        }
    }
}
