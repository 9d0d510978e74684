#[cfg(test)]
mod tests;

use onenet_kernel::{Cause, NewEvent, Origin, StoreError, StreamId, Version, leaf};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, postgres::PgRow, query::Query};
use uuid::Uuid;

use crate::row::bigint;

/// Bounds of what can be published (Kafka's default message is 1 MiB; an event leaves room for its
/// headers and for being wrapped once more).
pub const MAX_EVENT_BYTES: usize = 256 * 1024;
/// Longest text in an envelope column, in bytes.
pub const MAX_TEXT_BYTES: usize = 512;
/// Most events of one command.
pub const MAX_EVENTS_PER_COMMAND: usize = 1_000;

/// One command on its way into the log. Its event ids and leaves are made once: sending it again
/// after an unknown outcome sends the same rows.
pub(crate) struct AppendCommand {
    pub(crate) stream: StreamId,
    pub(crate) expected: Version,
    pub(crate) cause: Cause,
    pub(crate) subject: String,
    pub(crate) events: Vec<(Uuid, [u8; 32], NewEvent)>,
    pub(crate) bytes: usize,
}

impl AppendCommand {
    pub(crate) fn try_new(
        stream: StreamId,
        expected: Version,
        cause: Cause,
        events: Vec<NewEvent>,
    ) -> Result<Self, StoreError> {
        check(&stream, &cause, &events)?;
        let subject = events.first().map(|event| event.key.subject.clone()).unwrap_or_default();
        if events.iter().any(|event| event.key.subject != subject) {
            return Err(unstorable("subject", "the events of one command have several subjects"));
        }
        let bytes = 512 + events.iter().map(|event| event.payload.len() + 512).sum::<usize>();
        let mut version = expected;
        let mut ordinal = 0;
        let events = events
            .into_iter()
            .map(|event| {
                version = version.next();
                let id = new_event_id();
                let leaf = leaf(&stream, version, id, ordinal, &cause, &event);
                ordinal += 1;
                (id, leaf, event)
            })
            .collect();
        Ok(Self { stream, expected, cause, subject, events, bytes })
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where event ids are made")]
fn new_event_id() -> Uuid {
    Uuid::now_v7()
}

fn check(stream: &StreamId, cause: &Cause, events: &[NewEvent]) -> Result<(), StoreError> {
    let mut texts = vec![
        ("stream", stream.as_str()),
        ("issuer", cause.issuer.as_str()),
        ("actor", cause.actor.organisation.as_str()),
        ("actor_person", cause.actor.person.as_deref().unwrap_or_default()),
        ("rules_version", cause.rules_version.as_str()),
        ("traceparent", cause.traceparent.as_str()),
    ];
    for event in events {
        if event.payload.len() > MAX_EVENT_BYTES {
            let reason = format!("{} bytes, at most {MAX_EVENT_BYTES}", event.payload.len());
            return Err(unstorable("payload", reason));
        }
        texts.push(("event_type", &event.event_type));
        texts.push(("subject", &event.key.subject));
        texts.push(("division", &event.key.division));
        texts.push(("industry", &event.key.industry));
    }
    if events.len() > MAX_EVENTS_PER_COMMAND {
        return Err(unstorable("events", format!("more than {MAX_EVENTS_PER_COMMAND} at once")));
    }
    for (field, text) in texts {
        if text.len() > MAX_TEXT_BYTES {
            return Err(unstorable(field, format!("longer than {MAX_TEXT_BYTES} bytes")));
        }
        if text.contains('\0') {
            return Err(unstorable(field, "contains U+0000"));
        }
    }
    Ok(())
}

fn unstorable(field: &'static str, reason: impl Into<String>) -> StoreError {
    StoreError::Unstorable { field, reason: reason.into() }
}

/// Part of a statement that reads a receipt: the statement then writes, so its commit waits for the
/// synchronous standbys, and with it everything that was written before.
///
/// A row that can be read need not be replicated: a commit that was waiting for a standby is visible
/// once its server process was ended or its server started again. A statement that only reads would
/// acknowledge it, and a standby that takes over then has not heard of it.
pub(crate) const REPLICATED: &str = "pg_logical_emit_message(true, 'onenet receipt', '')";

/// Sends the commands to the log's `append_events`: one statement, one round trip, one commit. `at_once`
/// where they are likely to need no judgement; the outcome is the same, what it costs is not.
pub(crate) async fn send(
    connection: &mut PgConnection,
    commands: &[&AppendCommand],
    at_once: bool,
) -> Result<Vec<PgRow>, sqlx::Error> {
    let statement = format!(
        "with answered as materialized (
            select * from append_events($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,
                $18,$19,$20,$21,$22,$23,$24,$25,$26,$27))
         select answered.*, case outcome when 'known' then {REPLICATED} end
            from answered order by command"
    );
    let places: Vec<_> = commands.iter().flat_map(|command| places(command)).collect();
    let numbers: Vec<i32> = (1..).take(places.len()).collect();
    let statement = sqlx::query(AssertSqlSafe(statement)).bind(numbers);
    let statement = bind_events(bind_commands(statement, &places), &places);
    statement.bind(at_once).fetch_all(connection).await
}

type Statement<'q> = Query<'q, Postgres, sqlx::postgres::PgArguments>;

/// What one element of each array is about.
struct Place<'q> {
    command: &'q AppendCommand,
    ordinal: i32,
    /// None where the command brings no event.
    event: Option<&'q (Uuid, [u8; 32], NewEvent)>,
}

