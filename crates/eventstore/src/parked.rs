use std::time::Duration;

use onenet_kernel::{Recorded, Timestamp};
use sqlx::{PgConnection, Row as _, postgres::PgRow};
use uuid::Uuid;

use crate::{
    db::{Db, DbError},
    row::{self, bigint},
};

/// First pause before an event that could not be handled yet is tried again; it doubles up to the
/// longest.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_mins(1);

/// Why an event is parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParkedState {
    /// Its time has not come; tried again by itself.
    Waiting,
    /// It failed for good; somebody has to look.
    Poisoned,
    /// Another of its key is parked in front of it.
    Queued,
}

impl ParkedState {
    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Poisoned => "poisoned",
            Self::Queued => "queued",
        }
    }

    fn from_stored(word: &str) -> Self {
        match word {
            "waiting" => Self::Waiting,
            "poisoned" => Self::Poisoned,
            _ => Self::Queued,
        }
    }
}

/// An event that a follower could not handle yet.
#[derive(Clone, Debug)]
pub struct Parked {
    /// The follower that keeps it.
    pub follower: String,
    /// Its place in the follower's table.
    pub arrival: i64,
    /// Why it is here.
    pub state: ParkedState,
    /// What was said when it last failed.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Since when.
    pub parked_at: Timestamp,
    /// The event, whole.
    pub event: Recorded,
}

/// Everything parked in a schema, oldest first, from `after` (an arrival) on.
pub async fn list_parked(db: &Db, after: i64, limit: u32) -> Result<Vec<Parked>, DbError> {
    let rows = sqlx::query("select * from parked where arrival > $1 order by arrival limit $2")
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(db.pool())
        .await
        .map_err(DbError::while_("listing parked events"))?;
    rows.iter().map(parked).collect::<Result<_, _>>().map_err(DbError::while_("reading the parked"))
}

/// Lets the follower try a poisoned event again, and behind it, in order, what queues for its key.
/// Answers whether there was one: it can be mended only where it is the first of its key.
pub async fn replay_parked(db: &Db, arrival: i64) -> Result<bool, DbError> {
    let changed = sqlx::query(
        "update parked set state = 'waiting', attempts = 0, retry_at = clock_timestamp()
         where arrival = $1 and state = 'poisoned'",
    )
    .bind(arrival)
    .execute(db.pool())
    .await
    .map_err(DbError::while_("replaying a parked event"))?;
    Ok(changed.rows_affected() > 0)
}

/// Whether any of the followers has parked anything, of `key` or of any key: reads are incomplete
/// then.
pub async fn is_incomplete(
    db: &Db,
    followers: &[&str],
    key: Option<&str>,
) -> Result<bool, DbError> {
    let query = sqlx::query_scalar(
        "select exists (select from parked
            where follower = any($1) and ($2::text is null or key = $2))",
    )
    .bind(followers)
    .bind(key);
    db.answered(query.fetch_one(&mut *db.reader().await?))
        .await
        .map_err(DbError::while_("looking for parked events"))
}

/// How many events each of these followers has parked.
pub(crate) async fn count_parked(
    db: &Db,
    followers: &[&str],
) -> Result<Vec<(String, u64)>, DbError> {
    let query = sqlx::query_as(
        "select f.follower, count(p.follower)
         from unnest($1::text[]) f (follower) left join parked p using (follower) group by 1",
    )
    .bind(followers);
    let rows: Vec<(String, i64)> = db
        .answered(query.fetch_all(&mut *db.reader().await?))
        .await
        .map_err(DbError::while_("counting parked events"))?;
    Ok(rows.into_iter().map(|(follower, count)| (follower, count.cast_unsigned())).collect())
}

pub(crate) async fn keys(tx: &mut PgConnection, follower: &str) -> Result<Vec<String>, DbError> {
    sqlx::query_scalar("select distinct key from parked where follower = $1")
        .bind(follower)
        .fetch_all(tx)
        .await
        .map_err(DbError::while_("looking for parked keys"))
}

