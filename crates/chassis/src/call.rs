use std::{ops::Deref, time::Duration};

use jiff::civil::Date;
use onenet_eventstore::{HandleError, PgLog, Timer};
use onenet_kernel::{
    Actor, Aggregate, Cause, Digest, ExecuteError, Issuer, Receipt, Recorded, StoreError, StreamId,
    Timestamp, Version, execute,
};
use onenet_standards::Uscc;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{Caller, Refusal, trace};

/// One call of an authenticated organisation.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// When the call came in.
    pub now: Timestamp,
    /// The day in Beijing when it came in.
    pub today: Date,
    /// Path of the RPC, `/onenet.<context>.v1.<Service>/<Method>`.
    pub rpc: String,
    pub(crate) deadline: Instant,
}

impl Call {
    /// The RPC's method: the action that policies speak of.
    #[must_use]
    pub fn action(&self) -> &str {
        self.rpc.rsplit('/').next().unwrap_or_default()
    }

    /// The caller's code.
    #[must_use]
    pub fn uscc(&self) -> &Uscc {
        &self.caller.uscc
    }

    /// What is left of the time the caller gives.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// A call that may change something.
#[derive(Clone, Debug)]
pub struct Write {
    pub(crate) call: Call,
    pub(crate) command_id: Uuid,
    pub(crate) digest: Digest,
    pub(crate) expected: Option<Version>,
}

impl Deref for Write {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

impl Write {
    /// Who asks for what, as the log keeps it. `occurred_at` is when the facts happened.
    #[must_use]
    pub fn cause(&self, occurred_at: Timestamp, rules_version: &str) -> Cause {
        let uscc = self.call.caller.uscc.as_str();
        Cause {
            issuer: Issuer::organisation(uscc),
            command_id: self.command_id,
            digest: self.digest,
            actor: Actor { organisation: uscc.to_owned(), person: None },
            correlation_id: self.command_id,
            causation_id: None,
            occurred_at,
            rules_version: rules_version.to_owned(),
            traceparent: trace::traceparent(),
            origin: None,
        }
    }

    /// The key of what this command makes: the same for every retry of it.
    #[must_use]
    pub fn new_key(&self, category: &str) -> Uuid {
        derived_key(
            &Issuer::organisation(self.call.caller.uscc.as_str()),
            self.command_id,
            category,
        )
    }

    /// Decides and appends; the only way from a call into the log.
    pub async fn execute<A: Aggregate>(
        &self,
        log: &PgLog,
        stream: &StreamId,
        command: &A::Command,
        occurred_at: Timestamp,
        rules_version: &str,
    ) -> Result<Receipt, Refusal>
    where
        A::Rejection: Into<Refusal>,
    {
        let cause = self.cause(occurred_at, rules_version);
        Ok(execute::<A>(log, stream, self.expected, command, &cause).await?)
    }
}

/// The key of an aggregate that nothing of the field makes unique: derived from the command that
/// makes it.
#[must_use]
pub fn derived_key(issuer: &Issuer, command_id: Uuid, category: &str) -> Uuid {
    Uuid::new_v5(&command_id, format!("{issuer}/{category}").as_bytes())
}

/// The cause of a command that follows from an event of another context: sent by the node itself,
/// known by the event and the reaction's name.
#[must_use]
pub fn reaction_cause(operator: &Uscc, name: &str, event: &Recorded, rules_version: &str) -> Cause {
    Cause {
        issuer: Issuer::reaction(name),
        command_id: Uuid::new_v5(&event.event_id, name.as_bytes()),
        digest: digest_of(name, event.event_id.as_bytes()),
        causation_id: Some(event.event_id),
        correlation_id: event.correlation_id,
        occurred_at: event.occurred_at,
        ..internal_cause(operator, rules_version, &event.traceparent)
    }
}

/// The cause of the command a timer stands for.
#[must_use]
pub fn timer_cause(operator: &Uscc, timer: &Timer, rules_version: &str) -> Cause {
    Cause {
        issuer: Issuer::timer(),
        command_id: timer.command_id(),
        digest: digest_of(&timer.name, timer.command_id().as_bytes()),
        causation_id: Some(timer.armed_by),
        correlation_id: timer.correlation_id,
        occurred_at: timer.due_at,
        ..internal_cause(operator, rules_version, &timer.traceparent)
    }
}

fn internal_cause(operator: &Uscc, rules_version: &str, traceparent: &str) -> Cause {
    let here = trace::traceparent();
    Cause {
        issuer: Issuer::timer(),
        command_id: Uuid::nil(),
        digest: Digest::default(),
        actor: Actor { organisation: operator.as_str().to_owned(), person: None },
        correlation_id: Uuid::nil(),
        causation_id: None,
        occurred_at: Timestamp::default(),
        rules_version: rules_version.to_owned(),
        traceparent: if here.is_empty() { traceparent.to_owned() } else { here },
        origin: None,
    }
}

/// SHA-256 over the name of what is asked and its content.
pub(crate) fn digest_of(name: &str, content: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update((name.len() as u64).to_be_bytes());
    hash.update(name.as_bytes());
    hash.update(content);
    hash.finalize().into()
}

/// How a reaction or a timer ends: done, refused for good, not yet, or failed.
pub fn ended<R: std::error::Error>(
    outcome: Result<Receipt, ExecuteError<R>>,
) -> Result<Receipt, HandleError> {
    match outcome {
        Ok(receipt) => Ok(receipt),
        Err(ExecuteError::Rejected(rejection)) => Err(HandleError::Refused(rejection.to_string())),
        Err(ExecuteError::Corrupt(corrupt)) => Err(corrupt.into()),
        Err(ExecuteError::Contended | ExecuteError::Conflict { .. }) => {
            Err(HandleError::NotYet("the stream is contended".to_owned()))
        }
        Err(ExecuteError::Store(
            error @ (StoreError::CommandReused | StoreError::Unstorable { .. }),
        )) => Err(HandleError::Poison(error.to_string())),
        Err(ExecuteError::Store(error)) => Err(HandleError::Fault(Box::new(error))),
    }
}
