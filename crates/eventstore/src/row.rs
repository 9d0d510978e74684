use std::ops::RangeFrom;

use bytes::Bytes;
use onenet_kernel::{
    Actor, Digest, Issuer, Key, Origin, Position, Recorded, StreamId, Timestamp, Version,
};
use sqlx::{ColumnIndex, Decode, Postgres, Row as _, Type, postgres::PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

/// An event from a row that has the columns of `events` in their order, beside others or not. The log's
/// id is not among them: it is the same for every row of a log.
///
/// Columns are taken one after the other: looking each up by name costs as much as decoding it.
pub(crate) fn recorded(row: &PgRow, log_id: Uuid) -> Result<Recorded, sqlx::Error> {
    let mut columns = Columns { row, next: "position".index(row)?.. };
    let number = columns.long()?;
    Ok(Recorded {
        position: Position { log_id, epoch: columns.unsigned()?, number },
        stream: StreamId::from_stored(columns.take()?),
        version: Version(columns.long()?),
        event_id: columns.take()?,
        event_type: columns.take()?,
        payload: Bytes::copy_from_slice(columns.take()?),
        key: Key { subject: columns.take()?, division: columns.take()?, industry: columns.take()? },
        occurred_at: columns.instant()?,
        recorded_at: columns.instant()?,
        issuer: Issuer::from_stored(columns.take()?),
        command_id: columns.take()?,
        ordinal: columns.unsigned()?,
        digest: columns.digest()?,
        correlation_id: columns.take()?,
        causation_id: columns.take()?,
        actor: Actor { organisation: columns.take()?, person: columns.take()? },
        rules_version: columns.take()?,
        traceparent: columns.take()?,
        origin: columns.origin()?,
        leaf: columns.digest()?,
    })
}

/// What is left of a row.
struct Columns<'r> {
    row: &'r PgRow,
    next: RangeFrom<usize>,
}

impl<'r> Columns<'r> {
    fn place(&mut self) -> usize {
        self.next.next().unwrap_or(usize::MAX)
    }

    fn take<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> Result<T, sqlx::Error> {
        let place = self.place();
        self.row.try_get(place)
    }

    fn long(&mut self) -> Result<u64, sqlx::Error> {
        let place = self.place();
        long(self.row, place)
    }

    fn unsigned(&mut self) -> Result<u32, sqlx::Error> {
        let place = self.place();
        unsigned(self.row, place)
    }

    fn instant(&mut self) -> Result<Timestamp, sqlx::Error> {
        let place = self.place();
        instant(self.row, place)
    }

    fn digest(&mut self) -> Result<Digest, sqlx::Error> {
        let place = self.place();
        digest(self.row, place)
    }

    fn origin(&mut self) -> Result<Option<Origin>, sqlx::Error> {
        let Some(node) = self.take::<Option<String>>()? else {
            self.next.start += 3;
            return Ok(None);
        };
        let (log_id, epoch, number) = (self.take()?, self.unsigned()?, self.long()?);
        Ok(Some(Origin { node, position: Position { log_id, epoch, number } }))
    }
}

pub(crate) fn long(row: &PgRow, column: impl ColumnIndex<PgRow>) -> Result<u64, sqlx::Error> {
    let number: i64 = row.try_get(&column)?;
    number.try_into().map_err(|error| decode(&column, error))
}

pub(crate) fn unsigned(row: &PgRow, column: impl ColumnIndex<PgRow>) -> Result<u32, sqlx::Error> {
    let number: i32 = row.try_get(&column)?;
    number.try_into().map_err(|error| decode(&column, error))
}

pub(crate) fn instant(
    row: &PgRow,
    column: impl ColumnIndex<PgRow>,
) -> Result<Timestamp, sqlx::Error> {
    row.try_get::<OffsetDateTime, _>(column).map(Timestamp::from_datetime)
}

pub(crate) fn digest(row: &PgRow, column: impl ColumnIndex<PgRow>) -> Result<Digest, sqlx::Error> {
    let bytes: &[u8] = row.try_get(&column)?;
    bytes.try_into().map_err(|error| decode(&column, error))
}

/// Positions and versions fit: they are counted from 1.
pub(crate) fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn decode(
    column: &impl ColumnIndex<PgRow>,
    source: impl std::error::Error + Send + Sync + 'static,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: format!("{column:?}"), source: Box::new(source) }
}
