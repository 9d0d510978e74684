use std::future::Future;

use onenet_kernel::{Corrupt, Recorded};
use sqlx::PgConnection;
use tracing::Span;

use crate::db::DbError;

/// What a follower does with an event. Projections write rows through `tx`, which commits together
/// with the checkpoint; reactions send a command to their own context, which drops repetitions by
/// the command's id.
pub trait Handler: Send + Sync + 'static {
    /// Whether [`handle_all`](Self::handle_all) is worth more than handling one by one.
    const WHOLE_BATCHES: bool = false;

    /// Frozen once released: the checkpoint is kept under it.
    fn name(&self) -> &'static str;

    /// Handles one event; an event it has no interest in is handled by doing nothing.
    fn handle(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
    ) -> impl Future<Output = Result<(), HandleError>> + Send;

    /// Handles events that came together. Where it fails, they are handled one by one.
    fn handle_all(
        &self,
        tx: &mut PgConnection,
        events: &[&Recorded],
    ) -> impl Future<Output = Result<(), HandleError>> + Send {
        async move {
            for event in events {
                self.handle(tx, event).await?;
            }
            Ok(())
        }
    }
}

/// The span in which a follower handles an event, so that one trace goes on in it.
pub type HandlingSpan = fn(&'static str, &Recorded) -> Span;

/// Why an event was not handled.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// Something it depends on is not there yet: it is tried again, and its key waits.
    #[error("not yet: {0}")]
    NotYet(String),
    /// The own context said no for good: recorded with its reason, and the rest goes on.
    #[error("refused: {0}")]
    Refused(String),
    /// It can never be handled as things are: it is parked for somebody to look at.
    #[error("{0}")]
    Poison(String),
    /// A dependency failed: the whole batch is tried again.
    #[error("a dependency failed")]
    Fault(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<DbError> for HandleError {
    fn from(error: DbError) -> Self {
        if error.is_data() { Self::Poison(chain(&error)) } else { Self::Fault(Box::new(error)) }
    }
}

impl From<sqlx::Error> for HandleError {
    fn from(error: sqlx::Error) -> Self {
        DbError::while_("writing rows")(error).into()
    }
}

impl From<Corrupt> for HandleError {
    fn from(error: Corrupt) -> Self {
        Self::Poison(error.to_string())
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
