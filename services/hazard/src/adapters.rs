//! Hazard's way to the world: gRPC, events, read model.

mod grpc;
mod read_model;
mod wire;

use onenet_chassis::{Context, Host, Opening, Parts, register::KeepRegister};
use onenet_kafka::events_only;
use onenet_proto::hazard::v1::major_hazard_service_server::MajorHazardServiceServer;

use crate::app::App;

/// What this crate is to a process.
#[must_use]
pub fn context() -> Context {
    Context {
        name: "hazard",
        migrations: &[(1, "read model", include_str!("../migrations/0001_read_model.sql"))],
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
        parts.serve(MajorHazardServiceServer::new(grpc::MajorHazards(app)));
        parts.project(read_model::ReadModel);
        parts.react("enterprise", KeepRegister::CATEGORIES, KeepRegister);
        Ok(parts)
    })
}
