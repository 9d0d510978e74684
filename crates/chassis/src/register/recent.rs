use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long an answer serves. The register itself follows the log by less than that.
const SERVES: Duration = Duration::from_secs(1);
/// Answers kept; above it all are dropped, for none is older than a moment.
const KEPT: usize = 4_096;

/// Answers of the register a moment ago, so that a run of calls by one caller does not ask for each.
/// That something is not there is never kept: whoever has just been registered is known at once.
pub(super) struct Recent<K, V>(Mutex<Answers<K, V>>);

struct Answers<K, V> {
    generation: u64,
    kept: HashMap<K, (Instant, V)>,
}

/// When a question was asked. Its answer is not kept if all was forgotten in the meantime.
#[derive(Clone, Copy)]
struct Asked(u64);

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Answers { generation: 0, kept: HashMap::new() }))
    }
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// The answer that is kept, or else the one that `read` gives. Reading is rare, and large as a future: on the
    /// heap, it is not moved along with every call.
    pub(super) async fn or_read<E, F: Future<Output = Result<Option<V>, E>>>(
        &self,
        key: K,
        read: impl FnOnce() -> F,
    ) -> Result<Option<V>, E> {
        let asked = match self.get(&key) {
            Ok(value) => return Ok(Some(value)),
            Err(asked) => asked,
        };
        let value = Box::pin(read()).await?;
        if let Some(value) = &value {
            self.keep(asked, key, value.clone());
        }
        Ok(value)
    }

    fn get(&self, key: &K) -> Result<V, Asked> {
        let answers = self.lock();
        match answers.kept.get(key) {
            Some((at, value)) if at.elapsed() < SERVES => Ok(value.clone()),
            _ => Err(Asked(answers.generation)),
        }
    }

    fn keep(&self, asked: Asked, key: K, value: V) {
        let mut answers = self.lock();
        if answers.generation != asked.0 {
            return;
        }
        if answers.kept.len() >= KEPT {
            answers.kept.clear();
        }
        answers.kept.insert(key, (Instant::now(), value));
    }

    /// Forgets every answer, also those that are being asked for: what is got from now on is as of now.
    pub(super) fn forget(&self) {
        let mut answers = self.lock();
        answers.generation += 1;
        answers.kept.clear();
    }

    /// Every change is whole, so a panic elsewhere leaves nothing wrong.
    fn lock(&self) -> MutexGuard<'_, Answers<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_asked_for_before_all_was_forgotten_is_not_kept() {
        let recent = Recent::<&str, u8>::default();
        let early = recent.get(&"a").unwrap_err();
        recent.forget();
        recent.keep(early, "a", 1);
        let late = recent.get(&"a").unwrap_err();
        recent.keep(late, "a", 2);
        assert_eq!(recent.get(&"a").ok(), Some(2));
        recent.forget();
        assert!(recent.get(&"a").is_err());
    }
}
