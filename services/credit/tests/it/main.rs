//! Listings through their gRPC door, on a real PostgreSQL and a real Kafka, with penalties that come
//! over enforcement's topic.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

mod access;
mod checks;
mod listing;
mod penalties;
mod publication;
mod readers;
mod refusals;
mod steps;
mod support;