pub(crate) async fn park(
    tx: &mut PgConnection,
    follower: &str,
    state: ParkedState,
    reason: &str,
    event: &Recorded,
) -> Result<(), DbError> {
    let origin = event.origin.as_ref();
    sqlx::query(
        "insert into parked (follower, key, state, reason, attempts, retry_at, log_id,
            position, epoch, stream_id, version, event_id, event_type, payload, subject, division,
            industry, occurred_at, recorded_at, issuer, command_id, ordinal, digest,
            correlation_id, causation_id, actor, actor_person, rules_version, traceparent,
            origin_node, origin_log_id, origin_epoch, origin_position, leaf)
         values ($1, $2, $3, $4, 1, clock_timestamp() + make_interval(secs => $5), $6,
            $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
            $25, $26, $27, $28, $29, $30, $31, $32, $33)",
    )
    .bind(follower)
    .bind(&event.key.subject)
    .bind(state.as_str())
    .bind(reason)
    .bind(FIRST_RETRY.as_secs_f64())
    .bind(event.position.log_id)
    .bind(bigint(event.position.number))
    .bind(int(event.position.epoch))
    .bind(event.stream.as_str())
    .bind(bigint(event.version.0))
    .bind(event.event_id)
    .bind(&event.event_type)
    .bind(&event.payload[..])
    .bind(&event.key.subject)
    .bind(&event.key.division)
    .bind(&event.key.industry)
    .bind(event.occurred_at.to_datetime())
    .bind(event.recorded_at.to_datetime())
    .bind(event.issuer.as_str())
    .bind(event.command_id)
    .bind(int(event.ordinal))
    .bind(event.digest.as_slice())
    .bind(event.correlation_id)
    .bind(event.causation_id)
    .bind(&event.actor.organisation)
    .bind(&event.actor.person)
    .bind(&event.rules_version)
    .bind(&event.traceparent)
    .bind(origin.map(|origin| origin.node.as_str()))
    .bind(origin.map(|origin| origin.position.log_id))
    .bind(origin.map(|origin| int(origin.position.epoch)))
    .bind(origin.map(|origin| bigint(origin.position.number)))
    .bind(event.leaf.as_slice())
    .execute(tx)
    .await
    .map(drop)
    .map_err(DbError::while_("parking an event"))
}

/// The first parked event of a key that may be tried: its time has come, or all in front of it went.
/// Locked for the transaction, skipped where another process holds it.
pub(crate) async fn next_due(
    tx: &mut PgConnection,
    follower: &str,
) -> Result<Option<Parked>, DbError> {
    let row = sqlx::query(
        "select p.* from parked p
         where p.follower = $1 and p.state <> 'poisoned' and p.retry_at <= clock_timestamp()
            and not exists (select from parked earlier where earlier.follower = $1
                and earlier.key = p.key and earlier.arrival < p.arrival)
         order by p.arrival limit 1 for update of p skip locked",
    )
    .bind(follower)
    .fetch_optional(tx)
    .await;
    row.and_then(|row| row.as_ref().map(parked).transpose())
        .map_err(DbError::while_("looking for parked events whose time has come"))
}

pub(crate) async fn remove(tx: &mut PgConnection, entry: &Parked) -> Result<(), DbError> {
    sqlx::query("delete from parked where follower = $1 and arrival = $2")
        .bind(&entry.follower)
        .bind(entry.arrival)
        .execute(tx)
        .await
        .map(drop)
        .map_err(DbError::while_("removing a parked event"))
}

pub(crate) async fn keep(
    tx: &mut PgConnection,
    entry: &Parked,
    state: ParkedState,
    reason: &str,
) -> Result<(), DbError> {
    let doubled = FIRST_RETRY.saturating_mul(2_u32.saturating_pow(entry.attempts));
    sqlx::query(
        "update parked set state = $3, reason = $4, attempts = attempts + 1,
            retry_at = clock_timestamp() + make_interval(secs => $5)
         where follower = $1 and arrival = $2",
    )
    .bind(&entry.follower)
    .bind(entry.arrival)
    .bind(state.as_str())
    .bind(reason)
    .bind(doubled.min(LONGEST_RETRY).as_secs_f64())
    .execute(tx)
    .await
    .map(drop)
    .map_err(DbError::while_("keeping an event parked"))
}

fn parked(row: &PgRow) -> Result<Parked, sqlx::Error> {
    let log_id: Uuid = row.try_get("log_id")?;
    Ok(Parked {
        follower: row.try_get("follower")?,
        arrival: row.try_get("arrival")?,
        state: ParkedState::from_stored(row.try_get("state")?),
        reason: row.try_get("reason")?,
        attempts: row::unsigned(row, "attempts")?,
        parked_at: row::instant(row, "parked_at")?,
        event: row::recorded(row, log_id)?,
    })
}

fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
