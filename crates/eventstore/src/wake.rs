use std::{convert::Infallible, sync::Arc, time::Duration};

use sqlx::{
    Executor as _,
    postgres::{PgListener, PgPoolOptions},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    db::{Db, DbError},
    own::{OwnConnection, answered},
};

/// Many commits make one notification: NOTIFY takes a lock that is shared by the whole server, so it
/// is sent at most this often, and never inside an append.
const DEBOUNCE: Duration = Duration::from_millis(5);
/// How long nothing may be heard before the database is asked whether it still hears us: who only listens never
/// learns that its network is gone.
const ASK_AFTER: Duration = Duration::from_secs(30);

/// Tells readers that the log has grown: in process at once, across processes by one debounced
/// NOTIFY. Both are hints; a slow poll is the truth.
#[derive(Clone, Default)]
pub(crate) struct Wake {
    head: Arc<watch::Sender<u64>>,
    /// What other processes are told: never what was heard from them, or each would say again what all have heard.
    own: Arc<watch::Sender<u64>>,
}

impl Wake {
    /// This process has committed up to `head`.
    pub(crate) fn committed(&self, head: u64) {
        rise(&self.head, head);
        rise(&self.own, head);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Passes hints to and from other processes until `stop`.
    pub(crate) fn across_processes(&self, db: &Db, stop: &CancellationToken) {
        tokio::spawn(tell(db.clone(), self.own.subscribe(), stop.clone()));
        tokio::spawn(hear(db.clone(), Arc::clone(&self.head), stop.clone()));
    }
}

fn rise(known: &watch::Sender<u64>, head: u64) {
    known.send_if_modified(|known| {
        let grows = head > *known;
        *known = head.max(*known);
        grows
    });
}

async fn tell(db: Db, mut own: watch::Receiver<u64>, stop: CancellationToken) {
    let channel = channel(&db);
    // a notification is a commit: one that waited for the disk would have appends wait behind it
    let mut connection = OwnConnection::forgetful(&db);
    while let Some(Ok(())) = stop.run_until_cancelled(own.changed()).await {
        let position = *own.borrow_and_update();
        let told = answered(async {
            sqlx::query("select pg_notify($1, $2)")
                .bind(&channel)
                .bind(position.to_string())
                .execute(connection.get().await?)
                .await
        });
        if let Err(error) = told.await {
            tracing::debug!(error = &error as &dyn std::error::Error, "no wake-up was sent");
            connection.give_up();
        }
        tokio::time::sleep(DEBOUNCE).await;
    }
}

async fn hear(db: Db, head: Arc<watch::Sender<u64>>, stop: CancellationToken) {
    let channel = channel(&db);
    while !stop.is_cancelled() {
        let listening = listen(&db, &channel, &head);
        let lost = stop.run_until_cancelled(listening).await;
        if let Some(Err(error)) = lost {
            tracing::debug!(error = &error as &dyn std::error::Error, "listening again");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Until the connection is lost.
async fn listen(db: &Db, channel: &str, head: &watch::Sender<u64>) -> Result<Infallible, DbError> {
    let doing = || DbError::while_("listening for wake-ups");
    // a connection of its own: one that says nothing more would keep a place in the context's pool
    let own = PgPoolOptions::new().max_connections(1).connect_with(db.options().clone()).await;
    let mut listener = PgListener::connect_with(&own.map_err(doing())?).await.map_err(doing())?;
    answered(listener.listen(channel)).await.map_err(doing())?;
    loop {
        match tokio::time::timeout(ASK_AFTER, listener.recv()).await {
            Ok(said) => {
                rise(head, said.map_err(doing())?.payload().parse().unwrap_or(0));
            }
            Err(_nothing) => {
                answered(listener.execute("select 1")).await.map_err(doing())?;
            }
        }
    }
}

fn channel(db: &Db) -> String {
    format!("onenet_{}", db.schema())
}
