//! Hazard's way to the world: gRPC, the clock, events, read model.

mod clock;
mod grpc;
mod read_model;
mod wire;

use onenet_chassis::{
    Context, Host, Opening, Parts, Role, recount_deadlines, register::KeepRegister,
};
use onenet_kafka::events_only;
use onenet_proto::hazard::v1::{
    hidden_danger_service_server::HiddenDangerServiceServer,
    major_hazard_service_server::MajorHazardServiceServer,
};

use crate::app::App;

/// What this crate is to a process.
#[must_use]
pub fn context() -> Context {
    Context {
        name: "hazard",
        migrations: &[
            (1, "read model", include_str!("../migrations/0001_read_model.sql")),
            (2, "hidden dangers", include_str!("../migrations/0002_hidden_dangers.sql")),
        ],
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
        parts.serve(MajorHazardServiceServer::new(grpc::MajorHazards(app.clone())));
        parts.serve(HiddenDangerServiceServer::new(grpc::HiddenDangers(app.clone())));
        parts.project(read_model::ReadModel);
        parts.clock(clock::changes, clock::Deadlines(app.clone()));
        let (db, recount) = (host.log.db().clone(), clock::Recount(app));
        parts.task(Role::Clock, move |stop| async move {
            recount_deadlines(&db, clock::RECTIFICATION, recount, &stop).await;
            Ok(())
        });
        parts.react("enterprise", KeepRegister::CATEGORIES, KeepRegister);
        Ok(parts)
    })
}
