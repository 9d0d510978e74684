//! A database that is gone without a word: a machine without power, a firewall that forgot.

use std::{net::Ipv4Addr, time::Duration};

use onenet_eventstore::{Db, DbSettings, PgLog, testing::Scratch};
use onenet_kernel::{EventStore as _, Version};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::support::{SCHEMA, append, scratch, stream};

/// What an append or a load may take: the database was given up once, and asked again.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// Carries connections to `server` until `strand` counts on; then what there is carries nothing more and
/// stays open, and new ones go through.
async fn network(server: u16, strand: watch::Receiver<()>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut caller, _) = listener.accept().await.unwrap();
            let mut strand = strand.clone();
            strand.mark_unchanged();
            tokio::spawn(async move {
                let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut caller, &mut server) => {}
                    _ = strand.changed() => std::future::pending().await,
                }
            });
        }
    });
    port
}

/// A log over that network, and what strands its connections.
async fn log() -> (Scratch, PgLog, watch::Sender<()>) {
    let (scratch, _) = scratch().await;
    let direct = scratch.settings(SCHEMA);
    let (host, database) = direct.url.rsplit_once('/').unwrap();
    let (front, server) = host.rsplit_once(':').unwrap();
    let (strand, stranded) = watch::channel(());
    let port = network(server.parse().unwrap(), stranded).await;
    let url = format!("{front}:{port}/{database}");
    let log = PgLog::open(Db::connect(&DbSettings { url, ..direct }).await.unwrap()).await.unwrap();
    (scratch, log, strand)
}

#[tokio::test]
async fn an_append_outlives_a_connection_that_says_nothing_more() {
    let (_scratch, log, strand) = log().await;
    append(&log, "a", 0, &["before"]).await.unwrap();
    strand.send(()).unwrap();
    let answered = tokio::time::timeout(ANSWERED_WITHIN, append(&log, "a", 1, &["after"])).await;
    let appended = answered.expect("an answer").unwrap();
    assert_eq!(appended.receipt.position.number, 2);
}

#[tokio::test]
async fn a_load_outlives_a_connection_that_says_nothing_more() {
    let (_scratch, log, strand) = log().await;
    append(&log, "a", 0, &["1", "2"]).await.unwrap();
    let load = async || log.load(&stream("a"), Version::NONE).await.unwrap().len();
    assert_eq!(load().await, 2);
    strand.send(()).unwrap();
    let answered = tokio::time::timeout(ANSWERED_WITHIN, load()).await;
    assert_eq!(answered.expect("an answer"), 2);
}
