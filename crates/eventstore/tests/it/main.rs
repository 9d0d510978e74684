//! The event log and its readers on a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

mod append;
mod commands;
mod followers;
mod half_open;
mod locks;
mod meters;
mod reading;
mod rebuild;
mod rights;
mod sources;
mod support;
mod timers;
mod verify;
