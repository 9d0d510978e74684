use std::{sync::Arc, time::Duration};

use sqlx::postgres::PgListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    db::{Db, DbError},
    own::{OwnConnection, answered},
};

/// Many commits make one notification: NOTIFY takes a lock that is shared by the whole server, so it
/// is sent at most this often, and never inside an append.
const DEBOUNCE: Duration = Duration::from_millis(5);

/// Tells readers that the log has grown: in process at once, across processes by one debounced
/// NOTIFY. Both are hints; a slow poll is the truth.
#[derive(Clone)]
pub(crate) struct Wake {
    head: Arc<watch::Sender<u64>>,
}

impl Wake {
    pub(crate) fn new() -> Self {
        Self { head: Arc::new(watch::Sender::new(0)) }
    }

    /// This process has committed up to `head`.
    pub(crate) fn committed(&self, head: u64) {
        self.head.send_if_modified(|known| {
            let grows = head > *known;
            *known = head.max(*known);
            grows
        });
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Passes hints to and from other processes until `stop`.
    pub(crate) fn across_processes(&self, db: &Db, stop: &CancellationToken) {
        tokio::spawn(tell(db.clone(), self.subscribe(), stop.clone()));
        tokio::spawn(hear(db.clone(), self.clone(), stop.clone()));
    }
}

async fn tell(db: Db, mut head: watch::Receiver<u64>, stop: CancellationToken) {
    let channel = channel(&db);
    // a notification is a commit: one that waited for the disk would have appends wait behind it
    let mut connection = OwnConnection::forgetful(&db);
    while let Some(Ok(())) = stop.run_until_cancelled(head.changed()).await {
        let position = *head.borrow_and_update();
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

async fn hear(db: Db, wake: Wake, stop: CancellationToken) {
    let channel = channel(&db);
    while !stop.is_cancelled() {
        let listening = async {
            let mut listener = PgListener::connect_with(db.pool())
                .await
                .map_err(DbError::while_("listening for wake-ups"))?;
            listener.listen(&channel).await.map_err(DbError::while_("listening for wake-ups"))?;
            loop {
                let heard =
                    listener.recv().await.map_err(DbError::while_("waiting for a wake-up"))?;
                wake.committed(heard.payload().parse().unwrap_or(0));
            }
        };
        let lost: Option<Result<std::convert::Infallible, DbError>> =
            stop.run_until_cancelled(listening).await;
        if let Some(Err(error)) = lost {
            tracing::debug!(error = &error as &dyn std::error::Error, "listening again");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

fn channel(db: &Db) -> String {
    format!("onenet_{}", db.schema())
}
