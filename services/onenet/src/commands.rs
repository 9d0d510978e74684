pub(crate) mod bench;
pub(crate) mod certificate;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod dlq;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod migrate;
mod private;
pub(crate) mod recover;
pub(crate) mod relay;
pub(crate) mod serve;
pub(crate) mod torture;
pub(crate) mod up;
pub(crate) mod verify;
pub(crate) mod watch;

use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{self, SignalKind, signal};

use crate::cli::complain;

/// Operator of a private node that names none. It is nobody's code: zeros where a body has its own.
pub(crate) const OPERATOR: &str = "11410000000000001X";

/// Waits until somebody asks this process to stop.
async fn asked_to_stop() -> anyhow::Result<()> {
    heard_to_stop()?.await;
    Ok(())
}

/// From this call on the signals to stop are heard, and do not simply end the process; answers what waits
/// for one. A second one ends the process where it stands: what was acknowledged is in the log, and
/// whatever else was under way is done again.
fn heard_to_stop() -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        next(&mut signals).await;
        tokio::spawn(async move {
            next(&mut signals).await;
            complain("立即停止 / stopped at once");
            // an ordinary exit ends libraries whose threads are at work, and may wait for one of them for ever
            kill_process(getpid(), Signal::KILL).ok();
        });
    })
}

async fn next((terminate, interrupt): &mut (unix::Signal, unix::Signal)) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
