//! Where the domain meets the world: so far, the written form of its events.

mod wire;
