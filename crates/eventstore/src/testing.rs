//! What tests of the log and of its readers share: a database of their own on a server they were
//! given, and commands and events that mean nothing.

pub mod half_open;
pub mod memory;
pub mod sources;

use onenet_kernel::{Actor, Cause, Issuer, Key, NewEvent, Timestamp};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use uuid::Uuid;

use crate::{
    db::{Db, DbError, DbSettings},
    log::PgLog,
    migrate::{MigrateError, SchemaPlan, Step, create_database, migrate},
    startup::StartupError,
};

/// An organisation that tests act as.
const ORGANISATION: &str = "11410000MB15291763";

/// Role and password of every test's context: roles belong to the whole server.
const ROLE: &str = "onenet_test";

/// Why a test got no database.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// The server failed.
    #[error("creating a database for a test")]
    Db(#[from] DbError),
    /// The schema was refused.
    #[error("migrating a test's database")]
    Migrate(#[from] MigrateError),
    /// The log was refused.
    #[error("opening a test's log")]
    Startup(#[from] StartupError),
}

/// A fresh database.
pub struct Scratch {
    server: String,
    database: String,
}

impl Scratch {
    /// `server` is a superuser's URL that ends in a database's name.
    pub async fn create(server: &str) -> Result<Self, ScratchError> {
        let database = format!("scratch_{}", crate::new_owner().simple());
        create_database(server, &database).await?;
        Ok(Self { server: server.to_owned(), database })
    }

    /// The superuser's URL of this database.
    #[must_use]
    pub fn owner_url(&self) -> String {
        let server =
            self.server.rsplit_once('/').map_or(self.server.as_str(), |(server, _)| server);
        format!("{server}/{}", self.database)
    }

    /// What the context's role connects with.
    #[must_use]
    pub fn settings(&self, schema: &str) -> DbSettings {
        let owner = self.owner_url();
        let host = owner.rsplit_once('@').map_or(owner.as_str(), |(_, host)| host);
        DbSettings {
            url: format!("postgres://{ROLE}:{ROLE}@{host}"),
            schema: schema.to_owned(),
            max_connections: 8,
        }
    }

    /// Migrates a schema with the context's own steps beside the log's, and opens its log.
    pub async fn log(
        &self,
        schema: &str,
        steps: &[(&'static str, &[Step])],
    ) -> Result<PgLog, ScratchError> {
        let plan = SchemaPlan { schema, role: ROLE, password: ROLE, steps };
        migrate(&self.owner_url(), &plan).await?;
        Ok(PgLog::open(Db::connect(&self.settings(schema)).await?).await?)
    }

    /// A connection as the superuser, with the schema first on its search path.
    pub async fn owner(&self, schema: &str) -> Result<PgConnection, DbError> {
        let doing = || DbError::while_("connecting as the owner");
        let mut connection = PgConnection::connect(&self.owner_url()).await.map_err(doing())?;
        sqlx::raw_sql(AssertSqlSafe(format!("set search_path = {schema}, pg_temp")))
            .execute(&mut connection)
            .await
            .map_err(doing())?;
        Ok(connection)
    }
}

/// An id for a test's command, of the kind that callers are advised to use.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "ids of tests ascend with time, as those of callers do"
)]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// The cause of a test's command.
#[must_use]
pub fn cause(command_id: Uuid) -> Cause {
    Cause {
        issuer: Issuer::organisation(ORGANISATION),
        command_id,
        digest: [7; 32],
        actor: Actor { organisation: ORGANISATION.to_owned(), person: None },
        correlation_id: command_id,
        causation_id: None,
        occurred_at: Timestamp::from_micros(1_790_000_000_000_000),
        rules_version: String::new(),
        traceparent: String::new(),
        origin: None,
    }
}

/// An event about `subject` that says `payload`.
#[must_use]
pub fn event(subject: &str, payload: &str) -> NewEvent {
    let key =
        Key { subject: subject.to_owned(), division: "410102".to_owned(), industry: String::new() };
    NewEvent {
        event_type: "test.v1.Happened".into(),
        payload: payload.as_bytes().to_vec().into(),
        key,
    }
}
