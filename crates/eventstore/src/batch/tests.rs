use fastrand::Rng;
use onenet_devservers::shared_postgres;
use onenet_kernel::Version;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::*;
use crate::{
    row,
    testing::{Scratch, cause, event},
};

/// What a command was answered, without what two databases have of their own.
type Answer = (String, u64, u64);

/// Of two logs that begin empty, one is given every batch at once and the other judges each from the start.
/// Whatever the batches bring, both answer the same and hold the same.
#[tokio::test]
async fn at_once_or_judged_the_outcome_is_the_same() {
    let scratch = Scratch::create(shared_postgres().unwrap()).await.unwrap();
    for schema in ["at_once", "judged"] {
        scratch.log(schema, &[]).await.unwrap();
    }
    let mut at_once = scratch.owner("at_once").await.unwrap();
    let mut judged = scratch.owner("judged").await.unwrap();
    let (mut chance, mut past) = (Rng::with_seed(20_261_128), Past::default());
    let mut simply_appended = 0;
    for _ in 0..300 {
        let batch: Vec<_> = (0..chance.usize(1..5)).map(|_| past.next(&mut chance)).collect();
        let commands: Vec<_> = batch.iter().collect();
        let one = answers(&send(&mut at_once, &commands, true).await.unwrap());
        let other = answers(&send(&mut judged, &commands, false).await.unwrap());
        assert_eq!(one, other);
        past.remember(batch, &one);
        simply_appended += usize::from(one.iter().all(|(outcome, ..)| outcome == "appended"));
    }
    assert!((50..250).contains(&simply_appended), "{simply_appended} of 300: both kinds, often");
    assert_eq!(rows(&mut at_once).await, rows(&mut judged).await);
}

/// What was sent, and how far the streams have come.
#[derive(Default)]
struct Past {
    ends: [u64; 6],
    sent: Vec<AppendCommand>,
}

impl Past {
    /// Mostly what has nothing against it; else a wrong version, another subject, nothing to write, or what
    /// was sent before, with its content or another.
    fn next(&mut self, chance: &mut Rng) -> AppendCommand {
        let stream = chance.usize(..self.ends.len() + 2);
        let name =
            if stream < self.ends.len() { stream.to_string() } else { chance.u64(..).to_string() };
        let end = self.ends.get(stream).copied().unwrap_or_default();
        let (mut subject, mut version, mut size) = (name.clone(), end, chance.usize(1..4));
        let mut asked = cause(Uuid::from_u128(chance.u128(..)));
        match chance.u8(..20) {
            0 => version = chance.u64(..end + 2),
            1 => "another".clone_into(&mut subject),
            2 => size = 0,
            3 | 4 if !self.sent.is_empty() => {
                let known = &self.sent[chance.usize(..self.sent.len())];
                asked = known.cause.clone();
                if chance.bool() {
                    asked.digest = [8; 32];
                }
            }
            _ => {}
        }
        let events = (0..size).map(|n| event(&subject, &n.to_string())).collect();
        AppendCommand::try_new(StreamId::new("test", &name), Version(version), asked, events)
            .unwrap()
    }

    fn remember(&mut self, batch: Vec<AppendCommand>, answers: &[Answer]) {
        for (command, (outcome, version, _)) in batch.iter().zip(answers) {
            let known = (0..self.ends.len())
                .find(|n| command.stream == StreamId::new("test", &n.to_string()));
            if let Some(stream) = known.filter(|_| outcome == "appended") {
                self.ends[stream] = *version;
            }
        }
        self.sent.extend(batch);
    }
}

fn answers(rows: &[PgRow]) -> Vec<Answer> {
    let answer = |row: &PgRow| {
        let number = |column| row::long(row, column).unwrap();
        (row.get("outcome"), number("stream_version"), number("log_position"))
    };
    rows.iter().map(answer).collect()
}

async fn rows(connection: &mut PgConnection) -> Vec<String> {
    let text = "select (to_jsonb(e) - 'recorded_at')::text from events e order by position";
    let quiet =
        "select (to_jsonb(q) - 'recorded_at')::text from quiet_commands q order by command_id";
    let mut rows: Vec<String> = sqlx::query_scalar(text).fetch_all(&mut *connection).await.unwrap();
    rows.extend(sqlx::query_scalar::<_, String>(quiet).fetch_all(connection).await.unwrap());
    rows
}
