//! The parts of a context, and what it is given to put them together with.

use std::{
    collections::HashMap, convert::Infallible, future::Future, pin::Pin, sync::Arc, time::Duration,
};

use onenet_eventstore::{
    DbError, Fire, Follower, Handler, LogSource, PgLog, TimerChange, TimerTable, adopt_checkpoints,
    measure_overdue, run_clock,
};
use onenet_kafka::{EmbeddedSource, KafkaSource, Mapping};
use onenet_kernel::{Corrupt, Recorded};
use tokio_util::sync::CancellationToken;
use tonic::{body::Body, server::NamedService, service::RoutesBuilder};
use tower::Service;
use tracing::Span;

use crate::{
    config::Settings,
    context::{Role, StartError},
    door::Door,
    tools::{open_log, topics},
    trace,
};

/// How often is looked at what stands in the database.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// What a context is given to put itself together with.
#[derive(Clone)]
pub struct Host {
    /// Where its calls come in.
    pub door: Door,
    /// Its log.
    pub log: PgLog,
    /// The process's settings.
    pub settings: Arc<Settings>,
    /// Cancelled when streams have to end, so that calls can drain.
    pub draining: CancellationToken,
    pub(crate) name: &'static str,
    pub(crate) neighbours: Arc<Neighbours>,
}

/// The logs of all contexts in this process, with what an event of each becomes.
pub(crate) type Neighbours = HashMap<&'static str, (PgLog, Mapping)>;

impl Host {
    /// Opens another log of this context.
    pub async fn further_log(&self, schema: &str) -> Result<PgLog, StartError> {
        open_log(&self.settings, schema).await
    }
}

pub(crate) type Task = Box<dyn FnOnce(CancellationToken) -> Running + Send>;
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<(), StartError>> + Send>>;

pub(crate) type AddService = Box<dyn FnOnce(&mut RoutesBuilder) + Send>;

/// The parts of a context, each for a role.
pub struct Parts {
    host: Host,
    pub(crate) services: Vec<(&'static str, AddService)>,
    pub(crate) tasks: Vec<(Role, Task)>,
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
        let settings = Arc::clone(&self.host.settings);
        let (Some(kafka), Some(cluster)) = (settings.kafka.clone(), settings.cluster()) else {
            let neighbour = self.host.neighbours.get(context).cloned();
            return self.task(Role::React, move |stop| async move {
                let context = topics.context.clone();
                let (log, mapping) = neighbour.ok_or(StartError::NoKafka { context })?;
                let source = EmbeddedSource::new(log, topics, mapping);
                Ok(Follower::new(db, source, handler).in_span(handling).run(stop).await?)
            });
        };
        let reader = format!("{}.{}", self.host.name, handler.name());
        self.task(Role::React, move |stop| async move {
            let (before, now) = (topics.embedded(), topics.events());
            // a node that ran without Kafka goes on where it stood
            let adopted = adopt_checkpoints(&db, handler.name(), &before, &now, kafka.partitions);
            adopted.await.map_err(StartError::Checkpoints)?;
            let source = KafkaSource::new(&cluster, &reader, now)?;
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
        let timers = db.clone();
        self.gauge(Role::Clock, move || {
            let db = timers.clone();
            async move { measure_overdue(&db).await }
        });
        self.task(Role::Clock, move |stop| async move {
            run_clock(db, fire, stop).await;
            Ok(())
        });
    }

    /// What stands in the database and is measured there: `look` is called again and again, where somebody
    /// is told.
    pub fn gauge<F>(&mut self, role: Role, look: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = Result<(), DbError>> + Send + 'static,
    {
        if !self.host.settings.telemetry.is_measured() {
            return;
        }
        self.task(role, move |stop| async move {
            loop {
                if let Err(error) = look().await {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "what was measured last stays");
                }
                if stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
                    return Ok(());
                }
            }
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

fn handling(follower: &'static str, event: &Recorded) -> Span {
    let span =
        tracing::info_span!("handle", otel.name = format!("handle {follower}"), %event.event_id);
    trace::continue_from(&span, &event.traceparent);
    span
}
