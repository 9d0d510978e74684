use tokio_util::sync::CancellationToken;
use tonic::service::{Routes, RoutesBuilder};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::parts::AddService;

/// What `grpc.health.v1.Health` says of each service and, under the empty name, of all of them.
pub(crate) struct Health {
    reporter: HealthReporter,
    names: Vec<&'static str>,
}

impl Health {
    /// Of these services, which serve from now on; with their routes, reflection among them.
    pub(crate) async fn over(services: Vec<(&'static str, AddService)>) -> (Self, Routes) {
        let mut routes = RoutesBuilder::default();
        let (reporter, service) = tonic_health::server::health_reporter();
        routes.add_service(service);
        let mut names = vec![""];
        for (name, add) in services {
            add(&mut routes);
            names.push(name);
        }
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(onenet_proto::DESCRIPTORS)
            .build_v1();
        match reflection {
            Ok(service) => drop(routes.add_service(service)),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "no reflection");
            }
        }
        let health = Self { reporter, names };
        health.say(ServingStatus::Serving).await;
        (health, routes.routes())
    }

    /// Nothing is served any more: whoever asks or watches is told, and only then calls drain. What
    /// whoever watches has open ends after the last word: calls could not drain otherwise.
    pub(crate) async fn drain(mut self, draining: &CancellationToken) {
        self.say(ServingStatus::NotServing).await;
        draining.cancel();
        for name in &self.names {
            self.reporter.clear_service_status(name).await;
        }
    }

    async fn say(&self, status: ServingStatus) {
        for name in &self.names {
            self.reporter.set_service_status(*name, status).await;
        }
    }
}
