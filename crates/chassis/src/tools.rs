//! A node's logs and topics, for what is done beside the processes that run it.

use onenet_eventstore::{Db, DbError, PgLog, SchemaPlan, Step, Steps, migrate, steps};
use onenet_kafka::{Cluster, TopicError, Topics};

use crate::{
    config::{Settings, role},
    context::{Context, StartError},
};

pub(crate) const REGISTER: &[Step] = &[
    (1, "register and audit", include_str!("../migrations/0001_register.sql")),
    (2, "agencies", include_str!("../migrations/0002_agencies.sql")),
];

type Bookkeeping = (&'static str, &'static [Step]);

/// The schemas of a context, each with its steps beside those of the log.
fn schemas(context: &Context) -> Vec<(&'static str, Vec<Bookkeeping>)> {
    let own = vec![("_register_migrations", REGISTER), ("_context_migrations", context.migrations)];
    let further = context.further_logs.iter().map(|schema| (*schema, Vec::new()));
    std::iter::once((context.name, own)).chain(further).collect()
}

/// Creates or updates the schemas and topics of a context.
pub async fn prepare(context: &Context, settings: &Settings) -> Result<(), StartError> {
    let (owner, password) = (settings.owner_url()?, settings.database_password()?);
    for (schema, steps) in schemas(context) {
        let (role, steps) = (role(schema), &steps);
        migrate(&owner, &SchemaPlan { schema, role: &role, password: &password, steps }).await?;
    }
    if let (Some(kafka), Some(cluster)) = (&settings.kafka, settings.cluster()) {
        let beside = (context.beside)(kafka);
        topics(settings, context.name).ensure(&cluster, kafka.partitions, &beside).await?;
    }
    Ok(())
}

/// Every log of a context, opened, with how its schema stands to the steps that this program knows.
pub async fn logs(
    context: &Context,
    settings: &Settings,
) -> Result<Vec<(PgLog, Steps)>, StartError> {
    let mut logs = Vec::new();
    for (schema, known) in schemas(context) {
        let log = open_log(settings, schema).await?;
        let failed =
            |source: DbError| StartError::Log { schema: schema.to_owned(), source: source.into() };
        let standing = steps(log.db(), &known).await.map_err(failed)?;
        logs.push((log, standing));
    }
    Ok(logs)
}

/// Opens a context's own log, if every step that this program knows was made in each of its schemas. A
/// schema may be newer: it is brought up to date while older programs still serve, and one of them may
/// have to start again.
pub(crate) async fn open_own(context: &Context, settings: &Settings) -> Result<PgLog, StartError> {
    let mut opened = logs(context, settings).await?;
    for (log, Steps { missing, unknown }) in &opened {
        let schema = log.db().schema().to_owned();
        if !missing.is_empty() {
            return Err(StartError::Behind { schema, missing: missing.join(", ") });
        }
        if !unknown.is_empty() {
            tracing::warn!(schema, unknown = unknown.join(", "), "the schema is newer");
        }
    }
    for (further, _) in opened.drain(1..) {
        further.db().close().await;
    }
    let (own, _) = opened.swap_remove(0);
    Ok(own)
}

/// Checks a context's topics and changes nothing; without Kafka there are none.
pub async fn check_topics(context: &Context, settings: &Settings) -> Result<(), TopicError> {
    let (Some(kafka), Some(cluster)) = (&settings.kafka, settings.cluster()) else {
        return Ok(());
    };
    let beside = (context.beside)(kafka);
    topics(settings, context.name).check(&cluster, kafka.partitions, &beside).await
}

/// Refuses to start over topics that are not what the contract says. While Kafka is away nothing can be said
/// of them: the context serves, and its relay waits.
pub(crate) async fn fit_topics(context: &Context, settings: &Settings) -> Result<(), TopicError> {
    match check_topics(context, settings).await {
        Err(TopicError::Kafka(fault)) => {
            let error = &fault as &dyn std::error::Error;
            tracing::warn!(error, context = context.name, "topics are not checked");
            Ok(())
        }
        outcome => outcome,
    }
}

/// A context's log, cluster and topics, for tools beside the running node.
pub async fn tools(
    context: &Context,
    settings: &Settings,
) -> Result<(PgLog, Option<Cluster>, Topics), StartError> {
    let log = open_log(settings, context.name).await?;
    Ok((log, settings.cluster(), topics(settings, context.name)))
}

/// One log of a node.
pub async fn open_log(settings: &Settings, schema: &str) -> Result<PgLog, StartError> {
    let failed = |source| StartError::Log { schema: schema.to_owned(), source };
    let connected = Db::connect(&settings.database(schema)?).await;
    let db = connected.map_err(|error: DbError| failed(error.into()))?;
    PgLog::open(db).await.map_err(failed)
}

pub(crate) fn topics(settings: &Settings, context: &str) -> Topics {
    Topics {
        prefix: settings.kafka.as_ref().map(|kafka| kafka.prefix.clone()).unwrap_or_default(),
        node: settings.node.name.clone(),
        context: context.to_owned(),
    }
}
