//! Cases through their gRPC door, on a real PostgreSQL and a real Kafka.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

mod access;
mod cases;
mod clues;
mod refusals;
mod support;
