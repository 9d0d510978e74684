use std::sync::Arc;

use crate::{
    Aggregate, Appended, Cause, Corrupt, EventStore, Folded, Key, NewEvent, Receipt, StoreError,
    StreamId, Version, WireEvent, replay,
};

/// How often a command is decided anew after a lost race before it is given up as contended.
const MAX_ATTEMPTS: usize = 8;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError<R> {
    /// The business says no.
    #[error("refused")]
    Rejected(R),
    /// The caller's expected version is not the stream's.
    #[error("the stream stands at version {actual}")]
    Conflict {
        /// The version it stands at.
        actual: Version,
    },
    /// Others kept appending to the stream; nothing was written, try again.
    #[error("the stream is contended")]
    Contended,
    /// The history of the stream does not fold.
    #[error("the history of the stream is corrupt")]
    Corrupt(#[source] Corrupt),
    /// The store refused or failed.
    #[error("the command was not stored")]
    Store(#[source] StoreError),
}

/// The only write path: load, decide, append; after a lost race, look again.
///
/// The first try may use a state kept from an earlier command. A refusal is never decided on it:
/// only on a fresh load, and only after asking whether this very command was carried out before.
pub async fn execute<A: Aggregate>(
    store: &impl EventStore,
    stream: &StreamId,
    expected: Option<Version>,
    command: &A::Command,
    cause: &Cause,
) -> Result<Receipt, ExecuteError<A::Rejection>> {
    let _turn = store.turn(stream).await;
    let mut kept = kept_state::<A>(store, stream);
    for _ in 0..MAX_ATTEMPTS {
        let is_fresh = kept.is_none();
        let (state, version) = match kept.take() {
            Some(kept) => kept,
            None => fresh_state::<A>(store, stream).await?,
        };
        let decided = if expected.is_some_and(|expected| expected != version) {
            Err(ExecuteError::Conflict { actual: version })
        } else {
            state.decide(command).map_err(ExecuteError::Rejected)
        };
        let events = match decided {
            Ok(events) => events,
            Err(_) if !is_fresh => continue,
            Err(refusal) => return unless_done(store, cause, refusal, ExecuteError::Store).await,
        };
        let (next, events) = stamp(state, &events);
        let next_version = Version(version.0 + events.len() as u64);
        match store.append(stream, version, cause, events).await {
            Ok(Appended { receipt, is_new }) => {
                if is_new {
                    store.remember(stream, Folded { version: next_version, state: Arc::new(next) });
                }
                return Ok(receipt);
            }
            Err(StoreError::Conflict { .. }) => store.forget(stream),
            Err(error) => {
                store.forget(stream);
                return Err(ExecuteError::Store(error));
            }
        }
    }
    Err(ExecuteError::Contended)
}

/// The aggregate as it stands, without deciding on it. For facts that never change once they stand
/// (whose case it is), the state kept from the last command will do.
pub async fn look<A: Aggregate>(
    store: &impl EventStore,
    stream: &StreamId,
) -> Result<(A, Version), ExecuteError<A::Rejection>> {
    match kept_state::<A>(store, stream) {
        Some(kept) => Ok(kept),
        None => fresh_state::<A>(store, stream).await,
    }
}

/// A refusal, unless the command was carried out before: then its first receipt. Every refusal of a
/// use case goes through here, since a retry may meet a world that has moved on.
pub async fn unless_done<E>(
    store: &impl EventStore,
    cause: &Cause,
    refusal: E,
    failed: impl FnOnce(StoreError) -> E,
) -> Result<Receipt, E> {
    match store.receipt(cause).await {
        Ok(Some(receipt)) => Ok(receipt),
        Ok(None) => Err(refusal),
        Err(error) => Err(failed(error)),
    }
}

fn kept_state<A: Aggregate>(store: &impl EventStore, stream: &StreamId) -> Option<(A, Version)> {
    let folded = store.recall(stream)?;
    let state = folded.state.downcast_ref::<A>()?;
    Some((state.clone(), folded.version))
}

async fn fresh_state<A: Aggregate>(
    store: &impl EventStore,
    stream: &StreamId,
) -> Result<(A, Version), ExecuteError<A::Rejection>> {
    let history = store.load(stream, Version::NONE).await.map_err(ExecuteError::Store)?;
    replay(A::default(), Version::NONE, &history).map_err(ExecuteError::Corrupt)
}

/// Folds each event into the state and reads the key after it.
fn stamp<A: Aggregate>(mut state: A, events: &[A::Event]) -> (A, Vec<NewEvent>) {
    let stamped = events
        .iter()
        .map(|event| {
            state.evolve(event);
            let key: Key = state.key();
            NewEvent { event_type: event.event_type().into(), payload: event.encode().into(), key }
        })
        .collect();
    (state, stamped)
}
