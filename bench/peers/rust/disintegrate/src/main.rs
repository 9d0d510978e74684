//! disintegrate on PostgreSQL: one event by `EventStore::append` with the query that no event of
//! this report may answer yet. `DecisionMaker::make` calls the same once it has read the state.
//!
//! The append is a serializable transaction, so PostgreSQL may refuse it although nobody wrote to
//! the same report. It asks whoever uses such transactions to try again; the time counts.

use disintegrate::serde::json::Json;
use disintegrate::{Event, EventStore, query};
use disintegrate_postgres::{Error, PgEventStore};
use onenet_peers_closed_loop::{Outcome, Settings, measure, text};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

/// Its transactions refuse each other the more often the more of them run: with 10 or 16 it appends
/// half as much.
const CONNECTIONS: u32 = 4;

type Store = PgEventStore<ReportEvent, Json<ReportEvent>>;

#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
enum ReportEvent {
    Reported {
        #[id]
        report_id: Uuid,
        text: String,
    },
}

/// The library's own schema, by its own migrator as far as the server understands it.
async fn initialize(pool: PgPool) -> Outcome<Store> {
    match Store::try_new(pool.clone(), Json::default()).await {
        Err(Error::Migration(_)) if !knows_hexadecimal(&pool).await? => {
            sqlx::raw_sql(include_str!("postgres-15.sql")).execute(&pool).await?;
            Ok(Store::new_uninitialized(pool, Json::default()))
        }
        outcome => Ok(outcome?),
    }
}

/// PostgreSQL reads hexadecimal numbers in SQL from version 16 on.
async fn knows_hexadecimal(pool: &PgPool) -> Outcome<bool> {
    let version: String = sqlx::query_scalar("SHOW server_version_num").fetch_one(pool).await?;
    Ok(version.parse::<u32>()? >= 160_000)
}

/// Appends the first event of a report; `Concurrency` if the report is there.
async fn append_first(store: &Store, report_id: Uuid, text: &str) -> Result<(), Error> {
    let event = ReportEvent::Reported { report_id, text: text.to_owned() };
    let this_report = query!(ReportEvent; report_id == report_id);
    store.append(vec![event], this_report, 0).await.map(|_| ())
}

/// The store says `Concurrency` for a refusal at the commit, and hands on PostgreSQL's own error
/// for one before it.
fn is_serialization_failure(error: &Error) -> bool {
    match error {
        Error::Concurrency => true,
        Error::Database(sqlx::Error::Database(error)) => error.code().as_deref() == Some("40001"),
        _ => false,
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let settings = Settings::from_arguments()?;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .min_connections(CONNECTIONS)
        .connect(&settings.get::<String>("postgres")?)
        .await?;
    let store = initialize(pool.clone()).await?;

    let empty = ReportEvent::Reported { report_id: Uuid::nil(), text: String::new() };
    let text = text(settings.get("payload")?, serde_json::to_string(&empty)?.len())?;

    let append = {
        let (store, text) = (store.clone(), text.clone());
        move || {
            let (store, text) = (store.clone(), text.clone());
            async move {
                let report_id = Uuid::new_v4();
                while let Err(error) = append_first(&store, report_id, &text).await {
                    if !is_serialization_failure(&error) {
                        return Err(error.into());
                    }
                }
                Ok(())
            }
        }
    };
    let measured = measure(&settings, append).await?;

    let taken = Uuid::nil();
    append_first(&store, taken, &text).await?;
    match append_first(&store, taken, &text).await {
        Err(Error::Concurrency) => {}
        other => return Err(format!("a second first event: {other:?}").into()),
    }
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM event WHERE report_id <> $1")
        .bind(taken)
        .fetch_one(&pool)
        .await?;
    measured.print("disintegrate", "disintegrate-postgres", u64::try_from(stored)?)
}
