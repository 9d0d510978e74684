//! Credit in protobuf. Everything written once is read for ever: an upcast belongs here.

mod entry;
mod events;
mod obligation;
mod procedure;
mod stored;
