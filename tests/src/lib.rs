//! Tests that need several crates, or several processes.
