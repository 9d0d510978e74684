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
use tracing::Span;

use crate::{
    access::{Policies, PolicyError},
    certificates::Certificates,
    clock,
    config::{ConfigError, KafkaSettings, Settings},
    door::Door,
    endpoint::Endpoint,
    health::Health,
    meters,
    parts::{Host, Neighbours, Parts},
    server,
    tools::{fit_topics, open_own, topics},
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
    /// Its schema is older than the program.
    #[error("schema {schema} lacks {missing}: run `onenet migrate` with this program")]
    Behind {
        /// Which schema.
        schema: String,
        /// Steps, by the table that keeps them.
        missing: String,
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
    /// The database did not say what time it is.
    #[error("setting the clock by the database's")]
    Clock(#[source] DbError),
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
/// if a part cannot go on. Ends in order: health says so; calls drain and streams end; followers,
/// reactions and clocks stop; the relays, last, publish what all of these have appended.
pub async fn run(
    contexts: &[Context],
    settings: &Arc<Settings>,
    roles: &[Role],
    listener: Option<TcpListener>,
    clock: &Arc<dyn Clock>,
    stop: &CancellationToken,
) -> Result<(), StartError> {
    let endpoint = Endpoint::start(&settings.telemetry, stop).await?;
    let draining = CancellationToken::new();
    let (mut working, mut relaying) = (Stage::default(), Stage::default());
    let (mut services, mut logs) = (Vec::new(), Vec::new());
    let mut neighbours = Neighbours::new();
    for context in contexts {
        let log = open_own(context, settings).await?;
        neighbours.insert(context.name, (log, context.mapping));
    }
    let neighbours = Arc::new(neighbours);
    if let Some((log, _)) = neighbours.values().next() {
        clock::tell(&**clock, log.db()).await.map_err(StartError::Clock)?;
        let (clock, db) = (Arc::clone(clock), log.db().clone());
        working.run(|stop| clock::keep(clock, db, stop));
    }
    // by the clock that was just told, and before anything runs: a process that cannot be called, or that brokers
    // refuse, does not begin
    settings.check_kafka_tls(clock.now())?;
    let serving = match listener.filter(|_| roles.contains(&Role::Api)) {
        Some(listener) => Some((listener, Certificates::read(settings, clock)?)),
        None => None,
    };
    if roles.contains(&Role::Relay) {
        for context in contexts {
            fit_topics(context, settings).await?;
        }
    }
    for context in contexts {
        let host = host(context, settings, clock, &neighbours, &draining)?;
        let (log, door) = (host.log.clone(), host.door.clone());
        let mut parts = (context.open)(host).await?;
        parked(&mut parts, door.fresh().followers(), &log);
        relay(&mut parts, context, settings, &log);
        for (role, task) in parts.tasks {
            if roles.contains(&role) {
                let stage = if role == Role::Relay { &mut relaying } else { &mut working };
                stage.run(task);
            }
        }
        let (db, audit) = (log.db().clone(), door.audit());
        working.run(|stop| async move {
            audit.write_until(&db, &stop).await;
            Ok(())
        });
        services.extend(parts.services);
        logs.push(log);
    }
    let (health, routes) = Health::over(services).await;
    let serving = match serving {
        Some((listener, certificates)) => {
            let tls = certificates.in_use();
            meters::certificate(tls.clone(), clock);
            working.run(|stop| certificates.keep(stop).map(Ok));
            let (stop, draining) = (stop.clone(), draining.clone());
            tokio::spawn(async move {
                let outcome =
                    server::serve(listener, tls, routes, draining, server::DRAIN_WITHIN).await;
                // a server that ended by itself ends the process
                stop.cancel();
                outcome
            })
        }
        // a process without calls stands and falls with its other parts
        None => tokio::spawn(stop.clone().cancelled_owned().map(Ok)),
    };
    endpoint.roles_run();
    let first = supervise(&mut working, &mut relaying, stop).await;
    health.drain(&draining).await;
    let served = serving.await.map_err(StartError::Broken);
    tracing::debug!("calls and streams have ended");
    let worked = working.end().await;
    tracing::debug!("followers and clocks have ended");
    let relayed = relaying.end().await;
    tracing::debug!("relays have ended");
    for log in logs {
        log.db().close().await;
    }
    let served = served.and_then(|outcome| outcome.map_err(StartError::Server));
    first.and(served).and(worked).and(relayed)
}

/// Parts that run until they are told to end, together.
#[derive(Default)]
struct Stage {
    end: CancellationToken,
    parts: JoinSet<Result<(), StartError>>,
}

impl Stage {
    fn run<F>(&mut self, part: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = Result<(), StartError>> + Send + 'static,
    {
        self.parts.spawn(part(self.end.clone()));
    }

    /// Waits for all of them, whatever becomes of one.
    async fn end(mut self) -> Result<(), StartError> {
        self.end.cancel();
        let mut outcome = Ok(());
        while let Some(ended) = self.parts.join_next().await {
            outcome = outcome.and(ended.map_err(StartError::Broken).flatten());
        }
        outcome
    }
}

fn host(
    context: &Context,
    settings: &Arc<Settings>,
    clock: &Arc<dyn Clock>,
    neighbours: &Arc<Neighbours>,
    draining: &CancellationToken,
) -> Result<Host, StartError> {
    let (log, _) = &neighbours[context.name];
    let policies = Policies::read(context.name, context.policies)?;
    let (node, operator) = (settings.node.name.clone(), settings.operator()?);
    let door = Door::new(node, operator, log.clone(), policies, Arc::clone(clock));
    Ok(Host {
        door,
        log: log.clone(),
        settings: Arc::clone(settings),
        draining: draining.clone(),
        name: context.name,
        neighbours: Arc::clone(neighbours),
    })
}

/// Waits for the signal to stop, or for the first part that ends by itself.
async fn supervise(
    working: &mut Stage,
    relaying: &mut Stage,
    stop: &CancellationToken,
) -> Result<(), StartError> {
    let ended = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        Some(ended) = working.parts.join_next() => ended,
        Some(ended) = relaying.parts.join_next() => ended,
    };
    stop.cancel();
    ended.map_err(StartError::Broken)?
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

fn publishing(event: &Recorded) -> Span {
    let span = tracing::info_span!("publish", otel.name = "relay publish", %event.event_id);
    trace::continue_from(&span, &event.traceparent);
    span
}
