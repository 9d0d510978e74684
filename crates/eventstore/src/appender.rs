use std::{collections::VecDeque, sync::Arc, time::Duration};

use onenet_kernel::{Appended, Position, Receipt, StoreError, Version};
use sqlx::{Connection as _, Row as _, postgres::PgRow};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use uuid::Uuid;

use crate::{
    batch::{self, AppendCommand},
    db::{Db, is_data, sqlstate},
    meters::LogMeter,
    own::{OwnConnection, answered},
    row, settle,
    wake::Wake,
};

/// Bounds of one batch. The first is where more commands per commit stop paying, the second keeps
/// one statement's memory small.
const MAX_BATCH_COMMANDS: usize = 512;
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Commands that may wait; beyond it the answer is "overloaded".
const QUEUE: usize = 8 * MAX_BATCH_COMMANDS;
/// How long a batch is sent again before its commands are answered with an unknown outcome.
const GIVE_UP_AFTER: Duration = Duration::from_secs(15);
const PAUSE_BETWEEN_TRIES: Duration = Duration::from_millis(100);
/// Batches that are judged from the start after one in which something was not simply appended. Where many
/// commands are sent again, no batch is then written, undone and judged, which would slow down who is slow.
const JUDGED_AFTERWARDS: u8 = 16;

struct Pending {
    command: AppendCommand,
    answer: oneshot::Sender<Result<Appended, StoreError>>,
}

/// Collects the appends of concurrent commands while the previous commit is under way: drain what is
/// queued, commit, repeat. No timer: batches grow with the load.
#[derive(Clone)]
pub(crate) struct Appender {
    queue: mpsc::Sender<Pending>,
    meter: Arc<LogMeter>,
}

impl Appender {
    /// The task ends, with everything queued written, when the last clone is dropped.
    pub(crate) fn start(db: &Db, log_id: Uuid, wake: Wake) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let meter = Arc::new(LogMeter::new(db.schema(), queue.downgrade()));
        let connection = OwnConnection::new(db);
        let writer = Writer { connection, log_id, wake, meter: Arc::clone(&meter), to_judge: 0 };
        tokio::spawn(writer.run(waiting));
        Self { queue, meter }
    }

    pub(crate) async fn append(&self, command: AppendCommand) -> Result<Appended, StoreError> {
        let (answer, outcome) = oneshot::channel();
        let queued_at = Instant::now();
        self.queue.try_send(Pending { command, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => fault("the event log is closed"),
        })?;
        let outcome = outcome.await;
        self.meter.answered(queued_at.elapsed());
        outcome.unwrap_or_else(|_| Err(fault("the event log was closed meanwhile")))
    }
}

struct Writer {
    connection: OwnConnection,
    log_id: Uuid,
    wake: Wake,
    meter: Arc<LogMeter>,
    /// Batches that are still to be judged from the start.
    to_judge: u8,
}

impl Writer {
    async fn run(mut self, mut waiting: mpsc::Receiver<Pending>) {
        let mut later = VecDeque::new();
        loop {
            let first = match later.pop_front() {
                Some(pending) => pending,
                None => match waiting.recv().await {
                    Some(pending) => pending,
                    None => break,
                },
            };
            settle::settled(&waiting, MAX_BATCH_COMMANDS).await;
            let batch = gather(first, &mut later, &mut waiting);
            later.extend(self.commit(batch).await);
        }
        if let Some(connection) = self.connection.take() {
            connection.close().await.ok();
        }
    }

