use std::collections::BTreeMap;

use onenet_eventstore::{PgLog, continues};
use onenet_kernel::{Position, Recorded};

use crate::{
    Topics,
    checkpoint::{self, Found, Published},
    client::{Cluster, KafkaFault},
    operate::OperateError,
    publisher::Publisher,
    read::{has_topic, scan},
    relay::Agreed,
    source::event_of,
};

/// Records between two words of progress.
const TELL_EVERY: u64 = 100_000;

/// How a restored log and its topic stand to each other.
#[derive(Debug)]
pub enum Finding {
    /// They agree: the relay starts by itself.
    Agree,
    /// The topic goes on beyond the log's end, whole: these events continue the log, in order.
    Tail(Vec<Recorded>),
    /// The log holds all that the topic holds; only the note how far it is published is missing.
    NoteLost,
    /// The topic was ahead of the log and does not hold what is missing.
    Gap(String),
    /// They tell different histories: something was appended after the restore.
    Fork(String),
}

/// What was found out about a log and its topic.
#[derive(Debug)]
pub struct Examined {
    /// Where the log ends.
    pub head: Position,
    /// The newest position that was ever published, as far as can be told.
    pub published: Option<Position>,
    /// How they stand to each other.
    pub finding: Finding,
    newest: Option<Published>,
}

/// The place of a log's relay, taken for as long as this lives: a relay that runs elsewhere is fenced, and
/// what a dead one left open is ended.
pub struct RelayPlace {
    publisher: Publisher,
}

impl RelayPlace {
    /// Takes it.
    pub async fn take(
        log: &PgLog,
        cluster: &Cluster,
        topics: &Topics,
    ) -> Result<Self, OperateError> {
        let (cluster, topics, log_id) = (cluster.clone(), topics.clone(), log.log_id());
        let opening =
            tokio::task::spawn_blocking(move || Publisher::open(&cluster, &topics, log_id));
        Ok(Self { publisher: opening.await?? })
    }

    /// Notes how far the log is published, as it was found out, and gives the place back. It fails where
    /// another relay has taken over meanwhile.
    pub async fn settle(self, examined: &Examined) -> Result<(), OperateError> {
        let newest = examined.newest;
        let settling = tokio::task::spawn_blocking(move || match newest {
            Some(newest) => self.publisher.publish(&[], newest),
            None => Ok(()),
        });
        Ok(settling.await??)
    }
}

/// Compares a log with its topic; changes nothing. Where they do not agree the whole topic is read, and
/// what lies beyond the log's end is held in memory. `progress` hears how many records were read.
pub async fn examine(
    log: &PgLog,
    cluster: &Cluster,
    topics: &Topics,
    progress: impl FnMut(u64) + Send + 'static,
) -> Result<Examined, OperateError> {
    let head = log.head().await?;
    let (asked, named) = (cluster.clone(), topics.clone());
    let asking = tokio::task::spawn_blocking(move || {
        let both = has_topic(&asked, &named.events())? && has_topic(&asked, &named.checkpoint())?;
        both.then(|| checkpoint::read(&asked, &named)).transpose()
    });
    let examined = |finding, newest: Option<Published>| -> Result<Examined, OperateError> {
        let published = newest.map(|newest| newest.position);
        Ok(Examined { head, published, finding, newest })
    };
    let Some(found) = asking.await?? else {
        return examined(Finding::Gap(format!("there is no topic {}", topics.events())), None);
    };
    let noted = match found {
        Found::Checkpoint(noted) => Some(noted),
        Found::Nothing | Found::Unreadable(_) => None,
    };
    if let Some(noted) = noted {
        match noted.agrees(log).await? {
            Agreed::Yes => return examined(Finding::Agree, Some(noted)),
            Agreed::Beyond(_) => {}
            Agreed::No(what) => return examined(Finding::Fork(what), Some(noted)),
        }
    }
    let (cluster, events) = (cluster.clone(), topics.events());
    let reading = tokio::task::spawn_blocking(move || read(&cluster, &events, head, progress));
    let topic = reading.await??;
    let newest = newer(topic.newest, noted);
    let finding = topic.judge(log, noted).await?;
    examined(finding, newest)
}

