use std::{fmt, future::Future, io::ErrorKind, pin::Pin, str::FromStr, sync::Arc, time::Duration};

use onenet_kernel::Timestamp;
use sqlx::{
    Acquire as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    own::answered,
    pooled::{Pooled, Silence},
};

/// How a context reaches its schema.
#[derive(Clone)]
pub struct DbSettings {
    /// `postgres://role:password@host:port/database`.
    pub url: String,
    /// Schema of the context; every statement resolves its tables there.
    pub schema: String,
    /// Upper bound of pooled connections; two to three per core serve well.
    pub max_connections: u32,
}

impl fmt::Debug for DbSettings {
    /// The URL holds a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DbSettings").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// The database failed or refused.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct DbError {
    doing: &'static str,
    #[source]
    source: sqlx::Error,
}

impl DbError {
    /// For `map_err`: says what was being done.
    pub fn while_(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self { doing, source }
    }

    /// Five-character SQLSTATE, where the server answered with one.
    #[must_use]
    pub fn sqlstate(&self) -> Option<String> {
        sqlstate(&self.source)
    }

    /// Whether the same statement with the same data must fail again: the data is at fault, not the
    /// moment.
    #[must_use]
    pub fn is_data(&self) -> bool {
        is_data(&self.source)
    }
}

pub(crate) fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .map(std::borrow::Cow::into_owned)
}

/// Classes 22 (data exception) and 23 (integrity constraint violation).
pub(crate) fn is_data(error: &sqlx::Error) -> bool {
    sqlstate(error).is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}

/// A boxed future that borrows the connection of its transaction.
pub type InTransaction<'c, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>;

/// A context's schema. The raw pool stays inside: a transaction whose caller is cancelled while it
/// begins would poison a pooled connection, so transactions run in tasks of their own.
#[derive(Clone)]
pub struct Db {
    pool: PgPool,
    silence: Silence,
    options: Arc<PgConnectOptions>,
    schema: Arc<str>,
}

impl Db {
    /// Opens a pool on the context's schema and takes one connection to prove that it works.
    pub async fn connect(settings: &DbSettings) -> Result<Self, DbError> {
        let options = connect_options(settings)
            .map_err(DbError::while_("the database URL cannot be read"))?;
        let silence = Silence::default();
        let broken = silence.clone();
        let pool = PgPoolOptions::new()
            .max_connections(settings.max_connections)
            // a process that lives is seen by whoever must be alone, however long it had nothing to do
            .min_connections(1)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false)
            .before_acquire(move |_, connection| {
                let is_usable = !broken.is_younger_than(connection.age);
                Box::pin(async move { Ok(is_usable) })
            })
            .connect_with(options.clone())
            .await
            .map_err(DbError::while_("connecting to the database"))?;
        let schema = settings.schema.as_str().into();
        Ok(Self { pool, silence, options: Arc::new(options), schema })
    }

    /// The schema's name.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// What the database's clock says.
    pub async fn now(&self) -> Result<Timestamp, DbError> {
        let query = sqlx::query_scalar("select clock_timestamp()");
        self.answered(query.fetch_one(&mut *self.reader().await?))
            .await
            .map(Timestamp::from_datetime)
            .map_err(DbError::while_("asking what time it is"))
    }

    /// A connection for single statements. Begin no transaction on it: use [`Db::transact`].
    pub async fn reader(&self) -> Result<Pooled, DbError> {
        let taken = self.pool.acquire().await;
        let connection = taken.map_err(DbError::while_("taking a database connection"))?;
        Ok(Pooled::new(connection, self.silence.clone()))
    }

    /// What is asked on a connection of [`Db::reader`], given up where the database says nothing for ten seconds:
    /// for who asks again and again, and would otherwise wait for good on a connection whose network is gone.
    pub async fn answered<T>(
        &self,
        asking: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        match answered(asking).await {
            Err(sqlx::Error::Io(error)) if error.kind() == ErrorKind::TimedOut => {
                Err(self.silent())
            }
            answer => answer,
        }
    }

    /// The database said nothing: no connection that there is now is used again.
    pub(crate) fn silent(&self) -> sqlx::Error {
        self.silence.noticed();
        sqlx::Error::Io(ErrorKind::TimedOut.into())
    }

    /// Runs `work` in a transaction and commits it if it answers `Ok`. It runs in a task of its own:
    /// a caller that goes away does not cut it in half.
    pub async fn transact<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> InTransaction<'c, T, E> + Send + 'static,
    {
        let db = self.clone();
        let task = tokio::spawn(async move {
            let mut connection = db.reader().await?;
            let begun = connection.begin().await;
            let mut tx = begun.map_err(DbError::while_("beginning a transaction"))?;
            let value = work(&mut tx).await?;
            tx.commit().await.map_err(DbError::while_("committing a transaction"))?;
            Ok(value)
        });
        match task.await {
            Ok(outcome) => outcome,
            Err(join) => {
                let source = sqlx::Error::Io(std::io::Error::other(join));
                Err(E::from(DbError { doing: "a transaction was stopped", source }))
            }
        }
    }

    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// For what is asked once: who asks again and again takes a [`Db::reader`].
    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn connect_options(settings: &DbSettings) -> Result<PgConnectOptions, sqlx::Error> {
    let search_path = format!("{},pg_temp", settings.schema);
    Ok(PgConnectOptions::from_str(&settings.url)?
        .application_name(&format!("onenet {}", settings.schema))
        .statement_cache_capacity(256)
        .options([
            ("search_path", search_path.as_str()),
            ("default_transaction_isolation", "read committed"),
            ("timezone", "UTC"),
            // a peer that vanished is noticed, a transaction that hangs is ended
            ("tcp_keepalives_idle", "30"),
            ("tcp_keepalives_interval", "10"),
            ("tcp_keepalives_count", "3"),
            ("tcp_user_timeout", "60000"),
            ("idle_in_transaction_session_timeout", "60000"),
        ]))
}
