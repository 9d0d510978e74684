use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{PgConnection, Postgres, pool::PoolConnection};
use tokio::sync::watch;

/// How long a connection that comes back may take to answer: for what is still under way on it, whose caller has gone.
/// Less than somebody else waits for its place.
const BACK_WITHIN: Duration = Duration::from_secs(5);

/// When the database was last given up because it said nothing. Whatever network it was, it was that of all pooled
/// connections: those that are older are not used again, so that not each of them is waited for in turn.
#[derive(Clone, Default)]
pub(crate) struct Silence(Arc<watch::Sender<Option<Instant>>>);

impl Silence {
    /// From now on no connection that there is already is handed out.
    pub(crate) fn noticed(&self) {
        self.0.send_replace(Some(Instant::now()));
    }

    /// Whether it was noticed after a connection of this age was made.
    pub(crate) fn is_younger_than(&self, age: Duration) -> bool {
        self.0.borrow().is_some_and(|noticed| noticed.elapsed() < age)
    }
}

/// A connection of the pool, which gets it back when this is dropped, whatever is under way on it.
pub struct Pooled {
    connection: PoolConnection<Postgres>,
    silence: Silence,
}

impl Pooled {
    pub(crate) fn new(connection: PoolConnection<Postgres>, silence: Silence) -> Self {
        Self { connection, silence }
    }
}

impl Deref for Pooled {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Pooled {
    /// The pool asks a connection that comes back whether it lives. By itself it would wait for the answer for good,
    /// and have one place less meanwhile.
    fn drop(&mut self) {
        let (coming_back, silence) = (self.connection.return_to_pool(), self.silence.clone());
        tokio::spawn(async move {
            if tokio::time::timeout(BACK_WITHIN, coming_back).await.is_err() {
                silence.noticed();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_connected_before_a_silence_is_older_than_it() {
        let (silence, an_hour) = (Silence::default(), Duration::from_hours(1));
        assert!(!silence.is_younger_than(an_hour), "there was none");
        silence.noticed();
        assert!(silence.is_younger_than(an_hour));
        assert!(!silence.is_younger_than(Duration::ZERO));
    }
}
