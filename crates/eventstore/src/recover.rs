use onenet_kernel::Recorded;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Postgres, Row as _, query::Query};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    db::DbError,
    migrate::quoted,
    row::{self, bigint},
};

/// Why events were not put back. What was put back before stands, so that it is gone on with.
#[derive(Debug, thiserror::Error)]
pub enum ReappendError {
    /// The database failed or refused.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The log is not where these events go on.
    #[error(
        "position {first} was to follow, but the log ends at {head}: somebody else writes to it"
    )]
    Moved {
        /// Position of the first event.
        first: u64,
        /// Where the log ends.
        head: u64,
    },
    /// The events are those of another log.
    #[error("event {event_id} is another log's")]
    AnotherLog {
        /// The first such event.
        event_id: Uuid,
    },
}

/// A log whose epoch was raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raised {
    /// The new epoch.
    pub epoch: u32,
    /// The position above which it holds: the log's end.
    pub above: u64,
}

/// Sessions of these roles in the database that `owner_url` names: role and count. A process of a node
/// that runs has some; nobody is live where there are none.
pub async fn sessions(owner_url: &str, roles: &[String]) -> Result<Vec<(String, i64)>, DbError> {
    let doing = || DbError::while_("looking for processes of the node");
    let mut owner = PgConnection::connect(owner_url).await.map_err(doing())?;
    sqlx::query_as(
        "select usename::text, count(*) from pg_stat_activity
         where datname = current_database() and usename = any($1) group by 1 order by 1",
    )
    .bind(roles)
    .fetch_all(&mut owner)
    .await
    .map_err(doing())
}

/// A log, as the role that owns its schema: what the context's own role may never do. It is for
/// recovering after a restore, while no process of the node runs.
pub struct LogOwner(PgConnection);

impl LogOwner {
    /// Connects with the owner's URL.
    pub async fn connect(owner_url: &str, schema: &str) -> Result<Self, DbError> {
        let doing = || DbError::while_("connecting as the owner");
        let mut owner = PgConnection::connect(owner_url).await.map_err(doing())?;
        let path = format!("set search_path = {}, pg_temp", quoted(schema));
        sqlx::raw_sql(AssertSqlSafe(path)).execute(&mut owner).await.map_err(doing())?;
        Ok(Self(owner))
    }

    /// Puts events back as they were, position, epoch and time included, right behind the log's end: all
    /// of them or none. That they continue the log is for the caller to have found out
    /// ([`continues`](crate::continues)).
    pub async fn reappend(&mut self, events: &[Recorded]) -> Result<(), ReappendError> {
        let Some(first) = events.first() else { return Ok(()) };
        let doing = || DbError::while_("putting events back");
        let mut tx = self.0.begin().await.map_err(doing())?;
        let (log_id, epoch, head) = stand(&mut tx).await.map_err(doing())?;
        if first.position.number != head + 1 {
            return Err(ReappendError::Moved { first: first.position.number, head });
        }
        if let Some(other) = events.iter().find(|event| event.position.log_id != log_id) {
            return Err(ReappendError::AnotherLog { event_id: other.event_id });
        }
        // the list of columns is that of `append`
        let insert = sqlx::query(
            "insert into events (position, epoch, stream_id, version, event_id, event_type, payload,
                subject, division, industry, occurred_at, recorded_at, issuer, command_id, ordinal,
                digest, correlation_id, causation_id, actor, actor_person, rules_version, traceparent,
                origin_node, origin_log_id, origin_epoch, origin_position, leaf)
             select * from unnest($1::bigint[], $2::integer[], $3::text[], $4::bigint[], $5::uuid[],
                $6::text[], $7::bytea[], $8::text[], $9::text[], $10::text[], $11::timestamptz[],
                $12::timestamptz[], $13::text[], $14::uuid[], $15::integer[], $16::bytea[],
                $17::uuid[], $18::uuid[], $19::text[], $20::text[], $21::text[], $22::text[],
                $23::text[], $24::uuid[], $25::integer[], $26::bigint[], $27::bytea[])",
        );
        bind(insert, events).execute(&mut *tx).await.map_err(doing())?;
        let mut reached = epoch;
        for event in events.iter().filter(|event| event.position.epoch > epoch) {
            if event.position.epoch > reached {
                reached = event.position.epoch;
                begin_epoch(&mut tx, reached, event.position.number - 1).await.map_err(doing())?;
            }
        }
        tx.commit().await.map_err(doing())?;
        Ok(())
    }

    /// Raises the log's epoch, so that what is appended from now on cannot be taken for what once stood
    /// at these positions. Answers nothing where it was raised and nothing has been appended since.
    ///
    /// The counter is part of the database and is restored with it. So the new epoch is taken from the
    /// time, in seconds: two recoveries from one backup get two epochs.
    pub async fn raise_epoch(&mut self) -> Result<Option<Raised>, DbError> {
        let doing = || DbError::while_("raising the epoch");
        let mut tx = self.0.begin().await.map_err(doing())?;
        let (_, epoch, above) = stand(&mut tx).await.map_err(doing())?;
        let is_raised: bool = sqlx::query_scalar(
            "select exists (select from epochs where epoch = $1 and above = $2)",
        )
        .bind(int(epoch))
        .bind(bigint(above))
        .fetch_one(&mut *tx)
        .await
        .map_err(doing())?;
        if is_raised {
            return Ok(None);
        }
        let row = sqlx::query(
            "select greatest($1 + 1,
                extract(epoch from clock_timestamp() - timestamptz '2020-01-01 00:00:00Z')::integer)
                as epoch",
        )
        .bind(int(epoch))
        .fetch_one(&mut *tx)
        .await
        .map_err(doing())?;
        let epoch = row::unsigned(&row, "epoch").map_err(doing())?;
        begin_epoch(&mut tx, epoch, above).await.map_err(doing())?;
        tx.commit().await.map_err(doing())?;
        Ok(Some(Raised { epoch, above }))
    }
}

