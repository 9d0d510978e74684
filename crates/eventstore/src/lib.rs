//! The event log on PostgreSQL, and everything that reads a log or a topic in order.
//!
//! # The log
//!
//! [`PgLog`] keeps five promises, each of which a test in `tests/` tries to break:
//!
//! 1. *Acknowledged is durable.* [`PgLog::open`] refuses a server that could forget.
//! 2. *Positions are gapless and in commit order.* They are given under one lock, by one function.
//! 3. *A stream's versions are contiguous*; a decision on an old version is a typed conflict.
//! 4. *One command, one effect, one answer, for ever*, known by issuer and command id.
//! 5. *Events never change.* The context's role may read, and append through that function.
//!
//! The whole write path of the database is `append` in `migrations/0004_append_at_once.sql`; the whole write path of
//! the process is `appender.rs`: drain what is queued, commit, repeat.
//!
//! # Readers
//!
//! A [`Follower`] reads a [`Source`] (the own log, or another context's topic) in order and hands
//! each event to a [`Handler`]. What the handler writes and how far it got commit in one
//! transaction. A handler that cannot go on parks the event, and what comes for the same key queues
//! behind it; the rest flows on. [`TimerTable`] and [`run_clock`] turn deadlines in events into
//! commands. [`while_leader`] is the one primitive for "one process at a time".
//!
//! What operators see of it is measured in `meters.rs`; a reader that is behind tells so through
//! [`Behind`], also while it hangs.
//!
//! # After a restore
//!
//! [`LogOwner`] puts back what a log has lost, as it was, or raises the log's epoch: as the role that
//! owns the schema, since the context's own may do neither. Places in a log are ordered by epoch, then
//! number; [`PgLog::holds`] says whether a place that somebody kept still names the same event.
//!
//! # What is deliberately absent
//!
//! The raw connection pool is not exported: see [`Db`]. There is no append for "any version". No
//! reader relies on sequences, identity columns or timestamps. Nothing here knows protobuf or Kafka.
#![warn(missing_docs)]

mod ahead;
mod appender;
mod batch;
mod behind;
mod cache;
mod checkpoint;
mod db;
mod follower;
mod fresh;
mod handler;
mod lease;
mod loader;
mod log;
mod meters;
mod migrate;
mod own;
mod parked;
mod pooled;
mod progress;
mod rebuild;
mod recover;
mod row;
mod settle;
mod source;
mod standing;
mod startup;
pub mod testing;
mod timers;
mod verify;
mod wake;

pub use ahead::ReadAhead;
pub use batch::{MAX_EVENT_BYTES, MAX_EVENTS_PER_COMMAND, MAX_TEXT_BYTES};
pub use behind::{Backlog, Behind, ages_go_by};
pub use cache::Turn;
pub use checkpoint::{CarryError, Checkpoint, adopt_checkpoints, carry_checkpoints};
pub use db::{Db, DbError, DbSettings, InTransaction};
pub use follower::{Follower, FollowerError};
pub use fresh::{wait_until_fresh, wait_until_handled};
pub use handler::{HandleError, Handler, HandlingSpan};
pub use lease::{LEASE, new_owner, while_leader};
pub use log::PgLog;
pub use meters::{DURATIONS, measure_overdue, measure_parked, meter, observe_lag};
pub use migrate::{MigrateError, SchemaPlan, Step, Steps, create_database, migrate, steps};
pub use parked::{Parked, ParkedState, is_incomplete, list_parked, replay_parked};
pub use pooled::Pooled;
pub use rebuild::{Rebuild, RebuildError};
pub use recover::{LogOwner, Raised, ReappendError, sessions};
pub use source::{Delivery, LogSource, Source, SourceError};
pub use sqlx;
pub use standing::{FollowerStanding, Standing, standing};
pub use startup::StartupError;
pub use timers::{Fire, Timer, TimerChange, TimerTable, armed, run_clock};
pub use verify::{Flaw, continues, verify};
