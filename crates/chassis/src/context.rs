//! What a context is made of, and how a process runs the parts of it that it is told to.

use std::{future::Future, pin::Pin, sync::Arc};

use futures::FutureExt as _;
use onenet_eventstore::{
    DbError, FollowerError, MigrateError, PgLog, StartupError, Step, measure_parked,
};
use onenet_kafka::{Beside, KafkaFault, Mapping, Relay, RelayError, TopicError};
use onenet_kernel::{Clock, Recorded};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::service::{Routes, RoutesBuilder};
use tracing::Span;

use crate::{
    access::{Policies, PolicyError},
    certificates::Certificates,
    config::{ConfigError, KafkaSettings, Settings},
    door::Door,
    endpoint::Endpoint,
    meters,
    parts::{AddService, Host, Neighbours, Parts},
    server,
    tools::{open_log, topics},
    trace,
};

/// What a process does of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Answers calls.
    Api,
    /// Fills read models from the own log.
    Project,
    /// Publishes the log.
    Relay,
    /// Follows the topics of others.
    React,
    /// Fires what is due.
    Clock,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Api, Self::Project, Self::Relay, Self::React, Self::Clock];
}

/// What a context is: each service crate exports one.
pub struct Context {
    /// Its name: its schema, its package, its topics.
    pub name: &'static str,
    /// Its own tables, beside those of the log.
    pub migrations: &'static [Step],
    /// Schemas of further logs it keeps.
    pub further_logs: &'static [&'static str],
    /// Its access policies, in Cedar.
    pub policies: &'static str,
    /// Which records an event becomes.
    pub mapping: Mapping,
    /// Topics it publishes beside its events, for others: who reads the blacklist may read every one.
    pub beside: fn(&KafkaSettings) -> Vec<Beside>,
    /// Puts its parts together.
    pub open: fn(Host) -> Opening,
}

/// A context that is being put together.
pub type Opening = Pin<Box<dyn Future<Output = Result<Parts, StartError>> + Send>>;

