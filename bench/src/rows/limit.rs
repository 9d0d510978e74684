use std::time::{Duration, Instant};

use anyhow::Result;
use onenet_eventstore::{
    sqlx::{Executor as _, PgConnection, query},
    testing::{Scratch, new_id},
};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::PAYLOAD;

const BATCH: u8 = 128;

/// The most that inserting could be: rows as wide as the log's with all its indexes, 128 in a statement,
/// one lock for their positions, and no question asked of any.
pub(super) struct Limit {
    // while one commits, the other makes its next batch
    connections: [Mutex<PgConnection>; 2],
}

impl Limit {
    /// Beside the log, in tables like it.
    pub(super) async fn create(scratch: &Scratch, schema: &str) -> Result<Self> {
        let mut owner = scratch.owner(schema).await?;
        let tables = "create table blind (like events including all);
            create table blind_head (number bigint not null);
            insert into blind_head values (0)";
        owner.execute(tables).await?;
        let other = scratch.owner(schema).await?;
        Ok(Self { connections: [Mutex::new(owner), Mutex::new(other)] })
    }

    /// Inserts until the time is over; answers how many rows.
    pub(super) async fn insert_for(&self, turn: Duration) -> Result<u64> {
        let until = Instant::now() + turn;
        let [one, other] = &self.connections;
        let (one, other) = tokio::try_join!(insert(one, until), insert(other, until))?;
        Ok(one + other)
    }
}

async fn insert(connection: &Mutex<PgConnection>, until: Instant) -> Result<u64> {
    let mut connection = connection.lock().await;
    let (payload, leaf) = (vec![b'x'; PAYLOAD], vec![7; 32]);
    let mut inserted = 0;
    while Instant::now() < until {
        let ids: Vec<Uuid> = (0..BATCH).map(|_| new_id()).collect();
        let streams: Vec<String> =
            ids.iter().map(|id| format!("bench-{}", super::key(*id))).collect();
        let (payloads, leaves) =
            (vec![payload.as_slice(); ids.len()], vec![leaf.as_slice(); ids.len()]);
        let rows = query(
            "with head as (update blind_head set number = number + $5 returning number)
             insert into blind
             select head.number - $5 + n, 1, stream, 1, id, 'test.v1.Happened', payload, 's', '410102', '',
                now(), now(), 'o:91410100MA0000001X', id, 0, leaf, id, null, '91410100MA0000001X', null,
                '', '', null, null, null, null, leaf
             from head, unnest($1::text[], $2::uuid[], $3::bytea[], $4::bytea[])
                with ordinality as batch (stream, id, payload, leaf, n)",
        );
        let rows =
            rows.bind(&streams).bind(&ids).bind(&payloads).bind(&leaves).bind(i64::from(BATCH));
        inserted += rows.execute(&mut *connection).await?.rows_affected();
    }
    Ok(inserted)
}
