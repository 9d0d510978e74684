//! The scenes of the demo, one file for each part of the network.

mod credit;
mod enforcement;
mod exchange;
mod hazard;
mod register;

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::Result;
use onenet_proto::common::v1::Receipt;
use tonic::{Status, transport::Channel};
use uuid::Uuid;

pub(super) use self::enforcement::InEffect;
use super::{cast::Cast, watcher::Watcher};
use crate::{cli::say, commands::private::Own};

const PLACE: &str = "410102";
const TOWNSHIP: &str = "410102001";

/// Where the story plays.
pub(super) struct Stage<'a> {
    pub(super) own: &'a Own,
    pub(super) address: SocketAddr,
    pub(super) cast: Cast,
}

impl Stage<'_> {
    fn channel(&self, uscc: &str) -> Result<Channel> {
        Ok(self.own.node.connect(self.address, Some(uscc))?)
    }
}

const LOOKS: usize = 600;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Sends again what depends on a fact that is on its way to another context.
async fn patiently<T>(mut attempt: impl AsyncFnMut() -> Result<T, Status>) -> Result<T> {
    let mut outcome = attempt().await;
    for _ in 0..LOOKS {
        if outcome.is_ok() {
            break;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
        outcome = attempt().await;
    }
    Ok(outcome?)
}

/// A receipt for a person.
fn told(receipt: Option<&Receipt>) -> String {
    let Some(receipt) = receipt else { return String::new() };
    let number = receipt.position.as_ref().map_or(0, |position| position.number);
    format!("{} v{} @{number}", receipt.stream_id, receipt.version)
}

/// The ids of the demo's commands are the same in every run, and so are those that follow from them.
fn new_id() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("demo/{number}").as_bytes()).to_string()
}
