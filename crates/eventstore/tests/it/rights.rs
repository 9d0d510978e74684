//! Events never change: what the context's own role may not do, and what is refused at start-up.

use std::{fs, os::unix::fs::PermissionsExt as _};

use onenet_devservers::Postgres;
use onenet_eventstore::{Db, PgLog, StartupError, testing::Scratch};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;

use crate::support::{SCHEMA, append, scratch};

#[tokio::test]
async fn the_service_role_may_neither_insert_nor_change_nor_empty() {
    let (scratch, log) = scratch().await;
    append(&log, "a", 0, &["1"]).await.unwrap();
    let mut role = PgConnection::connect(&scratch.settings(SCHEMA).url).await.unwrap();
    for table in ["events", "quiet_commands", "log", "epochs"] {
        for statement in [
            format!("insert into {SCHEMA}.{table} select * from {SCHEMA}.{table}"),
            format!("update {SCHEMA}.{table} set epoch = 9"),
            format!("delete from {SCHEMA}.{table}"),
            format!("truncate {SCHEMA}.{table}"),
        ] {
            let outcome = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut role).await;
            let code =
                outcome.unwrap_err().into_database_error().unwrap().code().unwrap().into_owned();
            assert_eq!(code, "42501", "{statement}");
        }
    }
}

#[tokio::test]
async fn not_even_the_owner_changes_an_event_by_mistake() {
    let (scratch, log) = scratch().await;
    append(&log, "a", 0, &["1"]).await.unwrap();
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    for statement in ["update events set payload = ''", "delete from events", "truncate events"] {
        let outcome = sqlx::raw_sql(statement).execute(&mut owner).await;
        assert_eq!(outcome.unwrap_err().into_database_error().unwrap().code().unwrap(), "42501");
    }
}

#[tokio::test]
async fn a_log_is_not_opened_by_a_role_that_could_write_it() {
    let (scratch, _log) = scratch().await;
    let mut settings = scratch.settings(SCHEMA);
    settings.url = scratch.owner_url();
    let opened = PgLog::open(Db::connect(&settings).await.unwrap()).await;
    assert!(matches!(opened.err(), Some(StartupError::TooPowerful { .. })));
}

#[tokio::test]
async fn a_schema_without_a_log_says_what_to_do() {
    let (scratch, _log) = scratch().await;
    let settings = scratch.settings("elsewhere");
    let error = PgLog::open(Db::connect(&settings).await.unwrap()).await.err().unwrap();
    assert!(matches!(error, StartupError::NotMigrated { .. }));
    assert!(error.to_string().contains("onenet migrate"), "{error}");
}

#[tokio::test]
async fn a_server_that_could_forget_is_refused() {
    let (scratch, _log) = scratch().await;
    let mut owner = scratch.owner(SCHEMA).await.unwrap();
    let database = scratch.owner_url().rsplit_once('/').unwrap().1.to_owned();
    sqlx::raw_sql(AssertSqlSafe(format!("alter database {database} set synchronous_commit = off")))
        .execute(&mut owner)
        .await
        .unwrap();
    let opened = PgLog::open(Db::connect(&scratch.settings(SCHEMA)).await.unwrap()).await;
    assert!(matches!(
        opened.err(),
        Some(StartupError::UnsafeServer { setting: "synchronous_commit", .. })
    ));
}

/// A server of the test's own.
struct Private {
    _folder: TempDir,
    _server: Postgres,
    scratch: Scratch,
    superuser: PgConnection,
}

impl Private {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // for root, PostgreSQL runs as somebody else
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let server = Postgres::start(folder.path()).unwrap();
        let url = server.url("postgres");
        let scratch = Scratch::create(&url).await.unwrap();
        scratch.log(SCHEMA, &[]).await.unwrap();
        let superuser = PgConnection::connect(&url).await.unwrap();
        Self { _folder: folder, _server: server, scratch, superuser }
    }

    /// Changes a setting of the whole server, and waits until it is taken up.
    async fn set(&mut self, setting: &str, value: &str) {
        for statement in [
            format!("alter system set {setting} = '{value}'"),
            "select pg_reload_conf()".to_owned(),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut self.superuser).await.unwrap();
        }
        // each server process takes it up on its own
        loop {
            let actual: String = sqlx::query_scalar("select current_setting($1)")
                .bind(setting)
                .fetch_one(&mut self.superuser)
                .await
                .unwrap();
            if actual == value {
                break;
            }
        }
    }

    /// The setting for which a log is refused.
    async fn refused_for(&self) -> Option<&'static str> {
        let db = Db::connect(&self.scratch.settings(SCHEMA)).await.unwrap();
        match PgLog::open(db).await.err()? {
            StartupError::UnsafeServer { setting, .. } => Some(setting),
            other => unreachable!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_could_forget_in_a_crash_is_refused() {
    let mut server = Private::start().await;
    for setting in ["fsync", "full_page_writes"] {
        server.set(setting, "off").await;
        assert_eq!(server.refused_for().await, Some(setting));
        server.set(setting, "on").await;
        assert_eq!(server.refused_for().await, None, "{setting}");
    }
}

#[tokio::test]
async fn a_server_whose_commits_do_not_wait_for_its_synchronous_standbys_is_refused() {
    let mut server = Private::start().await;
    server.set("synchronous_commit", "local").await;
    assert_eq!(server.refused_for().await, None, "there is no standby to wait for");
    server.set("synchronous_standby_names", "ANY 1 (second)").await;
    assert_eq!(server.refused_for().await, Some("synchronous_commit"));
    for waits in ["remote_write", "on", "remote_apply"] {
        server.set("synchronous_commit", waits).await;
        assert_eq!(server.refused_for().await, None, "{waits}");
    }
}

#[tokio::test]
async fn append_refuses_any_isolation_but_read_committed() {
    let (scratch, _log) = scratch().await;
    let mut role = PgConnection::connect(&scratch.settings(SCHEMA).url).await.unwrap();
    let empty = "'{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}',\
        '{}','{}','{}','{}','{}','{}','{}','{}','{}'";
    let statement = format!(
        "begin isolation level repeatable read; select * from {SCHEMA}.append({empty}); rollback"
    );
    let outcome = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut role).await;
    assert_eq!(outcome.unwrap_err().into_database_error().unwrap().code().unwrap(), "25001");
}
