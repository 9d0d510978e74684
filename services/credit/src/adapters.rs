//! Credit's way to the world: gRPC, the reaction to penalties, the clock, what is published, read model.

mod clock;
mod grpc;
mod meters;
mod publication;
mod reactions;
mod read_model;
mod wire;

use onenet_chassis::{
    Context, Host, Opening, Parts, Role, recount_deadlines,
    register::{KeepAgencies, KeepRegister},
};
use onenet_kafka::Beside;
use onenet_proto::credit::v1::{
    blacklist_service_server::BlacklistServiceServer, credit_service_server::CreditServiceServer,
};

use crate::{app::App, listings::Listings};

/// What this crate is to a process.
#[must_use]
pub fn context() -> Context {
    Context {
        name: "credit",
        migrations: &[
            (1, "read model", include_str!("../migrations/0001_read_model.sql")),
            (2, "blacklist", include_str!("../migrations/0002_blacklist.sql")),
        ],
        further_logs: &[],
        policies: include_str!("../access.cedar"),
        mapping: publication::records,
        beside: |kafka| {
            let listings = Beside::Facts(publication::LISTINGS, kafka.listings_days);
            vec![listings, Beside::State(publication::BLACKLIST)]
        },
        open,
    }
}

fn open(host: Host) -> Opening {
    Box::pin(async move {
        let app = App::try_new(&host)?;
        let mut parts = Parts::new(&host);
        parts.serve(CreditServiceServer::new(grpc::Credit(app.clone())));
        parts.serve(BlacklistServiceServer::new(grpc::blacklist::Blacklist(app.clone())));
        parts.project(read_model::ReadModel);
        parts.project(Listings);
        parts.clock(clock::changes, clock::Deadlines(app.clone()));
        let (db, recount) = (host.log.db().clone(), clock::Recount(app.clone()));
        parts.task(Role::Clock, move |stop| async move {
            recount_deadlines(&db, clock::STATEMENT_PERIOD, recount, &stop).await;
            Ok(())
        });
        let measured = app.clone();
        parts.gauge(Role::Project, move || {
            let app = measured.clone();
            async move { meters::measure_readers(app.log.db(), &app.readers).await }
        });
        parts.react("enterprise", KeepRegister::CATEGORIES, KeepRegister);
        parts.react("exchange", KeepAgencies::CATEGORIES, KeepAgencies);
        parts.react("enforcement", &["case"], reactions::Judge(app));
        Ok(parts)
    })
}
