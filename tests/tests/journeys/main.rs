//! Whole journeys over real servers, with every context as a process of its own.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

mod access;
mod doctor;
mod embedded;
mod exports;
mod listing;
mod recovery;
mod starting;
mod stopping;
mod subscriber;
mod tools;
