use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

use crate::{
    names::Names,
    reconciled::{Claim, Open, Reconciled},
    seen::Context,
};

/// Where an effect stands, as a receipt says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The stream.
    pub stream: Arc<str>,
    /// Its place in the stream.
    pub version: u64,
    /// Its place in the log.
    pub position: u64,
}

/// What became of one attempt of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is a receipt: the effect stands there, for ever.
    Acknowledged(Place),
    /// There is a reason: this attempt had no effect.
    Refused(Arc<str>),
    /// Nobody can tell.
    Unanswered,
}

/// A command, as its caller knows it. Each has one event as its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who was asked.
    pub context: Context,
    /// Its attempts, in their order. One that was begun and has no outcome yet counts as unanswered.
    pub attempts: Vec<Outcome>,
}

/// A read that asked to be as fresh as a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What was read.
    pub stream: String,
    /// The version it had to show at least.
    pub asked: u64,
    /// The version it showed; none: it said that there is no such thing.
    pub saw: Option<u64>,
}

/// What was asked of a node, and what it answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Commands by id.
    pub commands: BTreeMap<Uuid, Asked>,
    /// Reads that were answered.
    pub reads: Vec<Read>,
    /// What a reader of the list said that it holds.
    pub claims: Vec<Claim>,
    /// Comparisons of the list that were answered.
    pub reconciled: Vec<Reconciled>,
    /// What a reader of the list was told that it has not acknowledged.
    pub open: Vec<Open>,
}

impl Asked {
    /// The first receipt it was given.
    #[must_use]
    pub fn receipt(&self) -> Option<&Place> {
        self.receipts().next()
    }

    /// Every receipt it was given.
    pub(crate) fn receipts(&self) -> impl Iterator<Item = &Place> {
        self.attempts.iter().filter_map(|outcome| match outcome {
            Outcome::Acknowledged(place) => Some(place),
            Outcome::Refused(_) | Outcome::Unanswered => None,
        })
    }

    /// Whether each attempt was refused: there must be no effect.
    #[must_use]
    pub fn was_refused(&self) -> bool {
        !self.attempts.is_empty()
            && self.attempts.iter().all(|outcome| matches!(outcome, Outcome::Refused(_)))
    }
}

/// A history that many callers write at once.
#[derive(Default)]
pub struct Recorder {
    history: Mutex<History>,
    names: Arc<Names>,
}

impl Recorder {
    /// An attempt begins; answers its number. Noted before anything is sent, so that what is cut off in
    /// the middle is not taken for something that nobody asked for.
    pub fn begin(&self, context: Context, command: Uuid) -> usize {
        self.with(|history| {
            // most are answered at once
            let none = || Asked { context, attempts: Vec::with_capacity(1) };
            let asked = history.commands.entry(command).or_insert_with(none);
            asked.attempts.push(Outcome::Unanswered);
            asked.attempts.len() - 1
        })
    }

    /// That attempt was answered.
    pub fn end(&self, command: Uuid, attempt: usize, outcome: Outcome) {
        self.with(|history| {
            let asked = history.commands.get_mut(&command);
            if let Some(slot) = asked.and_then(|asked| asked.attempts.get_mut(attempt)) {
                *slot = outcome;
            }
        });
    }

    /// A read was answered.
    pub fn read(&self, read: Read) {
        self.with(|history| history.reads.push(read));
    }

    /// Something else became known.
    pub(crate) fn note(&self, note: impl FnOnce(&mut History)) {
        self.with(note);
    }

    /// Names that callers and readers are shown.
    pub(crate) fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// The history, which is over.
    #[must_use]
    pub fn take(&self) -> History {
        self.with(std::mem::take)
    }

    fn with<T>(&self, work: impl FnOnce(&mut History) -> T) -> T {
        work(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
