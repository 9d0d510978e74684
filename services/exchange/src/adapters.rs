//! Exchange's way to the world: gRPC, events, read model.

mod grpc;
pub(crate) mod read_model;
pub(crate) mod wire;

use onenet_chassis::{Context, Host, Opening, Parts, Role, StartError, register::KeepRegister};
use onenet_kafka::events_only;
use onenet_proto::exchange::v1::exchange_service_server::ExchangeServiceServer;

use crate::{
    app::App,
    feed::{Directory, FEED, Fill, Subscriptions, Tail, Tokens},
};

/// What this crate is to a process.
#[must_use]
pub fn context() -> Context {
    Context {
        name: "exchange",
        migrations: &[(1, "read model", include_str!("../migrations/0001_read_model.sql"))],
        further_logs: &[FEED],
        policies: include_str!("../access.cedar"),
        mapping: events_only,
        beside: |_| Vec::new(),
        open,
    }
}

fn open(host: Host) -> Opening {
    Box::pin(async move { Ok(assemble(host).await?.0) })
}

/// The parts, and the tail that all streams share.
pub(crate) async fn assemble(host: Host) -> Result<(Parts, Tail), StartError> {
    let feed = host.further_log(FEED).await?;
    let tokens = Tokens::from_settings(&host.settings.exchange)?;
    let directory = Directory::new(host.log.db().clone());
    let tail = Tail::new(feed.clone(), directory.clone());
    let subscriptions = Subscriptions::new(&host, tail.clone(), tokens);
    let app = App::try_new(&host, subscriptions)?;
    let mut parts = Parts::new(&host);
    parts.serve(ExchangeServiceServer::new(grpc::Exchange(app)));
    parts.project(read_model::ReadModel);
    parts.react("enterprise", KeepRegister::CATEGORIES, KeepRegister);
    for fill in Fill::of_every_context(&feed, &host) {
        parts.react(fill.context(), &[], fill);
    }
    let reading = tail.clone();
    parts.task(Role::Api, move |stop| async move {
        tokio::join!(directory.keep(&stop), reading.run(&stop));
        Ok(())
    });
    Ok((parts, tail))
}
