use onenet_kernel::{
    Actor, Digest, Issuer, Key, Origin, Position, Recorded, StreamId, Timestamp, Version,
};
use sqlx::{Row as _, postgres::PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

/// An event from a row with the columns of `events`. The log's id is not among them: it is the same
/// for every row of a log.
pub(crate) fn recorded(row: &PgRow, log_id: Uuid) -> Result<Recorded, sqlx::Error> {
    Ok(Recorded {
        position: Position {
            log_id,
            epoch: unsigned(row, "epoch")?,
            number: long(row, "position")?,
        },
        stream: StreamId::from_stored(row.try_get("stream_id")?),
        version: Version(long(row, "version")?),
        event_id: row.try_get("event_id")?,
        event_type: row.try_get("event_type")?,
        payload: row.try_get::<Vec<u8>, _>("payload")?.into(),
        key: Key {
            subject: row.try_get("subject")?,
            division: row.try_get("division")?,
            industry: row.try_get("industry")?,
        },
        occurred_at: instant(row, "occurred_at")?,
        recorded_at: instant(row, "recorded_at")?,
        issuer: Issuer::from_stored(row.try_get("issuer")?),
        command_id: row.try_get("command_id")?,
        ordinal: unsigned(row, "ordinal")?,
        digest: digest(row, "digest")?,
        actor: Actor { organisation: row.try_get("actor")?, person: row.try_get("actor_person")? },
        correlation_id: row.try_get("correlation_id")?,
        causation_id: row.try_get("causation_id")?,
        rules_version: row.try_get("rules_version")?,
        traceparent: row.try_get("traceparent")?,
        origin: origin(row)?,
        leaf: digest(row, "leaf")?,
    })
}

fn origin(row: &PgRow) -> Result<Option<Origin>, sqlx::Error> {
    let Some(node) = row.try_get::<Option<String>, _>("origin_node")? else {
        return Ok(None);
    };
    let position = Position {
        log_id: row.try_get("origin_log_id")?,
        epoch: unsigned(row, "origin_epoch")?,
        number: long(row, "origin_position")?,
    };
    Ok(Some(Origin { node, position }))
}

pub(crate) fn long(row: &PgRow, column: &str) -> Result<u64, sqlx::Error> {
    row.try_get::<i64, _>(column)?.try_into().map_err(|error| decode(column, error))
}

pub(crate) fn unsigned(row: &PgRow, column: &str) -> Result<u32, sqlx::Error> {
    row.try_get::<i32, _>(column)?.try_into().map_err(|error| decode(column, error))
}

pub(crate) fn instant(row: &PgRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    row.try_get::<OffsetDateTime, _>(column).map(Timestamp::from_datetime)
}

pub(crate) fn digest(row: &PgRow, column: &str) -> Result<Digest, sqlx::Error> {
    let bytes: Vec<u8> = row.try_get(column)?;
    bytes.as_slice().try_into().map_err(|error| decode(column, error))
}

/// Positions and versions fit: they are counted from 1.
pub(crate) fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn decode(column: &str, source: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) }
}
