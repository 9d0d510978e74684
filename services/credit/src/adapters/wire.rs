//! Credit in protobuf. What a request says is checked field by field ([`requests`]); what an event says
//! was checked when it was decided, and is read as it stands. Everything written once is read for
//! ever: an upcast belongs here.

pub(crate) mod blacklist;
mod entry;
mod events;
mod obligation;
pub(crate) mod penalty;
mod procedure;
mod reader;
pub(crate) mod requests;

pub(crate) use procedure::outcome_code;
