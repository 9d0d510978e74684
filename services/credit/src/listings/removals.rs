use onenet_chassis::{Refusal, position as to_wire, timestamp, view::Paging};
use onenet_eventstore::{
    Db, DbError, sqlx,
    sqlx::{Row as _, postgres::PgRow},
};
use onenet_kernel::Timestamp;
use onenet_proto::{
    common::v1::Page,
    credit::v1::{OpenRemoval, ReaderState},
};

use super::position;

/// What a list of open removals is narrowed to.
pub(crate) struct RemovalFilter<'a> {
    pub(crate) readers: &'a [&'a str],
    pub(crate) subject: Option<&'a str>,
}

/// Removals that these readers have not acknowledged, by position, then reader. The token of a page is
/// both of its last row.
pub(crate) async fn open_removals(
    db: &Db,
    paging: &Paging,
    filter: &RemovalFilter<'_>,
) -> Result<(Vec<OpenRemoval>, Page), Refusal> {
    let (after, after_reader) = match paging.after.as_str() {
        "" => (0, ""),
        token => token
            .split_once('-')
            .and_then(|(number, reader)| Some((number.parse::<i64>().ok()?, reader)))
            .ok_or_else(Paging::invalid_token)?,
    };
    let rows = sqlx::query(
        "select r.reader, f.subject, f.listing_id, log.log_id, f.epoch, f.position, f.recorded_at,
            extract(epoch from clock_timestamp() - f.recorded_at)::bigint as open_seconds
         from log, listing_facts f
            cross join unnest($1::text[]) r (reader)
            left join listing_acknowledgements a on a.reader = r.reader
         where f.is_removal and f.position > coalesce(a.position, 0)
            and ($2::text is null or f.subject = $2)
            and f.position >= $3 and (f.position, r.reader collate \"C\") > ($3, $4)
         order by f.position, r.reader collate \"C\" limit $5",
    )
    .bind(filter.readers)
    .bind(filter.subject)
    .bind(after)
    .bind(after_reader)
    .bind(paging.fetch())
    .fetch_all(&mut *db.reader().await?)
    .await
    .and_then(|rows| rows.iter().map(open_removal).collect::<Result<Vec<_>, _>>())
    .map_err(DbError::while_("listing open removals"))?;
    Ok(paging.cut(rows))
}

fn open_removal(row: &PgRow) -> Result<(String, OpenRemoval), sqlx::Error> {
    let (reader, number): (String, i64) = (row.try_get("reader")?, row.try_get("position")?);
    let at = position(row.try_get("log_id")?, row.try_get("epoch")?, number);
    let removal = OpenRemoval {
        reader: reader.clone(),
        subject: row.try_get("subject")?,
        listing_id: row.try_get("listing_id")?,
        position: Some(to_wire(at)),
        open_since_at: Some(timestamp(Timestamp::from_datetime(row.try_get("recorded_at")?))),
        open_seconds: seconds(row.try_get("open_seconds")?),
    };
    Ok((format!("{number}-{reader}"), removal))
}

/// How each of these readers stands: what is open, and for how long the oldest has been.
pub(crate) async fn reader_states(db: &Db, readers: &[&str]) -> Result<Vec<ReaderState>, DbError> {
    let rows = sqlx::query(
        "select r.reader, a.log_id, a.epoch, a.position, count(f.position) as open_removals,
            extract(epoch from clock_timestamp() - min(f.recorded_at))::bigint as oldest
         from unnest($1::text[]) r (reader)
            left join listing_acknowledgements a on a.reader = r.reader
            left join listing_facts f on f.is_removal and f.position > coalesce(a.position, 0)
         group by r.reader, a.log_id, a.epoch, a.position order by r.reader collate \"C\"",
    )
    .bind(readers)
    .fetch_all(&mut *db.reader().await?)
    .await;
    rows.and_then(|rows| rows.iter().map(reader_state).collect())
        .map_err(DbError::while_("asking how far readers are"))
}

fn reader_state(row: &PgRow) -> Result<ReaderState, sqlx::Error> {
    let acknowledged = match row.try_get::<Option<i64>, _>("position")? {
        None => None,
        Some(number) => {
            Some(to_wire(position(row.try_get("log_id")?, row.try_get("epoch")?, number)))
        }
    };
    Ok(ReaderState {
        reader: row.try_get("reader")?,
        acknowledged,
        open_removals: row.try_get::<i64, _>("open_removals")?.cast_unsigned(),
        oldest_open_seconds: row.try_get::<Option<i64>, _>("oldest")?.map(seconds),
    })
}

/// A clock that was set back makes nothing younger than new.
fn seconds(age: i64) -> u64 {
    u64::try_from(age).unwrap_or_default()
}
