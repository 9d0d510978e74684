//! UmaDB: its own server on a data folder of this run, its own Rust client over gRPC. One event
//! by `append` under the condition that no event carries this report's tag yet. All callers share
//! one client, and with it one connection: with more, 256 callers got less through.
//!
//! The server is what `--server` names (the script of the Python package), started with its
//! defaults: it answers once the event is synced to disk. It ends with this process.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use onenet_peers_closed_loop::{Outcome, Settings, measure, text};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use umadb_client::{AsyncUmaDbClient, UmaDbClient};
use umadb_dcb::{
    DcbAppendCondition, DcbError, DcbEvent, DcbEventStoreAsync, DcbQuery, DcbQueryItem,
};
use uuid::Uuid;

const START: Duration = Duration::from_secs(20);

/// A data folder that is gone when the run is over.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{} stays: {error}", self.0.display());
        }
    }
}

fn start_server(server: &str, address: &str, folder: &Folder) -> Outcome<Child> {
    // setpriv has the kernel end the server with us, however we end
    Ok(Command::new("setpriv")
        .args(["--pdeathsig", "KILL", server, "--listen", address, "--db-path"])
        .arg(&folder.0)
        .env_remove("UMADB_API_KEY")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?)
}

async fn connect(url: &str, server: &mut Child) -> Outcome<AsyncUmaDbClient> {
    let deadline = Instant::now() + START;
    loop {
        match UmaDbClient::new(url.to_owned()).connect_async().await {
            Ok(client) => return Ok(client),
            Err(error) if Instant::now() > deadline => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
        if let Some(status) = server.try_wait()? {
            return Err(format!("the server ended: {status}").into());
        }
    }
}

/// Appends the first event of a report; an integrity error if the report is there.
async fn append_first(client: &AsyncUmaDbClient, report: &str, text: &str) -> Result<(), DcbError> {
    let tag = format!("report:{report}");
    let this_report = DcbQuery::new().item(DcbQueryItem::new().tags([tag.as_str()]));
    let event = DcbEvent::default()
        .event_type("Reported")
        .tags([tag.as_str()])
        .data(text.as_bytes())
        .uuid(Uuid::new_v4());
    let condition = DcbAppendCondition::new(this_report);
    client.append(vec![event], Some(condition), None).await.map(|_| ())
}

async fn count(client: &AsyncUmaDbClient) -> Result<u64, DcbError> {
    let mut everything = client.read(None, None, false, None).await?;
    let mut events = 0;
    loop {
        let batch = everything.next_batch().await?;
        if batch.is_empty() {
            return Ok(events);
        }
        events += batch.len() as u64;
    }
}

/// Ends when somebody wants this process to end.
async fn interrupted() -> Outcome<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome?,
        _ = terminate.recv() => {}
    }
    Err("interrupted".into())
}

#[tokio::main]
async fn main() -> Outcome<()> {
    // returning is what removes the data folder
    tokio::select! {
        outcome = run() => outcome,
        outcome = interrupted() => outcome,
    }
}

async fn run() -> Outcome<()> {
    let settings = Settings::from_arguments()?;
    let folder = Folder(settings.get::<PathBuf>("data")?.join(Uuid::new_v4().to_string()));
    std::fs::create_dir_all(&folder.0)?;
    // a free port: asked for, given back, taken by the server
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let url = format!("http://{address}");
    let mut server = start_server(&settings.get::<String>("server")?, &address, &folder)?;

    let client = Arc::new(connect(&url, &mut server).await?);
    let text = text(settings.get("payload")?, 0)?;

    let append = {
        let (client, text) = (client.clone(), text.clone());
        move || {
            let (client, text) = (client.clone(), text.clone());
            async move { Ok(append_first(&client, &Uuid::new_v4().to_string(), &text).await?) }
        }
    };
    let measured = measure(&settings, append).await?;

    let stored = count(&client).await?;
    append_first(&client, "taken", &text).await?;
    match append_first(&client, "taken", &text).await {
        Err(DcbError::IntegrityError(_)) => {}
        other => return Err(format!("a second first event: {other:?}").into()),
    }
    server.kill().await?;
    measured.print("umadb", "umadb-client", stored)
}