    /// Writes a batch and answers its commands; gives back those that must go into another batch.
    /// A batch that the database refuses for its data is halved until the command at fault is alone.
    async fn commit(&mut self, batch: Vec<Pending>) -> Vec<Pending> {
        let mut later = Vec::new();
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            match self.send_until_answered(&part).await {
                Ok(rows) => {
                    self.meter.committed(part.len());
                    later.extend(self.answer(part, &rows));
                }
                Err(error) if is_data(&error) && part.len() > 1 => {
                    let half = part.split_off(part.len() / 2);
                    parts.extend([half, part]);
                }
                Err(error) => fail(part, &Arc::new(error)),
            }
        }
        later
    }

    /// A lost connection leaves the outcome unknown. The same batch is sent again with the same ids:
    /// what was committed is then known, the rest is written.
    async fn send_until_answered(&mut self, part: &[Pending]) -> Result<Vec<PgRow>, sqlx::Error> {
        let commands: Vec<_> = part.iter().map(|pending| &pending.command).collect();
        let give_up = Instant::now() + GIVE_UP_AFTER;
        loop {
            let error = match self.send(&commands).await {
                Ok(rows) => return Ok(rows),
                Err(error) => error,
            };
            if is_final(&error) {
                return Err(error);
            }
            self.connection.give_up();
            if Instant::now() >= give_up {
                return Err(error);
            }
            tracing::warn!(error = &error as &dyn std::error::Error, "append is sent again");
            self.meter.sent_again();
            tokio::time::sleep(PAUSE_BETWEEN_TRIES).await;
        }
    }

    /// One that waits for its turn behind another append for too long is given up and sent again, which
    /// changes nothing.
    async fn send(&mut self, commands: &[&AppendCommand]) -> Result<Vec<PgRow>, sqlx::Error> {
        let (connection, at_once) = (&mut self.connection, self.to_judge == 0);
        answered(async { batch::send(connection.get().await?, commands, at_once).await }).await
    }

    fn answer(&mut self, part: Vec<Pending>, rows: &[PgRow]) -> Vec<Pending> {
        let mut later = Vec::new();
        let mut head = 0;
        self.to_judge = self.to_judge.saturating_sub(1);
        for (pending, row) in part.into_iter().zip(rows) {
            match self.verdict(&pending, row) {
                Ok(Some(outcome)) => {
                    match &outcome {
                        Ok(Appended { receipt, is_new: true }) => {
                            head = head.max(receipt.position.number);
                        }
                        _ => self.to_judge = JUDGED_AFTERWARDS,
                    }
                    pending.answer.send(outcome).ok();
                }
                Ok(None) => {
                    self.to_judge = JUDGED_AFTERWARDS;
                    later.push(pending);
                }
                Err(error) => fail(vec![pending], &Arc::new(error)),
            }
        }
        self.wake.committed(head);
        later
    }

    fn verdict(
        &self,
        pending: &Pending,
        row: &PgRow,
    ) -> Result<Option<Result<Appended, StoreError>>, sqlx::Error> {
        let version = Version(row::long(row, "stream_version")?);
        let outcome: &str = row.try_get("outcome")?;
        Ok(Some(match outcome {
            "appended" | "known" => {
                let position = Position {
                    log_id: self.log_id,
                    epoch: row::unsigned(row, "log_epoch")?,
                    number: row::long(row, "log_position")?,
                };
                let recorded_at = row::instant(row, "log_time")?;
                let stream = pending.command.stream.clone();
                let receipt = Receipt { stream, version, position, recorded_at };
                Ok(Appended { receipt, is_new: outcome == "appended" })
            }
            "reused" => Err(StoreError::CommandReused),
            "conflict" => Err(StoreError::Conflict { actual: version }),
            "subject" => Err(StoreError::Unstorable {
                field: "subject",
                reason: "the stream belongs to another subject".to_owned(),
            }),
            _ => return Ok(None),
        }))
    }
}

/// Takes what is queued, up to the bounds of a batch. A command whose caller has gone (its deadline
/// has passed, or it hung up) is dropped here, before it is written.
fn gather(
    first: Pending,
    later: &mut VecDeque<Pending>,
    waiting: &mut mpsc::Receiver<Pending>,
) -> Vec<Pending> {
    let mut bytes = 0;
    let mut batch = Vec::new();
    let mut next = Some(first);
    while let Some(pending) = next {
        if !pending.answer.is_closed() {
            bytes += pending.command.bytes;
            batch.push(pending);
        }
        if batch.len() >= MAX_BATCH_COMMANDS || bytes >= MAX_BATCH_BYTES {
            break;
        }
        next = later.pop_front().or_else(|| waiting.try_recv().ok());
    }
    batch
}

/// Whether sending the same batch again is pointless. Everything that a moment can cause (a lost or
/// refused connection, a timeout, a server that shuts down or is out of something) is tried again.
fn is_final(error: &sqlx::Error) -> bool {
    match sqlstate(error) {
        Some(code) => {
            let passing = ["08", "40", "53", "55", "57", "58"];
            !passing.iter().any(|class| code.starts_with(class))
        }
        None => {
            !matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_))
        }
    }
}

fn fail(part: Vec<Pending>, error: &Arc<sqlx::Error>) {
    for pending in part {
        let error: Box<dyn std::error::Error + Send + Sync> = Box::new(Arc::clone(error));
        pending.answer.send(Err(StoreError::Fault(error))).ok();
    }
}

fn fault(reason: &str) -> StoreError {
    StoreError::Fault(reason.into())
}
