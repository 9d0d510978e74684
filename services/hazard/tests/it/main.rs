//! Major hazards and hidden dangers through their gRPC doors, on a real PostgreSQL and a real Kafka.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

mod access;
mod clock;
mod danger_refusals;
mod dangers;
mod hazards;
mod refusals;
mod steps;
mod support;
