//! A network that forgets connections: a machine without power, a firewall that was started anew.

use std::{
    io::{Error, ErrorKind, Result},
    net::Ipv4Addr,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::db::DbSettings;

/// The same database over a network of its own, and what strands its connections: whenever that sends, those there are
/// carry nothing more and stay open, and new ones go through. For a server on this machine.
pub async fn strandable(settings: DbSettings) -> Result<(DbSettings, watch::Sender<()>)> {
    let malformed = || Error::from(ErrorKind::InvalidInput);
    let (host, database) = settings.url.rsplit_once('/').ok_or_else(malformed)?;
    let (front, server) = host.rsplit_once(':').ok_or_else(malformed)?;
    let server = server.parse().map_err(|_no_port| malformed())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("{front}:{}/{database}", listener.local_addr()?.port());
    let (strand, stranded) = watch::channel(());
    tokio::spawn(async move {
        while let Ok((caller, _)) = listener.accept().await {
            let mut stranded = stranded.clone();
            stranded.mark_unchanged();
            tokio::spawn(carry(caller, server, stranded));
        }
    });
    Ok((DbSettings { url, ..settings }, strand))
}

async fn carry(
    mut caller: TcpStream,
    server: u16,
    mut stranded: watch::Receiver<()>,
) -> Result<()> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await?;
    tokio::select! {
        carried = copy_bidirectional(&mut caller, &mut server) => carried.map(drop),
        _ = stranded.changed() => std::future::pending().await,
    }
}