/// Why a context does not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its policies do not fit its contract.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A table that comes with the program is damaged.
    #[error(transparent)]
    Table(#[from] onenet_standards::TableError),
    /// Its database cannot be used.
    #[error("opening the log of {schema}")]
    Log {
        /// Which schema.
        schema: String,
        /// Why.
        #[source]
        source: StartupError,
    },
    /// Its schema was not brought up to date.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// Its topics do not fit.
    #[error(transparent)]
    Topics(#[from] TopicError),
    /// A follower contradicts its source.
    #[error(transparent)]
    Follower(#[from] FollowerError),
    /// A relay contradicts its topic.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// Kafka's client cannot be made.
    #[error(transparent)]
    Kafka(#[from] KafkaFault),
    /// A context follows another that is neither in this process nor on a Kafka.
    #[error(
        "{context} is followed and does not run in this process: name Kafka's brokers in `kafka.brokers`, \
         or run the whole node with `onenet up`"
    )]
    NoKafka {
        /// Who is followed.
        context: String,
    },
    /// The server failed.
    #[error("serving")]
    Server(#[source] tonic::transport::Error),
    /// A follower cannot go on where it stood without Kafka.
    #[error("going on where the followers stood without Kafka")]
    Checkpoints(#[source] DbError),
    /// A part broke down.
    #[error("a part of the process broke down")]
    Broken(#[source] tokio::task::JoinError),
}

/// Runs the roles of these contexts until `stop`, their services behind one listener; answers early
/// if a part cannot go on. Ends in order: health says so, calls drain and streams end, then
/// followers, clocks and relays.
pub async fn run(
    contexts: &[Context],
    settings: &Arc<Settings>,
    roles: &[Role],
    listener: Option<TcpListener>,
    clock: &Arc<dyn Clock>,
    stop: &CancellationToken,
) -> Result<(), StartError> {
    // before anything runs: a process that cannot be called or watched, or that brokers refuse, does
    // not begin
    settings.check_kafka_tls(clock.now())?;
    let endpoint = Endpoint::start(&settings.telemetry, stop).await?;
    let serving = match listener.filter(|_| roles.contains(&Role::Api)) {
        Some(listener) => Some((listener, Certificates::read(settings, clock)?)),
        None => None,
    };
    let (working, mut running) = (CancellationToken::new(), JoinSet::new());
    let (mut services, mut logs) = (Vec::new(), Vec::new());
    let mut neighbours = Neighbours::new();
    for context in contexts {
        let log = open_log(settings, context.name).await?;
        neighbours.insert(context.name, (log, context.mapping));
    }
    let neighbours = Arc::new(neighbours);
    for context in contexts {
        let host = host(context, settings, clock, &neighbours, stop)?;
        let (log, door) = (host.log.clone(), host.door.clone());
        let mut parts = (context.open)(host).await?;
        parked(&mut parts, door.fresh().followers(), &log);
        relay(&mut parts, context, settings, &log);
        for (role, task) in parts.tasks {
            if roles.contains(&role) {
                running.spawn(task(working.clone()));
            }
        }
        let (db, audit, working) = (log.db().clone(), door.audit(), working.clone());
        running.spawn(async move {
            audit.write_until(&db, &working).await;
            Ok(())
        });
        services.extend(parts.services);
        logs.push(log);
    }
    let serving = match serving {
        Some((listener, certificates)) => {
            let tls = certificates.in_use();
            meters::certificate(tls.clone(), clock);
            running.spawn(certificates.keep(working.clone()).map(Ok));
            let routes = routes(services, stop).await;
            let stop = stop.clone();
            tokio::spawn(async move {
                let outcome = server::serve(listener, tls, routes, stop.clone()).await;
                // a server that ended by itself ends the process
                stop.cancel();
                outcome
            })
        }
        // a process without calls stands and falls with its other parts
        None => tokio::spawn(stop.clone().cancelled_owned().map(Ok)),
    };
    endpoint.roles_run();
    let first = supervise(&mut running, stop).await;
    let served = serving.await.map_err(StartError::Broken)?.map_err(StartError::Server);
    working.cancel();
    while let Some(ended) = running.join_next().await {
        ended.map_err(StartError::Broken)??;
    }
    for log in logs {
        log.db().close().await;
    }
    first.and(served)
}

fn host(
    context: &Context,
    settings: &Arc<Settings>,
    clock: &Arc<dyn Clock>,
    neighbours: &Arc<Neighbours>,
    stop: &CancellationToken,
) -> Result<Host, StartError> {
    let (log, _) = &neighbours[context.name];
    let policies = Policies::read(context.name, context.policies)?;
    let (node, operator) = (settings.node.name.clone(), settings.operator()?);
    let door = Door::new(node, operator, log.clone(), policies, Arc::clone(clock));
    Ok(Host {
        door,
        log: log.clone(),
        settings: Arc::clone(settings),
        stop: stop.clone(),
        name: context.name,
        neighbours: Arc::clone(neighbours),
    })
}

/// Waits for the signal to stop, or for the first part that ends by itself.
async fn supervise(
    running: &mut JoinSet<Result<(), StartError>>,
    stop: &CancellationToken,
) -> Result<(), StartError> {
    let ended = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        ended = running.join_next() => ended,
    };
    stop.cancel();
    match ended {
        Some(outcome) => outcome.map_err(StartError::Broken)?,
        None => Ok(()),
    }
}

/// Without Kafka there is nothing to relay to; turned on later, the relay begins with the first event.
fn relay(parts: &mut Parts, context: &Context, settings: &Settings, log: &PgLog) {
    let Some(cluster) = settings.cluster() else { return };
    let relay = Relay {
        log: log.clone(),
        cluster,
        topics: topics(settings, context.name),
        mapping: context.mapping,
        span: publishing,
    };
    parts.task(Role::Relay, move |stop| async move { Ok(relay.run(stop).await?) });
}

/// What the context's followers have parked stands in one table, whoever runs them.
fn parked(parts: &mut Parts, followers: Vec<&'static str>, log: &PgLog) {
    let (db, followers) = (log.db().clone(), Arc::new(followers));
    parts.gauge(Role::Project, move || {
        let (db, followers) = (db.clone(), Arc::clone(&followers));
        async move { measure_parked(&db, &followers).await }
    });
}

/// The services with health and reflection beside them.
async fn routes(services: Vec<(&'static str, AddService)>, stop: &CancellationToken) -> Routes {
    let mut routes = RoutesBuilder::default();
    let (health, service) = tonic_health::server::health_reporter();
    routes.add_service(service);
    let mut names = vec![""];
    for (name, add) in services {
        add(&mut routes);
        names.push(name);
    }
    for name in &names {
        health.set_service_status(*name, tonic_health::ServingStatus::Serving).await;
    }
    let stop = stop.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        for name in names {
            health.set_service_status(name, tonic_health::ServingStatus::NotServing).await;
        }
    });
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(onenet_proto::DESCRIPTORS)
        .build_v1();
    match reflection {
        Ok(service) => drop(routes.add_service(service)),
        Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "no reflection"),
    }
    routes.routes()
}

fn publishing(event: &Recorded) -> Span {
    let span = tracing::info_span!("publish", otel.name = "relay publish", %event.event_id);
    trace::continue_from(&span, &event.traceparent);
    span
}
