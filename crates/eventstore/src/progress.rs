use std::{future::Future, time::Duration};

use tokio::{sync::watch, time::Instant};

use crate::db::{Db, DbError};

/// How long the work of a transaction may get no further. The server ends a transaction in which nothing is asked for
/// as long, so this takes no time away from a handler that had it before.
const STUCK_AFTER: Duration = Duration::from_mins(1);

/// When work in a transaction last got further. It may take as long as it likes in all, and no step of it may hang.
pub(crate) struct Progress(watch::Sender<Instant>);

impl Default for Progress {
    fn default() -> Self {
        Self(watch::Sender::new(Instant::now()))
    }
}

impl Progress {
    pub(crate) fn made(&self) {
        self.0.send_replace(Instant::now());
    }

    /// What the work answers; a failure where it got no further and was given up.
    pub(crate) async fn of<T, E: From<DbError>>(
        &self,
        db: &Db,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.made();
        tokio::select! {
            biased;
            done = work => done,
            silent = self.ended(db) => Err(DbError::while_("handling events")(silent).into()),
        }
    }

    /// Tells the pool before the work is dropped: a connection on which a transaction was about to begin would
    /// otherwise come back, and whoever gets it next would write into that transaction.
    async fn ended(&self, db: &Db) -> sqlx::Error {
        loop {
            let at = *self.0.borrow() + STUCK_AFTER;
            if Instant::now() >= at {
                return db.silent();
            }
            tokio::time::sleep_until(at).await;
        }
    }
}