/// Identity, epoch and end of the log, which nobody appends to until the transaction ends.
async fn stand(tx: &mut PgConnection) -> Result<(Uuid, u32, u64), sqlx::Error> {
    sqlx::query("select pg_advisory_xact_lock(1, 'events'::regclass::oid::integer)")
        .execute(&mut *tx)
        .await?;
    let row = sqlx::query(
        "select log_id, epoch, coalesce((select max(position) from events), 0) as head from log",
    )
    .fetch_one(tx)
    .await?;
    Ok((row.try_get("log_id")?, row::unsigned(&row, "epoch")?, row::long(&row, "head")?))
}

async fn begin_epoch(tx: &mut PgConnection, epoch: u32, above: u64) -> Result<(), sqlx::Error> {
    sqlx::query("insert into epochs (epoch, above) values ($1, $2)")
        .bind(int(epoch))
        .bind(bigint(above))
        .execute(&mut *tx)
        .await?;
    sqlx::query("update log set epoch = $1").bind(int(epoch)).execute(tx).await.map(drop)
}

type Statement<'q> = Query<'q, Postgres, sqlx::postgres::PgArguments>;

fn bind<'q>(statement: Statement<'q>, events: &'q [Recorded]) -> Statement<'q> {
    fn column<'q, T>(events: &'q [Recorded], of: impl Fn(&'q Recorded) -> T) -> Vec<T> {
        events.iter().map(of).collect()
    }
    statement
        .bind(column(events, |e| bigint(e.position.number)))
        .bind(column(events, |e| int(e.position.epoch)))
        .bind(column(events, |e| e.stream.as_str()))
        .bind(column(events, |e| bigint(e.version.0)))
        .bind(column(events, |e| e.event_id))
        .bind(column(events, |e| e.event_type.as_str()))
        .bind(column(events, |e| &e.payload[..]))
        .bind(column(events, |e| e.key.subject.as_str()))
        .bind(column(events, |e| e.key.division.as_str()))
        .bind(column(events, |e| e.key.industry.as_str()))
        .bind(column(events, |e| -> OffsetDateTime { e.occurred_at.to_datetime() }))
        .bind(column(events, |e| -> OffsetDateTime { e.recorded_at.to_datetime() }))
        .bind(column(events, |e| e.issuer.as_str()))
        .bind(column(events, |e| e.command_id))
        .bind(column(events, |e| int(e.ordinal)))
        .bind(column(events, |e| e.digest.as_slice()))
        .bind(column(events, |e| e.correlation_id))
        .bind(column(events, |e| e.causation_id))
        .bind(column(events, |e| e.actor.organisation.as_str()))
        .bind(column(events, |e| e.actor.person.as_deref()))
        .bind(column(events, |e| e.rules_version.as_str()))
        .bind(column(events, |e| e.traceparent.as_str()))
        .bind(column(events, |e| e.origin.as_ref().map(|origin| origin.node.as_str())))
        .bind(column(events, |e| e.origin.as_ref().map(|origin| origin.position.log_id)))
        .bind(column(events, |e| e.origin.as_ref().map(|origin| int(origin.position.epoch))))
        .bind(column(events, |e| e.origin.as_ref().map(|origin| bigint(origin.position.number))))
        .bind(column(events, |e| e.leaf.as_slice()))
}

fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
