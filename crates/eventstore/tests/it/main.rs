//! The event log and its readers on a real PostgreSQL.

mod append;
mod commands;
mod followers;
mod locks;
mod rights;
mod support;
mod timers;