/// What an event topic holds, as far as a log that ends at a position has to know.
#[derive(Default)]
struct Topic {
    is_empty: bool,
    at_head: Option<Recorded>,
    beyond: BTreeMap<u64, Recorded>,
    newest: Option<Published>,
    damage: Option<String>,
}

fn newer(one: Option<Published>, other: Option<Published>) -> Option<Published> {
    [one, other].into_iter().flatten().max_by_key(|it| it.position.number)
}

fn read(
    cluster: &Cluster,
    topic: &str,
    head: Position,
    mut progress: impl FnMut(u64),
) -> Result<Topic, KafkaFault> {
    let (mut topic_holds, mut count) = (Topic { is_empty: true, ..Topic::default() }, 0);
    let is_whole = scan(cluster, topic, |message| {
        topic_holds.is_empty = false;
        topic_holds.take(head, event_of(message));
        count += 1;
        if count % TELL_EVERY == 0 {
            progress(count);
        }
        topic_holds.damage.is_none()
    })?;
    topic_holds.is_empty &= is_whole;
    Ok(topic_holds)
}

impl Topic {
    fn take(&mut self, head: Position, event: Result<Recorded, String>) {
        let event = match event {
            Ok(event) if event.position.log_id == head.log_id => event,
            Ok(event) => {
                self.damage = Some(format!("event {} is another log's", event.event_id));
                return;
            }
            Err(what) => {
                self.damage = Some(what);
                return;
            }
        };
        let place = Published { position: event.position, event_id: event.event_id };
        self.newest = newer(self.newest, Some(place));
        let number = event.position.number;
        if number == head.number {
            self.at_head = Some(event);
        } else if number > head.number
            && let Some(other) = self.beyond.insert(number, event)
        {
            self.damage = Some(format!("two events stand at position {}", other.position));
        }
    }

    /// Everything is looked at before anything is put back.
    async fn judge(self, log: &PgLog, noted: Option<Published>) -> Result<Finding, OperateError> {
        let head = log.head().await?;
        let Some(Published { position: newest, event_id }) = self.newest else {
            let finding = match (self.damage, noted, self.is_empty) {
                (Some(what), ..) => Finding::Gap(what),
                // never published: the relay begins with the first event
                (None, None, true) => Finding::Agree,
                (None, ..) => Finding::Gap("the topic was emptied".to_owned()),
            };
            return Ok(finding);
        };
        if let Some(what) = self.damage {
            return Ok(Finding::Gap(what));
        }
        let is_short = |noted: &Published| {
            let same = noted.position.number == newest.number && noted.event_id == event_id;
            noted.position.number >= newest.number && !same
        };
        if let Some(noted) = noted.filter(is_short) {
            let what = format!("the topic ends at {newest}, and {} was published", noted.position);
            return Ok(Finding::Gap(what));
        }
        if newest.number <= head.number {
            let published = Published { position: newest, event_id };
            return Ok(match published.agrees(log).await? {
                Agreed::Yes => Finding::NoteLost,
                Agreed::Beyond(what) | Agreed::No(what) => Finding::Fork(what),
            });
        }
        let own = log.read(head.number.saturating_sub(1), 1).await?.pop();
        if own != self.at_head {
            let what = format!("log and topic differ at position {}", head.number);
            return Ok(if self.at_head.is_some() {
                Finding::Fork(what)
            } else {
                Finding::Gap(format!("the topic does not hold position {}", head.number))
            });
        }
        let tail: Vec<Recorded> = self.beyond.into_values().collect();
        let flaws = continues(log, &tail).await?;
        Ok(match flaws.first() {
            None => Finding::Tail(tail),
            Some(flaw) => Finding::Gap(format!("at position {}: {}", flaw.position, flaw.what)),
        })
    }
}
