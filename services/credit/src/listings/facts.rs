use jiff::civil::Date;
use onenet_chassis::{Refusal, day, view::decode};
use onenet_eventstore::{Db, DbError, sqlx};
use onenet_kernel::Position;
use onenet_proto::credit::v1::Listing;
use uuid::Uuid;

use super::{bigint, position};
use crate::domain::ListingFact;

/// In front of a query: up to where the log is folded, of the same snapshot as the rows.
macro_rules! as_of {
    ($query:literal) => {
        concat!(
            "with known as (
                select log.log_id, coalesce(log_epoch, log.epoch) as epoch,
                    coalesce(position, 0) as number
                from log left join checkpoints c on follower = 'listings' and source = 'log') ",
            $query
        )
    };
}

/// The listings of subjects that are in force on a day, oldest first, each with the subject's place in
/// `subjects`; and the position they are known at.
pub(crate) async fn in_force(
    db: &Db,
    subjects: &[&str],
    day: Date,
) -> Result<(Vec<(usize, Listing)>, Position), Refusal> {
    type Row = (Uuid, i32, i64, Option<i64>, Option<Vec<u8>>);
    let rows: Vec<Row> = sqlx::query_as(as_of!(
        "select known.log_id, known.epoch, known.number, listed.n, listed.view
         from known left join (
            select asked.n, l.listed_on, l.listing_id, l.view
            from unnest($1::text[]) with ordinality asked (subject, n)
                join listings l on l.subject = asked.subject
            where l.listed_on <= $2::text::date and $2::text::date < l.ends_on) listed on true
         order by listed.n, listed.listed_on, listed.listing_id"
    ))
    .bind(subjects)
    .bind(day.to_string())
    .fetch_all(&mut *db.reader().await?)
    .await
    .map_err(DbError::while_("asking who is listed"))?;
    let known_at =
        rows.first().map(|(log_id, epoch, number, ..)| position(*log_id, *epoch, *number));
    let listings = rows.into_iter().filter_map(|(_, _, _, n, view)| {
        let place = usize::try_from(n?).ok()?.checked_sub(1)?;
        Some(decode(&view?).map(|listing| (place, listing)))
    });
    Ok((listings.collect::<Result<_, _>>()?, known_at.ok_or_else(no_log)?))
}

/// What the log holds of a range.
pub(crate) struct Held {
    /// The range: above this number,
    pub(crate) after: u64,
    /// up to this one.
    pub(crate) upto: u64,
    /// In the order of positions.
    pub(crate) facts: Vec<ListingFact>,
    /// The position they are known at.
    pub(crate) known_at: Position,
}

type Row = (Uuid, i32, i64, i64, Option<i64>, Option<Uuid>, Option<Vec<u8>>);

/// The facts above a number, up to and including another.
pub(crate) async fn facts_of_range(db: &Db, after: u64, upto: u64) -> Result<Held, Refusal> {
    let rows: Vec<Row> = sqlx::query_as(as_of!(
        "select known.log_id, known.epoch, known.number, $1, f.position, f.event_id, f.leaf
         from known left join listing_facts f on f.position > $1 and f.position <= $2
         order by f.position"
    ))
    .bind(bigint(after))
    .bind(bigint(upto))
    .fetch_all(&mut *db.reader().await?)
    .await
    .map_err(DbError::while_("reading listing facts"))?;
    Ok(Held { after, upto, ..read(rows)? })
}

/// The facts recorded on a day in Beijing.
pub(crate) async fn facts_of_day(db: &Db, recorded_on: Date) -> Result<Held, Refusal> {
    let rows: Vec<Row> = sqlx::query_as(as_of!(
        "select known.log_id, known.epoch, known.number,
            coalesce((select max(position) from listing_facts where recorded_at < $1), 0),
            f.position, f.event_id, f.leaf
         from known left join listing_facts f on f.recorded_at >= $1 and f.recorded_at < $2
         order by f.position"
    ))
    .bind(day::start(recorded_on).to_datetime())
    .bind(day::end(recorded_on).to_datetime())
    .fetch_all(&mut *db.reader().await?)
    .await
    .map_err(DbError::while_("reading the listing facts of a day"))?;
    read(rows)
}

/// The epoch of the listing fact at a number, where one stands there.
pub(crate) async fn fact_epoch(db: &Db, number: u64) -> Result<Option<u32>, DbError> {
    let epoch: Option<i32> =
        sqlx::query_scalar("select epoch from listing_facts where position = $1")
            .bind(bigint(number))
            .fetch_optional(&mut *db.reader().await?)
            .await
            .map_err(DbError::while_("looking for a listing fact"))?;
    Ok(epoch.map(i32::cast_unsigned))
}

fn read(rows: Vec<Row>) -> Result<Held, Refusal> {
    let (log_id, epoch, number, after, ..) = *rows.first().ok_or_else(no_log)?;
    let (known_at, after) = (position(log_id, epoch, number), after.cast_unsigned());
    let facts = rows.into_iter().filter_map(|(_, _, _, _, number, event_id, leaf)| {
        let (number, event_id) = (number?.cast_unsigned(), event_id?);
        let leaf = leaf?.try_into();
        Some(leaf.map(|leaf| ListingFact { number, event_id, leaf }))
    });
    let facts: Vec<ListingFact> = facts
        .collect::<Result<_, Vec<u8>>>()
        .map_err(|leaf| Refusal::internal(format!("a leaf has {} bytes", leaf.len())))?;
    let upto = facts.last().map_or(after, |last| last.number);
    Ok(Held { after, upto, facts, known_at })
}

fn no_log() -> Refusal {
    Refusal::internal("the schema holds no log")
}
