use crate::{Corrupt, Key, Recorded, Version, WireEvent};

/// One consistency boundary; the implementing type is the state itself.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// First half of every stream name, frozen once released.
    const CATEGORY: &'static str;
    /// A request that may be refused.
    type Command: Sync;
    /// A fact.
    type Event: WireEvent + Send + Sync;
    /// The business says no.
    type Rejection: std::error::Error + Send;

    /// What may happen. An empty vector means the command is already fulfilled.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// What a fact means. Folding history never fails.
    fn evolve(&mut self, event: &Self::Event);

    /// What the events are about; read after each `evolve`. The subject never changes.
    fn key(&self) -> Key;
}

/// Folds `history` into `state`, which stands at `version`.
pub fn replay<A: Aggregate>(
    mut state: A,
    mut version: Version,
    history: &[Recorded],
) -> Result<(A, Version), Corrupt> {
    for recorded in history {
        if recorded.version != version.next() {
            return Err(Corrupt::new(
                &recorded.event_type,
                format!("version {} of {} follows {version}", recorded.version, recorded.stream),
            ));
        }
        state.evolve(&A::Event::decode(&recorded.event_type, &recorded.payload)?);
        version = recorded.version;
    }
    Ok((state, version))
}