fn places(command: &AppendCommand) -> impl Iterator<Item = Place<'_>> {
    let quiet = command.events.is_empty().then_some(None);
    let events = command.events.iter().map(Some).chain(quiet);
    (0..).zip(events).map(move |(ordinal, event)| Place { command, ordinal, event })
}

fn column<'q, T>(places: &[Place<'q>], of: impl Fn(&Place<'q>) -> T) -> Vec<T> {
    places.iter().map(of).collect()
}

fn bind_commands<'q>(statement: Statement<'q>, places: &[Place<'q>]) -> Statement<'q> {
    fn origin<'q, T>(place: &Place<'q>, of: impl FnOnce(&'q Origin) -> T) -> Option<T> {
        place.command.cause.origin.as_ref().map(of)
    }
    statement
        .bind(column(places, |p| p.command.cause.issuer.as_str()))
        .bind(column(places, |p| p.command.cause.command_id))
        .bind(column(places, |p| p.command.cause.digest.as_slice()))
        .bind(column(places, |p| p.command.stream.as_str()))
        .bind(column(places, |p| bigint(p.command.expected.0)))
        .bind(column(places, |p| p.command.subject.as_str()))
        .bind(column(places, |p| p.command.cause.occurred_at.to_datetime()))
        .bind(column(places, |p| p.command.cause.correlation_id))
        .bind(column(places, |p| p.command.cause.causation_id))
        .bind(column(places, |p| p.command.cause.actor.organisation.as_str()))
        .bind(column(places, |p| p.command.cause.actor.person.as_deref()))
        .bind(column(places, |p| p.command.cause.rules_version.as_str()))
        .bind(column(places, |p| p.command.cause.traceparent.as_str()))
        .bind(column(places, |p| origin(p, |origin| origin.node.as_str())))
        .bind(column(places, |p| origin(p, |origin| origin.position.log_id)))
        .bind(column(places, |p| origin(p, |origin| int(origin.position.epoch as usize))))
        .bind(column(places, |p| origin(p, |origin| bigint(origin.position.number))))
        .bind(column(places, |p| int(p.command.events.len())))
}

fn bind_events<'q>(statement: Statement<'q>, places: &[Place<'q>]) -> Statement<'q> {
    fn event<'q, T>(place: &Place<'q>, of: impl FnOnce(&'q NewEvent) -> T) -> Option<T> {
        place.event.map(|(_, _, event)| of(event))
    }
    statement
        .bind(column(places, |p| p.ordinal))
        .bind(column(places, |p| p.event.map(|(id, _, _)| *id)))
        .bind(column(places, |p| event(p, |event| &*event.event_type)))
        .bind(column(places, |p| event(p, |event| &event.payload[..])))
        .bind(column(places, |p| event(p, |event| event.key.division.as_str())))
        .bind(column(places, |p| event(p, |event| event.key.industry.as_str())))
        .bind(column(places, |p| p.event.map(|(_, leaf, _)| leaf.as_slice())))
}

fn int(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
