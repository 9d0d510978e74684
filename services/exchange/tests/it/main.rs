//! Exchange through its gRPC door, on a real PostgreSQL and a real Kafka.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

mod corrections;
mod refusals;
mod rights;
mod streams;
mod support;
