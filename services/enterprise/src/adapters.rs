//! The register's way to the world: gRPC, events, read model.

mod grpc;
mod read_model;
mod wire;

use onenet_chassis::{Context, Host, Opening, Parts, register::KeepRegister};
use onenet_kafka::events_only;
use onenet_proto::enterprise::v1::{
    division_service_server::DivisionServiceServer,
    enterprise_service_server::EnterpriseServiceServer,
    organisation_service_server::OrganisationServiceServer,
};

use crate::app::App;

/// What this crate is to a process.
#[must_use]
pub fn context() -> Context {
    Context {
        name: "enterprise",
        // its read model is the register that every context keeps, here from its own log
        migrations: &[],
        further_logs: &[],
        policies: include_str!("../access.cedar"),
        mapping: events_only,
        beside: |_| Vec::new(),
        open,
    }
}

fn open(host: Host) -> Opening {
    Box::pin(async move {
        let app = App::try_new(&host)?;
        let mut parts = Parts::new(&host);
        parts.serve(DivisionServiceServer::new(grpc::Divisions(app.clone())));
        parts.serve(OrganisationServiceServer::new(grpc::Organisations(app.clone())));
        parts.serve(EnterpriseServiceServer::new(grpc::Enterprises(app)));
        parts.project(KeepRegister);
        Ok(parts)
    })
}
