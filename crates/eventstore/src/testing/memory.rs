//! A log in memory: what tests decide on where PostgreSQL would only cost time. It keeps the contract
//! of the log, as the suite over both shows, and forgets everything when it is dropped.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use onenet_kernel::{
    Appended, Cause, Digest, EventStore, Folded, Issuer, NewEvent, Position, Receipt, Recorded,
    StoreError, StreamId, Timestamp, Version,
};
use uuid::Uuid;

use super::new_id;
use crate::{
    batch::AppendCommand,
    cache::{Cache, Turn},
};

/// A log without a database.
#[derive(Clone)]
pub struct MemoryLog {
    log_id: Uuid,
    state: Arc<Mutex<State>>,
    cache: Arc<Cache>,
}

#[derive(Default)]
struct State {
    events: Vec<Recorded>,
    answers: HashMap<(Issuer, Uuid), (Digest, Receipt)>,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self { log_id: new_id(), state: Arc::default(), cache: Arc::default() }
    }
}

impl MemoryLog {
    /// Up to `limit` events above position `above`, in order.
    #[must_use]
    pub fn read(&self, above: u64, limit: usize) -> Vec<Recorded> {
        let state = self.state();
        let page = state.events.iter().filter(|event| event.position.number > above);
        page.take(limit).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn stream<'a>(&'a self, stream: &'a StreamId) -> impl Iterator<Item = &'a Recorded> {
        self.events.iter().filter(move |event| event.stream == *stream)
    }

    fn answer(&self, cause: &Cause) -> Result<Option<Receipt>, StoreError> {
        match self.answers.get(&(cause.issuer.clone(), cause.command_id)) {
            None => Ok(None),
            Some((digest, receipt)) if *digest == cause.digest => Ok(Some(receipt.clone())),
            Some(_) => Err(StoreError::CommandReused),
        }
    }

    /// Judges as the log's function does: known, reused, version, subject.
    fn append(&mut self, log_id: Uuid, command: AppendCommand) -> Result<Appended, StoreError> {
        if let Some(receipt) = self.answer(&command.cause)? {
            return Ok(Appended { receipt, is_new: false });
        }
        let actual = Version(self.stream(&command.stream).count() as u64);
        if command.expected != actual {
            return Err(StoreError::Conflict { actual });
        }
        let first = self.stream(&command.stream).next();
        let is_other = first.is_some_and(|first| first.key.subject != command.subject);
        if is_other && !command.events.is_empty() {
            let reason = "the stream belongs to another subject".to_owned();
            return Err(StoreError::Unstorable { field: "subject", reason });
        }
        Ok(Appended { receipt: self.insert(log_id, command), is_new: true })
    }

    fn insert(&mut self, log_id: Uuid, command: AppendCommand) -> Receipt {
        let AppendCommand { stream, expected, cause, events, .. } = command;
        let last = self.events.last().map(|event| event.recorded_at).unwrap_or_default();
        let recorded_at: Timestamp = cause.occurred_at.max(last);
        let (mut version, mut ordinal) = (expected, 0);
        for (event_id, leaf, event) in events {
            version = version.next();
            let number = self.events.len() as u64 + 1;
            self.events.push(Recorded {
                position: Position { log_id, epoch: 1, number },
                stream: stream.clone(),
                version,
                event_id,
                event_type: event.event_type.into_owned(),
                payload: event.payload,
                key: event.key,
                occurred_at: cause.occurred_at,
                recorded_at,
                issuer: cause.issuer.clone(),
                command_id: cause.command_id,
                ordinal,
                digest: cause.digest,
                actor: cause.actor.clone(),
                correlation_id: cause.correlation_id,
                causation_id: cause.causation_id,
                rules_version: cause.rules_version.clone(),
                traceparent: cause.traceparent.clone(),
                origin: cause.origin.clone(),
                leaf,
            });
            ordinal += 1;
        }
        let position = Position { log_id, epoch: 1, number: self.events.len() as u64 };
        let receipt = Receipt { stream, version, position, recorded_at };
        self.answers.insert((cause.issuer, cause.command_id), (cause.digest, receipt.clone()));
        receipt
    }
}

impl EventStore for MemoryLog {
    type Turn = Turn;

    async fn turn(&self, stream: &StreamId) -> Turn {
        self.cache.turn(stream).await
    }

    async fn receipt(&self, cause: &Cause) -> Result<Option<Receipt>, StoreError> {
        self.state().answer(cause)
    }

    async fn load(&self, stream: &StreamId, above: Version) -> Result<Vec<Recorded>, StoreError> {
        let state = self.state();
        let history = state.stream(stream).filter(|event| event.version > above);
        Ok(history.cloned().collect())
    }

    async fn append(
        &self,
        stream: &StreamId,
        expected: Version,
        cause: &Cause,
        events: Vec<NewEvent>,
    ) -> Result<Appended, StoreError> {
        let command = AppendCommand::try_new(stream.clone(), expected, cause.clone(), events)?;
        self.state().append(self.log_id, command)
    }

    fn recall(&self, stream: &StreamId) -> Option<Folded> {
        self.cache.recall(stream)
    }

    fn remember(&self, stream: &StreamId, folded: Folded) {
        self.cache.remember(stream, folded);
    }

    fn forget(&self, stream: &StreamId) {
        self.cache.forget(stream);
    }
}
