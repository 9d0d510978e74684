use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Answers that are kept at most; with one more all are let go, which costs less than knowing their age.
const MOST: usize = 4_096;

/// Answers to questions that have the same answer for as long as the process lives.
pub(crate) struct Memo<A> {
    kept: Mutex<HashMap<Box<[u8]>, A>>,
}

impl<A> Default for Memo<A> {
    fn default() -> Self {
        Self { kept: Mutex::default() }
    }
}

impl<A: Clone> Memo<A> {
    /// The answer to a question, found once; `question` holds all that it depends on. A failure is not kept.
    pub(crate) fn answer<E>(
        &self,
        question: &[u8],
        find: impl FnOnce() -> Result<A, E>,
    ) -> Result<A, E> {
        if let Some(answer) = self.with(|kept| kept.get(question).cloned()) {
            return Ok(answer);
        }
        let answer = find()?;
        self.with(|kept| {
            if kept.len() >= MOST {
                kept.clear();
            }
            kept.insert(question.into(), answer.clone());
        });
        Ok(answer)
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<Box<[u8]>, A>) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_once_and_a_failure_each_time() {
        let memo = Memo::default();
        assert_eq!(memo.answer(b"a", || Err::<u32, _>("not yet")), Err("not yet"));
        assert_eq!(memo.answer(b"a", || Ok::<_, ()>(1)), Ok(1));
        assert_eq!(memo.answer(b"a", || Ok::<_, ()>(2)), Ok(1));
        assert_eq!(memo.answer(b"b", || Ok::<_, ()>(3)), Ok(3));
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let memo = Memo::default();
        for n in 0..3 * MOST {
            memo.answer(&n.to_be_bytes(), || Ok::<_, ()>(n)).unwrap();
        }
        assert!(memo.with(|kept| kept.len()) <= MOST);
    }
}
