use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

/// Names that are met again and again, of which each is kept once.
#[derive(Default)]
pub(crate) struct Names(Mutex<BTreeSet<Arc<str>>>);

impl Names {
    /// The one that is kept of all that are the same.
    pub(crate) fn of(&self, name: &str) -> Arc<str> {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = names.get(name) {
            return Arc::clone(known);
        }
        let new = Arc::<str>::from(name);
        names.insert(Arc::clone(&new));
        new
    }
}
