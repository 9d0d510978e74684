use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use onenet_chassis::{
    config::role,
    private::PrivateNode,
    register::KeepRegister,
    testing::{elsewhere::Registered, uscc},
};
use onenet_eventstore::{
    PgLog, Rebuild,
    testing::{cause, new_id},
};
use onenet_kernel::{EventStore as _, NewEvent, Version};
use onenet_proto::enterprise::v1::Enterprise;

use super::node;
use crate::{
    Bar, Bench, Figure, PAYLOAD,
    contest::{Turn, contest},
};

const CONTEXT: &str = "enterprise";
const EVENTS: u64 = 300_000;
const PAGE: u32 = 500;
/// Appends under way at once while the log is filled.
const TOGETHER: usize = 1_000;

/// The register of enterprises, made anew from its log, against reading that log.
pub(super) async fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let node = PrivateNode::make(folder.path(), &node::plan(bench)).await?;
    node.prepare(&[onenet_enterprise::context()]).await?;
    let log = node::log(&node, CONTEXT).await?;
    let events = bench.events(EVENTS);
    register(&log, u32::try_from(events)?).await?;

    let (owner_url, role) = (node.settings().owner_url()?, role(CONTEXT));
    let tables = ["divisions", "organisations", "enterprises"];
    let rebuild = Rebuild { owner_url: &owner_url, role: &role, tables: &tables };
    let ours = async || {
        let rebuilding = async {
            let mut reached = 0;
            rebuild.run(&log, &KeepRegister, |position, _| reached = position).await?;
            ensure!(reached == events, "rebuilt up to {reached} of {events}");
            Ok(reached)
        };
        Turn::of(rebuilding).await
    };
    let theirs = async || Turn::of(read(&log)).await;
    let case = format!("{events} enterprises");
    let figure = contest(bench, case, ("onenet", ours), ("reading pages", theirs)).await?;
    Ok(vec![figure.with(Bar::AtLeast(0.5, 0.7))])
}

/// One page after the other; answers how many events.
async fn read(log: &PgLog) -> Result<u64> {
    let mut read = 0;
    while let Some(last) = log.read(read, PAGE).await?.last() {
        read = last.position.number;
    }
    Ok(read)
}

async fn register(log: &PgLog, count: u32) -> Result<()> {
    let serials: Vec<u32> = (1..=count).collect();
    for together in serials.chunks(TOGETHER) {
        let appending = together.iter().map(async |serial| {
            let plant = Registered::Enterprise(enterprise(*serial)?);
            let (stream, event) = (plant.stream(), plant.event());
            ensure!(event.payload.len() == PAYLOAD, "{} bytes of payload", event.payload.len());
            log.append(&stream, Version::NONE, &cause(new_id()), vec![event]).await?;
            anyhow::Ok(())
        });
        try_join_all(appending).await?;
    }
    Ok(())
}

/// An enterprise whose registration has as many bytes as any event of the benchmarks.
fn enterprise(serial: u32) -> Result<Enterprise> {
    let plant = Registered::plant(&uscc(serial));
    let NewEvent { payload, .. } = Registered::Enterprise(plant.clone()).event();
    // the lengths of the address and of the enterprise around it then take a byte more each
    let missing = PAYLOAD.checked_sub(payload.len() + 2).context("a registration is larger")?;
    let address = format!("{}{}", plant.address, "x".repeat(missing));
    Ok(Enterprise { address, ..plant })
}
