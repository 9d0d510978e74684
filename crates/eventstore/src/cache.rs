use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use onenet_kernel::{Folded, StreamId};
use tokio::sync::OwnedMutexGuard;

/// Streams whose folded state is kept. Two generations: when the young one is full, the old one is
/// dropped, so what was not asked for in the meantime goes.
const GENERATION: usize = 4_096;

/// What this process remembers of the streams it wrote: their folded state, and whose turn it is.
#[derive(Default)]
pub(crate) struct Cache {
    states: Mutex<Generations>,
    turns: Mutex<HashMap<StreamId, Arc<tokio::sync::Mutex<()>>>>,
}

#[derive(Default)]
struct Generations {
    young: HashMap<StreamId, Folded>,
    old: HashMap<StreamId, Folded>,
}

impl Cache {
    pub(crate) fn recall(&self, stream: &StreamId) -> Option<Folded> {
        let mut states = lock(&self.states);
        if let Some(folded) = states.young.get(stream) {
            return Some(folded.clone());
        }
        let folded = states.old.remove(stream)?;
        states.keep(stream.clone(), folded.clone());
        Some(folded)
    }

    pub(crate) fn remember(&self, stream: &StreamId, folded: Folded) {
        lock(&self.states).keep(stream.clone(), folded);
    }

    pub(crate) fn forget(&self, stream: &StreamId) {
        let mut states = lock(&self.states);
        states.young.remove(stream);
        states.old.remove(stream);
    }

    pub(crate) async fn turn(self: &Arc<Self>, stream: &StreamId) -> Turn {
        let mutex = Arc::clone(lock(&self.turns).entry(stream.clone()).or_default());
        let held = mutex.lock_owned().await;
        Turn { held: Some(held), stream: stream.clone(), cache: Arc::clone(self) }
    }
}

impl Generations {
    fn keep(&mut self, stream: StreamId, folded: Folded) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(stream, folded);
    }
}

/// The right to decide on a stream; the next command of this process goes on when it is dropped.
pub struct Turn {
    held: Option<OwnedMutexGuard<()>>,
    stream: StreamId,
    cache: Arc<Cache>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.held = None;
        let mut turns = lock(&self.cache.turns);
        // nobody else holds or waits for it: the map's own handle is the last one
        if turns.get(&self.stream).is_some_and(|mutex| Arc::strong_count(mutex) == 1) {
            turns.remove(&self.stream);
        }
    }
}

/// A panic elsewhere does not make what is kept wrong: every entry is written whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
