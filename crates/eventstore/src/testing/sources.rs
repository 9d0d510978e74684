//! What every [`Source`] owes a follower: one suite, run over each of them.

use std::{future::Future, time::Duration};

use onenet_kernel::{EventStore as _, Recorded, StreamId, Version};
use sqlx::PgConnection;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Scratch, cause, event, new_id};
use crate::{
    db::{Db, DbError},
    follower::{Follower, FollowerError},
    handler::{HandleError, Handler},
    log::PgLog,
    parked::{ParkedState, list_parked},
    source::Source,
};

/// Subjects the suite writes about: more than any source has partitions.
const SUBJECTS: u64 = 12;
const ROUNDS: u64 = 4;
/// Commands per subject and round; each has two events.
const PER_ROUND: u64 = 5;
/// Looks until something has to have come: half a minute.
const LOOKS: usize = 1_500;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A log whose events reach a follower through the source under test.
pub struct SourceSuite<'a> {
    /// Its database.
    pub scratch: &'a Scratch,
    /// Its schema.
    pub schema: &'a str,
    /// Itself.
    pub log: &'a PgLog,
}

/// Copies what it is handed; an event that says `poison` it cannot handle.
struct Copy;

impl Handler for Copy {
    fn name(&self) -> &'static str {
        "suite"
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        if &event.payload[..] == b"poison" {
            return Err(HandleError::Poison("it says so".to_owned()));
        }
        sqlx::query("insert into suite_copied (position, subject) values ($1, $2)")
            .bind(crate::row::bigint(event.position.number))
            .bind(&event.key.subject)
            .execute(tx)
            .await?;
        Ok(())
    }
}

impl SourceSuite<'_> {
    /// Runs all of it. `make` opens the source anew, as a process that starts does.
    pub async fn run<S, F>(&self, make: impl Fn() -> F) -> Result<(), Failed>
    where
        S: Source + Sync,
        F: Future<Output = Result<S, Failed>>,
    {
        let mut owner = self.scratch.owner(self.schema).await?;
        sqlx::raw_sql(
            "create table suite_copied (seq bigserial, position bigint, subject text);
             grant all on suite_copied, suite_copied_seq_seq to onenet_test",
        )
        .execute(&mut owner)
        .await?;
        self.each_event_once_through_stops_and_restarts(&make).await?;
        self.a_poisoned_event_holds_its_own_key_alone(&make).await
    }

    async fn each_event_once_through_stops_and_restarts<S, F>(
        &self,
        make: &impl Fn() -> F,
    ) -> Result<(), Failed>
    where
        S: Source + Sync,
        F: Future<Output = Result<S, Failed>>,
    {
        for round in 0..ROUNDS {
            let stop = CancellationToken::new();
            // two of one name, as two processes: together they handle each event once
            let running = [self.follow(make().await?, &stop), self.follow(make().await?, &stop)];
            for n in 0..PER_ROUND {
                for subject in 0..SUBJECTS {
                    let version = (round * PER_ROUND + n) * 2;
                    self.append(&format!("s{subject}"), version, &["one", "two"]).await?;
                }
            }
            let all = (round + 1) * PER_ROUND * SUBJECTS * 2;
            self.until_copied(usize::try_from(all)?).await?;
            stop.cancel();
            for task in running {
                task.await??;
            }
        }
        let rows = self.copied().await?;
        for subject in 0..SUBJECTS {
            let subject = format!("s{subject}");
            let own = rows.iter().filter(|(_, of)| *of == subject).map(|(position, _)| position);
            assert!(own.is_sorted(), "the events of {subject} came out of order");
        }
        let mut positions: Vec<i64> = rows.iter().map(|(position, _)| *position).collect();
        positions.sort_unstable();
        let all = i64::try_from(ROUNDS * PER_ROUND * SUBJECTS * 2)?;
        assert_eq!(positions, (1..=all).collect::<Vec<_>>(), "lost or doubled");
        Ok(())
    }

    async fn a_poisoned_event_holds_its_own_key_alone<S, F>(
        &self,
        make: &impl Fn() -> F,
    ) -> Result<(), Failed>
    where
        S: Source + Sync,
        F: Future<Output = Result<S, Failed>>,
    {
        let before = self.copied().await?.len();
        self.append("held", 0, &["one", "poison", "three"]).await?;
        self.append("free", 0, &["one", "two"]).await?;
        let stop = CancellationToken::new();
        let running = self.follow(make().await?, &stop);
        self.until_copied(before + 3).await?;
        let mut states = Vec::new();
        for _ in 0..LOOKS {
            let parked = list_parked(self.log.db(), 0, 10).await?;
            states = parked.iter().map(|entry| entry.state).collect();
            if states.len() == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.cancel();
        running.await??;
        assert_eq!(states, [ParkedState::Poisoned, ParkedState::Queued]);
        let held = self.copied().await?;
        assert_eq!(held.iter().filter(|(_, subject)| subject == "held").count(), 1);
        Ok(())
    }

    fn follow<S: Source + Sync>(
        &self,
        source: S,
        stop: &CancellationToken,
    ) -> JoinHandle<Result<(), FollowerError>> {
        tokio::spawn(Follower::new(self.log.db().clone(), source, Copy).run(stop.clone()))
    }

    async fn append(&self, subject: &str, version: u64, says: &[&str]) -> Result<(), Failed> {
        let events = says.iter().map(|payload| event(subject, payload)).collect();
        let stream = StreamId::new("suite", subject);
        self.log.append(&stream, Version(version), &cause(new_id()), events).await?;
        Ok(())
    }

    async fn copied(&self) -> Result<Vec<(i64, String)>, DbError> {
        copied(self.log.db()).await
    }

    async fn until_copied(&self, count: usize) -> Result<(), Failed> {
        for _ in 0..LOOKS {
            if self.copied().await?.len() >= count {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(format!("only {} of {count} events came", self.copied().await?.len()).into())
    }
}

async fn copied(db: &Db) -> Result<Vec<(i64, String)>, DbError> {
    sqlx::query_as("select position, subject from suite_copied order by seq")
        .fetch_all(db.pool())
        .await
        .map_err(DbError::while_("reading what was copied"))
}
