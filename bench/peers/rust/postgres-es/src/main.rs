//! postgres-es, the PostgreSQL store of cqrs-es: one event into a new aggregate by
//! `EventStore::commit`, which is what `CqrsFramework::execute` calls once it has loaded the
//! aggregate and asked it. Loading is left out here: nothing reads before the appends it is
//! compared with either.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{EventStoreAggregateContext, PersistedEventStore};
use cqrs_es::{Aggregate, AggregateError, DomainEvent, EventStore};
use onenet_peers_closed_loop::{Outcome, Settings, measure, text};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

/// Its `default_postgress_pool` has 10, with which it appends somewhat less.
const CONNECTIONS: u32 = 16;

/// As in the package's `db/init.sql`, of which it says that the tables must exist.
const SCHEMA: &str = "CREATE TABLE events (
    aggregate_type text                         NOT NULL,
    aggregate_id   text                         NOT NULL,
    sequence       bigint CHECK (sequence >= 0) NOT NULL,
    event_type     text                         NOT NULL,
    event_version  text                         NOT NULL,
    payload        json                         NOT NULL,
    metadata       json                         NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
)";

type Store = PersistedEventStore<PostgresEventRepository, Report>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum ReportEvent {
    Reported { text: String },
}

impl DomainEvent for ReportEvent {
    fn event_type(&self) -> String {
        "Reported".to_owned()
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Report;

impl Aggregate for Report {
    const TYPE: &'static str = "report";
    type Command = ReportEvent;
    type Event = ReportEvent;
    type Error = Infallible;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        _: &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        sink.write(command, self).await;
        Ok(())
    }

    fn apply(&mut self, _: Self::Event) {}
}

/// Commits the first event of a report; `AggregateConflict` if the report is there.
async fn append_first(
    store: &Store,
    id: String,
    text: &str,
) -> Result<(), AggregateError<Infallible>> {
    let event = ReportEvent::Reported { text: text.to_owned() };
    // an aggregate of which nothing is stored
    let context = EventStoreAggregateContext {
        aggregate_id: id,
        aggregate: Report,
        current_sequence: 0,
        current_snapshot: None,
    };
    store.commit(vec![event], context, HashMap::new()).await.map(|_| ())
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let settings = Settings::from_arguments()?;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .min_connections(CONNECTIONS)
        .connect(&settings.get::<String>("postgres")?)
        .await?;
    sqlx::raw_sql(SCHEMA).execute(&pool).await?;
    let repository = PostgresEventRepository::new(pool.clone());
    let store = Arc::new(Store::new_event_store(repository));

    let empty = ReportEvent::Reported { text: String::new() };
    let text = text(settings.get("payload")?, serde_json::to_string(&empty)?.len())?;

    let append = {
        let (store, text) = (store.clone(), text.clone());
        move || {
            let (store, text) = (store.clone(), text.clone());
            async move { Ok(append_first(&store, Uuid::new_v4().to_string(), &text).await?) }
        }
    };
    let measured = measure(&settings, append).await?;

    append_first(&store, "taken".to_owned(), &text).await?;
    match append_first(&store, "taken".to_owned(), &text).await {
        Err(AggregateError::AggregateConflict) => {}
        other => return Err(format!("a second first event: {other:?}").into()),
    }
    let stored: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events WHERE aggregate_id <> 'taken'")
            .fetch_one(&pool)
            .await?;
    measured.print("postgres-es", "postgres-es", u64::try_from(stored)?)
}
