//! Processes are killed while they write, follow, keep time and publish, and so is the primary whose
//! standby takes over: nothing is lost, doubled or reordered.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

mod disk;
mod log;
mod relay;
mod standby;
