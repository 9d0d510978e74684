use anyhow::Result;
use onenet_eventstore::sqlx::{PgConnection, query};

use crate::PAYLOAD;

/// What rows are made of that nobody appended.
pub(super) struct Kind<'a> {
    /// In front of a stream's key.
    pub(super) category: &'a str,
    pub(super) event_type: &'a str,
    pub(super) subject: &'a str,
    /// Where they came from; in a feed only.
    pub(super) origin: Option<&'a str>,
}

const EVENTS: Kind<'static> =
    Kind { category: "bench-", event_type: "test.v1.Happened", subject: "s", origin: None };

/// Fills a log of which nobody else is an appender, as its owner: by appending it takes minutes. Transactions
/// are no larger than those of the log, so that whoever decodes them does as usual.
pub(super) async fn fill(owner: &mut PgConnection, events: u64) -> Result<()> {
    const AT_ONCE: u64 = 1_000;
    let mut left = events;
    while left > 0 {
        insert(owner, &EVENTS, left.min(AT_ONCE)).await?;
        left = left.saturating_sub(AT_ONCE);
    }
    Ok(())
}

/// Puts so many events at the end of a log, each on a stream of its own, in one statement.
pub(super) async fn insert(owner: &mut PgConnection, kind: &Kind<'_>, events: u64) -> Result<()> {
    query(
        "insert into events
         select coalesce((select max(position) from events), 0) + n, 1, $1 || id, 1, gen_random_uuid(), $2,
            convert_to(repeat('x', $3), 'UTF8'), $4, '410102', '2614', now(), now(), 'o:91410100MA0000001X',
            id, 0, decode(repeat('07', 32), 'hex'), id, null, '91410100MA0000001X', null, '', '', $5,
            case when $5 is not null then id end, case when $5 is not null then 1 end,
            case when $5 is not null then n end, decode(repeat('07', 32), 'hex')
         from (select n, gen_random_uuid() as id from generate_series(1, $6) n) made",
    )
    .bind(kind.category)
    .bind(kind.event_type)
    .bind(i32::try_from(PAYLOAD)?)
    .bind(kind.subject)
    .bind(kind.origin)
    .bind(i64::try_from(events)?)
    .execute(owner)
    .await?;
    Ok(())
}
