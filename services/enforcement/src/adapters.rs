//! Enforcement's way to the world: gRPC, the reaction to hazard, events, read model.

mod grpc;
mod reactions;
mod read_model;
mod wire;

use onenet_chassis::{Context, Host, Opening, Parts, register::KeepRegister};
use onenet_kafka::events_only;
use onenet_proto::enforcement::v1::{
    case_service_server::CaseServiceServer, clue_service_server::ClueServiceServer,
};

use crate::app::App;

/// What this crate is to a process.
#[must_use]
pub fn context() -> Context {
    Context {
        name: "enforcement",
        migrations: &[
            (1, "read model", include_str!("../migrations/0001_read_model.sql")),
            (2, "clues", include_str!("../migrations/0002_clues.sql")),
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
        parts.serve(CaseServiceServer::new(grpc::Cases(app.clone())));
        parts.serve(ClueServiceServer::new(grpc::Clues(app.clone())));
        parts.project(read_model::ReadModel);
        parts.react("enterprise", KeepRegister::CATEGORIES, KeepRegister);
        parts.react("hazard", &["hidden_danger"], reactions::RecordClues(app));
        Ok(parts)
    })
}
