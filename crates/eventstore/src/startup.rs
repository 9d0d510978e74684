use sqlx::Row as _;

use crate::db::{Db, DbError};

/// Why a log is not opened.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// The server could lose what it acknowledged, or judge on a stale snapshot.
    #[error("PostgreSQL setting {setting} is {actual}, but must be {needed}: change it and reload")]
    UnsafeServer {
        /// Its name in postgresql.conf.
        setting: &'static str,
        /// What it is now.
        actual: String,
        /// What it must be.
        needed: &'static str,
    },
    /// The schema is missing or older than this program.
    #[error("schema {schema} has no event log that this version knows: run `onenet migrate`")]
    NotMigrated {
        /// The context's schema.
        schema: String,
    },
    /// The role could change events behind the log's back.
    #[error("role {role} may write table events of schema {schema}: run as the context's own role")]
    TooPowerful {
        /// The role connected as.
        role: String,
        /// The context's schema.
        schema: String,
    },
    /// The database failed.
    #[error("checking the event log")]
    Db(#[source] DbError),
}

impl From<DbError> for StartupError {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

const SETTINGS: [(&str, &[&str], &str); 5] = [
    ("fsync", &["on"], "on"),
    ("full_page_writes", &["on"], "on"),
    ("synchronous_commit", &["on", "remote_write", "remote_apply", "local"], "on or stricter"),
    ("default_transaction_isolation", &["read committed"], "read committed"),
    ("server_encoding", &["UTF8"], "UTF8"),
];

pub(crate) async fn check(db: &Db) -> Result<(), StartupError> {
    for (setting, accepted, needed) in SETTINGS {
        let actual: String = sqlx::query_scalar("select current_setting($1)")
            .bind(setting)
            .fetch_one(db.pool())
            .await
            .map_err(DbError::while_("reading the server's settings"))?;
        if !accepted.contains(&actual.as_str()) {
            return Err(StartupError::UnsafeServer { setting, actual, needed });
        }
    }
    check_replication(db).await?;
    check_schema(db).await
}

/// Where standbys are to be waited for, commits must wait for them: a role or a database for which
/// that is turned off would be answered before the standbys have anything.
async fn check_replication(db: &Db) -> Result<(), StartupError> {
    let (commits, standbys): (String, String) = sqlx::query_as(
        "select current_setting('synchronous_commit'), current_setting('synchronous_standby_names')",
    )
    .fetch_one(db.pool())
    .await
    .map_err(DbError::while_("reading the server's settings"))?;
    match commits.as_str() {
        _ if standbys.is_empty() => {}
        "local" => {
            return Err(StartupError::UnsafeServer {
                setting: "synchronous_commit",
                actual: commits,
                needed: "on or remote_apply where synchronous_standby_names is set",
            });
        }
        "remote_write" => tracing::warn!(
            synchronous_commit = commits,
            "a crash of the standby's system together with the primary loses what was acknowledged"
        ),
        _ => {}
    }
    Ok(())
}

async fn check_schema(db: &Db) -> Result<(), StartupError> {
    let row = sqlx::query(
        "select to_regclass('events') is not null and to_regclass('epochs') is not null as exists,
            to_regclass('events') is not null and has_table_privilege(to_regclass('events'),
                'INSERT, UPDATE, DELETE, TRUNCATE') as may_write,
            current_user::text as role",
    )
    .fetch_one(db.pool())
    .await
    .and_then(|row| Ok((row.try_get("exists")?, row.try_get("may_write")?, row.try_get("role")?)));
    let (exists, may_write, role): (bool, bool, String) =
        row.map_err(DbError::while_("looking at the schema"))?;
    let schema = db.schema().to_owned();
    if !exists {
        return Err(StartupError::NotMigrated { schema });
    }
    if may_write {
        return Err(StartupError::TooPowerful { role, schema });
    }
    Ok(())
}
