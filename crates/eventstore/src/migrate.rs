use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, SqlStr,
    migrate::{Migration, MigrationType, Migrator},
};

use crate::db::{Db, DbError, sqlstate};

/// Tables of a log that nobody but its owner may write, whatever else the context's role may do.
const APPEND_ONLY: [&str; 4] = ["epochs", "events", "log", "quiet_commands"];

/// SQLSTATE of a database that is there already.
const DUPLICATE_DATABASE: &str = "42P04";

/// Schema steps of the log itself.
static LOG: Migrator = sqlx::migrate!("./migrations");

/// A step of a schema: its number, what it brings, and the statements.
pub type Step = (i64, &'static str, &'static str);

/// Why a schema was not brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database failed.
    #[error("preparing schema {schema}")]
    Db {
        /// The schema worked on.
        schema: String,
        /// What failed.
        #[source]
        source: DbError,
    },
    /// A step failed, or an applied one is not the one this program knows.
    #[error("migrating schema {schema}")]
    Step {
        /// The schema worked on.
        schema: String,
        /// What failed.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
}

/// What a schema is made of.
pub struct SchemaPlan<'a> {
    /// Its name: the context's.
    pub schema: &'a str,
    /// The role the context's processes run as.
    pub role: &'a str,
    /// The password it gets when it is created.
    pub password: &'a str,
    /// Steps beside those of the log: a name for their bookkeeping, and the steps.
    pub steps: &'a [(&'static str, &'a [Step])],
}

/// Creates a database on a server, as the superuser that `server` names, unless it is there.
pub async fn create_database(server: &str, name: &str) -> Result<(), DbError> {
    let doing = || DbError::while_("creating a database");
    let mut connection = PgConnection::connect(server).await.map_err(doing())?;
    let statement = format!("create database {}", quoted(name));
    match sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await {
        Err(error) if sqlstate(&error).as_deref() != Some(DUPLICATE_DATABASE) => {
            Err(doing()(error))
        }
        _ => Ok(()),
    }
}

/// Creates or updates a context's schema as the owning role that `url` names: role, event log, the
/// context's own tables, and rights. Forward only; runs again harmlessly; one at a time per database.
pub async fn migrate(url: &str, plan: &SchemaPlan<'_>) -> Result<(), MigrateError> {
    let db_error = |doing| {
        move |source| MigrateError::Db {
            schema: plan.schema.to_owned(),
            source: DbError::while_(doing)(source),
        }
    };
    let mut connection =
        PgConnection::connect(url).await.map_err(db_error("connecting as the owning role"))?;
    prepare(&mut connection, plan).await.map_err(db_error("creating role and schema"))?;
    run(&mut connection, plan, "_log_migrations", LOG.iter().cloned().collect()).await?;
    for (name, steps) in plan.steps {
        let steps = steps.iter().map(|&(version, brings, sql)| {
            let sql = SqlStr::from_static(sql);
            Migration::new(version, brings.into(), MigrationType::Simple, sql, false)
        });
        run(&mut connection, plan, name, steps.collect()).await?;
    }
    grant(&mut connection, plan.schema, plan.role).await.map_err(db_error("granting rights"))?;
    connection.close().await.map_err(db_error("disconnecting"))
}

/// How a schema stands to the steps that a program knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// Steps that it lacks: `onenet migrate` makes them.
    pub missing: Vec<String>,
    /// Steps of a newer program.
    pub unknown: Vec<String>,
}

/// Compares the steps a schema has been brought through with those of the log and of `known`.
pub async fn steps(db: &Db, known: &[(&'static str, &[Step])]) -> Result<Steps, DbError> {
    let log = LOG.iter().map(|step| step.version).collect();
    let known =
        known.iter().map(|(name, steps)| (*name, steps.iter().map(|step| step.0).collect()));
    let mut standing = Steps::default();
    for (bookkeeping, known) in std::iter::once(("_log_migrations", log)).chain(known) {
        let known: Vec<i64> = known;
        let statement = format!("select version from {} where success", quoted(bookkeeping));
        let made: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(statement))
            .fetch_all(db.pool())
            .await
            .map_err(DbError::while_("asking for the steps of a schema"))?;
        let name = |version: &i64| format!("{}.{bookkeeping} {version}", db.schema());
        standing.missing.extend(known.iter().filter(|step| !made.contains(step)).map(name));
        standing.unknown.extend(made.iter().filter(|step| !known.contains(step)).map(name));
    }
    Ok(standing)
}

async fn prepare(connection: &mut PgConnection, plan: &SchemaPlan<'_>) -> Result<(), sqlx::Error> {
    let (schema, role) = (quoted(plan.schema), quoted(plan.role));
    let password = plan.password.replace('\'', "''");
    // Roles belong to the whole server, so another database's migration may be creating it now. The
    // password of a role that is there already is its administrator's business.
    let statements = format!(
        "do $$ begin
             create role {role} login password '{password}';
         exception when duplicate_object or unique_violation then null;
         end $$;
         create schema if not exists {schema};
         set search_path = {schema}, pg_temp;",
    );
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.map(drop)
}

async fn run(
    connection: &mut PgConnection,
    plan: &SchemaPlan<'_>,
    bookkeeping: &str,
    steps: Vec<Migration>,
) -> Result<(), MigrateError> {
    let mut steps = Migrator::with_migrations(steps);
    steps.dangerous_set_table_name(format!("{}.{bookkeeping}", quoted(plan.schema)));
    steps
        .run(connection)
        .await
        .map_err(|source| MigrateError::Step { schema: plan.schema.to_owned(), source })
}

/// The context's role reads everything, writes what is its own, and appends through the function.
pub(crate) async fn grant(
    connection: &mut PgConnection,
    schema: &str,
    role: &str,
) -> Result<(), sqlx::Error> {
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = $1")
            .bind(schema)
            .fetch_all(&mut *connection)
            .await?;
    let (schema, role) = (quoted(schema), quoted(role));
    let own = tables
        .iter()
        .filter(|table| !APPEND_ONLY.contains(&table.as_str()) && !table.starts_with('_'))
        .map(|table| format!("{schema}.{}", quoted(table)))
        .collect::<Vec<_>>()
        .join(", ");
    let statements = format!(
        "grant usage on schema {schema} to {role};
         grant select on all tables in schema {schema} to {role};
         grant insert, update, delete on {own} to {role};
         grant execute on function {schema}.append, {schema}.append_events to {role};"
    );
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.map(drop)
}

pub(crate) fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}
