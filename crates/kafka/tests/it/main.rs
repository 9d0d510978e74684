//! The relay and the Kafka source on a real PostgreSQL and a real Kafka.

#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

mod behind_our_back;
mod idle;
mod lag;
mod operate;
mod recover;
mod refusals;
mod relay;
mod source;
mod support;
