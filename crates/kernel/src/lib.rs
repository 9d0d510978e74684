//! Event sourcing on one page: what every context of onenet stands on.
//!
//! An [`Aggregate`] is one consistency boundary. [`execute`] is the only write path: it loads the
//! aggregate's stream, lets it [`decide`](Aggregate::decide), and appends what was decided to the
//! [`EventStore`]. Everything a decision needs (time, ids, identity, facts of others) arrives as an
//! argument; this crate does no I/O, reads no clock and knows no wire format.
//!
//! Vocabulary:
//!
//! * a **stream** holds the events of one aggregate, a **version** is a place in it;
//! * a **position** is a place in the whole log, gapless and in commit order;
//! * a **cause** says who asked for what, in which journey, under which rules;
//! * a **receipt** is the answer to a command: the same for every retry, for ever.
//!
//! Invariants this crate relies on and every store must keep (design page "The event log"):
//! acknowledged is durable, positions are gapless and in commit order, versions of a stream are
//! contiguous, one command has one effect and one answer, events never change.
//!
//! ```
//! use onenet_kernel::{Aggregate, Corrupt, Key, WireEvent, testing::given};
//!
//! #[derive(Clone, Debug, PartialEq)]
//! struct Opened;
//! impl WireEvent for Opened {
//!     fn event_type(&self) -> &'static str { "example.v1.Opened" }
//!     fn encode(&self) -> Vec<u8> { Vec::new() }
//!     fn decode(_: &str, _: &[u8]) -> Result<Self, Corrupt> { Ok(Opened) }
//! }
//!
//! #[derive(Clone, Default)]
//! struct Door { open: bool }
//! #[derive(Debug, PartialEq, thiserror::Error)]
//! #[error("the door is open already")]
//! struct AlreadyOpen;
//!
//! impl Aggregate for Door {
//!     const CATEGORY: &'static str = "door";
//!     type Command = ();
//!     type Event = Opened;
//!     type Rejection = AlreadyOpen;
//!     fn decide(&self, (): &()) -> Result<Vec<Opened>, AlreadyOpen> {
//!         if self.open { Err(AlreadyOpen) } else { Ok(vec![Opened]) }
//!     }
//!     fn evolve(&mut self, _: &Opened) { self.open = true; }
//!     fn key(&self) -> Key { Key::default() }
//! }
//!
//! given::<Door>([]).when(&()).then([Opened]);
//! given::<Door>([Opened]).when(&()).then_rejected(&AlreadyOpen);
//! ```
#![warn(missing_docs)]

mod aggregate;
mod cause;
mod event;
mod execute;
mod leaf;
mod store;
mod stream;
pub mod testing;
mod time;

pub use aggregate::{Aggregate, replay};
pub use cause::{Actor, Cause, Digest, Issuer, Origin};
pub use event::{Corrupt, Key, NewEvent, Recorded, WireEvent};
pub use execute::{ExecuteError, execute, look, unless_done};
pub use leaf::{leaf, leaf_of};
pub use store::{Appended, EventStore, Folded, Receipt, StoreError};
pub use stream::{Position, StreamId, Version};
pub use time::{Clock, Timestamp};
