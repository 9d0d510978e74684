use std::{future::Future, time::Duration};

use sqlx::{ConnectOptions as _, PgConnection, postgres::PgConnectOptions};

use crate::db::Db;

/// How long the database may say nothing. One that is gone without a word (a machine without power, a
/// firewall that forgot) says nothing for a quarter of an hour, and every command of the context would wait
/// behind it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// A connection outside the pool, made when it is first needed: its owner waits for nobody else's statement, and
/// a pool would ask it whether it lives, each time that it comes back.
pub(crate) struct OwnConnection {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl OwnConnection {
    pub(crate) fn new(db: &Db) -> Self {
        Self { options: db.options().clone(), connection: None }
    }

    /// One whose commits wait for no disk and no standby: for what nobody misses after a crash.
    pub(crate) fn forgetful(db: &Db) -> Self {
        let options = db.options().clone().options([("synchronous_commit", "off")]);
        Self { options, connection: None }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    pub(crate) async fn get(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            empty => Ok(empty.insert(self.options.connect().await?)),
        }
    }

    /// After a statement that failed or was given up: what is left of its answer would be the next one's.
    pub(crate) fn give_up(&mut self) {
        self.connection = None;
    }

    pub(crate) fn take(&mut self) -> Option<PgConnection> {
        self.connection.take()
    }
}

/// What is asked of the database, given up where it says nothing.
pub(crate) async fn answered<T>(
    asking: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let silent = |_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    tokio::time::timeout(ANSWERED_WITHIN, asking).await.unwrap_or_else(silent)
}
