//! What a context is made of, and how a process runs the parts of it that it is told to.

use std::{collections::HashMap, convert::Infallible, future::Future, pin::Pin, sync::Arc};

use futures::FutureExt as _;
use onenet_eventstore::{
    DbError, Fire, Follower, FollowerError, Handler, LogSource, MigrateError, PgLog, StartupError,
    Step, TimerChange, TimerTable, adopt_checkpoints, run_clock,
};
use onenet_kafka::{
    Beside, EmbeddedSource, KafkaFault, KafkaSource, Mapping, Relay, RelayError, TopicError,
};
use onenet_kernel::{Clock, Corrupt, Recorded};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::{
    body::Body,
    server::NamedService,
    service::{Routes, RoutesBuilder},
};
use tower::Service;
use tracing::Span;

use crate::{
    access::{Policies, PolicyError},
    config::{ConfigError, KafkaSettings, Settings},
    door::Door,
    server,
    tools::{cluster, open_log, topics},
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
    /// Topics it publishes beside its events.
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

/// What a context is given to put itself together with.
#[derive(Clone)]
pub struct Host {
    /// Where its calls come in.
    pub door: Door,
    /// Its log.
    pub log: PgLog,
    /// The process's settings.
    pub settings: Arc<Settings>,
    /// Ends everything.
    pub stop: CancellationToken,
    name: &'static str,
    neighbours: Arc<Neighbours>,
}

/// The logs of all contexts in this process, with what an event of each becomes.
type Neighbours = HashMap<&'static str, (PgLog, Mapping)>;

impl Host {
    /// Opens another log of this context.
    pub async fn further_log(&self, schema: &str) -> Result<PgLog, StartError> {
        open_log(&self.settings, schema).await
    }
}

type Task = Box<dyn FnOnce(CancellationToken) -> Running + Send>;
type Running = Pin<Box<dyn Future<Output = Result<(), StartError>> + Send>>;

type AddService = Box<dyn FnOnce(&mut RoutesBuilder) + Send>;

/// The parts of a context, each for a role.
pub struct Parts {
    host: Host,
    services: Vec<(&'static str, AddService)>,
    tasks: Vec<(Role, Task)>,
}

impl Parts {
    /// None yet.
    #[must_use]
    pub fn new(host: &Host) -> Self {
        Self { host: host.clone(), services: Vec::new(), tasks: Vec::new() }
    }

    /// A gRPC service.
    pub fn serve<S>(&mut self, service: S)
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let add: AddService = Box::new(|routes| {
            routes.add_service(service);
        });
        self.services.push((S::NAME, add));
    }

    /// A follower of the own log, whose rows reads wait for.
    pub fn project<H: Handler>(&mut self, handler: H) {
        self.host.door.fresh().own(handler.name());
        let log = self.host.log.clone();
        self.task(Role::Project, move |stop| async move {
            let source = LogSource::new(log.clone());
            let follower = Follower::new(log.db().clone(), source, handler).in_span(handling);
            Ok(follower.run(stop).await?)
        });
    }

    /// A follower of the events of another context. Receipts of its streams of these `categories`
    /// can be waited for.
    pub fn react<H: Handler>(&mut self, context: &str, categories: &[&'static str], handler: H) {
        self.host.door.fresh().crossing(categories, handler.name());
        let db = self.host.log.db().clone();
        let topics = topics(&self.host.settings, context);
        let Some(kafka) = self.host.settings.kafka.clone() else {
            let neighbour = self.host.neighbours.get(context).cloned();
            return self.task(Role::React, move |stop| async move {
                let context = topics.context.clone();
                let (log, mapping) = neighbour.ok_or(StartError::NoKafka { context })?;
                let source = EmbeddedSource::new(log, topics, mapping);
                Ok(Follower::new(db, source, handler).in_span(handling).run(stop).await?)
            });
        };
        let reader = format!("{}.{}.{}", topics.node, self.host.name, handler.name());
        self.task(Role::React, move |stop| async move {
            let (before, now) = (topics.embedded(), topics.events());
            // a node that ran without Kafka goes on where it stood
            let adopted = adopt_checkpoints(&db, handler.name(), &before, &now, kafka.partitions);
            adopted.await.map_err(StartError::Checkpoints)?;
            let source = KafkaSource::new(&cluster(&kafka), &reader, now)?;
            Ok(Follower::new(db, source, handler).in_span(handling).run(stop).await?)
        });
    }

    /// The timers that `changes` arms and disarms, and what firing one means.
    pub fn clock(
        &mut self,
        changes: fn(&Recorded) -> Result<Vec<TimerChange>, Corrupt>,
        fire: impl Fire,
    ) {
        self.project(TimerTable::new(changes));
        let db = self.host.log.db().clone();
        self.task(Role::Clock, move |stop| async move {
            run_clock(db, fire, stop).await;
            Ok(())
        });
    }

    /// Anything else that runs until it is told to stop.
    pub fn task<F>(
        &mut self,
        role: Role,
        task: impl FnOnce(CancellationToken) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<(), StartError>> + Send + 'static,
    {
        self.tasks.push((role, Box::new(|stop| Box::pin(task(stop)))));
    }
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
    // before anything runs: a process that cannot be called does not begin
    let serving = match listener.filter(|_| roles.contains(&Role::Api)) {
        Some(listener) => Some((listener, settings.tls(clock.now())?)),
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
        let (log, audit) = (host.log.clone(), host.door.audit());
        let mut parts = (context.open)(host).await?;
        relay(&mut parts, context, settings, &log);
        for (role, task) in parts.tasks {
            if roles.contains(&role) {
                running.spawn(task(working.clone()));
            }
        }
        let (db, working) = (log.db().clone(), working.clone());
        running.spawn(async move {
            audit.write_until(&db, &working).await;
            Ok(())
        });
        services.extend(parts.services);
        logs.push(log);
    }
    let serving = match serving {
        Some((listener, tls)) => {
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
    let Some(kafka) = &settings.kafka else { return };
    let relay = Relay {
        log: log.clone(),
        cluster: cluster(kafka),
        topics: topics(settings, context.name),
        mapping: context.mapping,
        span: publishing,
    };
    parts.task(Role::Relay, move |stop| async move { Ok(relay.run(stop).await?) });
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

fn handling(follower: &'static str, event: &Recorded) -> Span {
    let span =
        tracing::info_span!("handle", otel.name = format!("handle {follower}"), %event.event_id);
    trace::continue_from(&span, &event.traceparent);
    span
}

fn publishing(event: &Recorded) -> Span {
    let span = tracing::info_span!("publish", otel.name = "relay publish", %event.event_id);
    trace::continue_from(&span, &event.traceparent);
    span
}
