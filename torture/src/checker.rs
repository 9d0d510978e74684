#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use uuid::Uuid;

use crate::{Event, History, Place, Reader, Seen, Sighting};

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It stands in the log, and the reader was never shown it.
    Lost {
        /// Who was not.
        reader: Reader,
        /// What.
        event: Uuid,
    },
    /// The reader was shown it again; in the log: a command took effect again.
    Doubled {
        /// Who was.
        reader: Reader,
        /// What.
        event: Uuid,
    },
    /// The reader was shown it after a later event of its stream.
    Reordered {
        /// Who was.
        reader: Reader,
        /// What.
        event: Uuid,
    },
    /// The reader was shown other bytes or another place than the log has.
    Altered {
        /// Who was.
        reader: Reader,
        /// What.
        event: Uuid,
    },
    /// The reader was shown what is not in the log.
    Foreign {
        /// Who was.
        reader: Reader,
        /// What.
        event: Uuid,
    },
    /// Numbers that a reader counts by are not 1, 2, 3 …
    Gap {
        /// Who counts.
        reader: Reader,
        /// The number that was due.
        due: u64,
        /// The number that came.
        came: u64,
    },
    /// A command was acknowledged, and the log does not hold its effect where the receipt says.
    Absent {
        /// Which.
        command: Uuid,
    },
    /// Every attempt of a command was refused, and it took effect.
    PresentThoughRefused {
        /// Which.
        command: Uuid,
        /// Its effect.
        event: Uuid,
    },
    /// An event came of a command that nobody sent.
    Unasked {
        /// Which.
        event: Uuid,
    },
    /// Two attempts of one command have different receipts.
    AnsweredDifferently {
        /// Which.
        command: Uuid,
    },
    /// A read that asked to be fresh showed less than its receipt stands for.
    Stale {
        /// What was read.
        stream: String,
        /// The version that was asked for.
        asked: u64,
        /// The version that was shown, if any.
        saw: Option<u64>,
    },
    /// The read model shows another version than the log has.
    Differs {
        /// Of what.
        stream: String,
        /// The version in the log.
        log: Option<u64>,
        /// The version shown.
        shown: Option<u64>,
    },
}

/// The name of each kind of finding.
pub const FINDINGS: [&str; 12] = [
    "丢失 / lost",
    "重复 / doubled",
    "乱序 / reordered",
    "改变 / altered",
    "外来 / foreign",
    "缺号 / gap",
    "已确认却不存在 / acknowledged but absent",
    "已拒绝却存在 / refused but present",
    "无人请求 / unasked",
    "前后答复不一 / answered differently",
    "读到旧状态 / stale after fresh",
    "视图不符 / read model differs",
];

impl Finding {
    /// The name of its kind, one of [`FINDINGS`].
    #[must_use]
    pub fn name(&self) -> &'static str {
        FINDINGS[match self {
            Self::Lost { .. } => 0,
            Self::Doubled { .. } => 1,
            Self::Reordered { .. } => 2,
            Self::Altered { .. } => 3,
            Self::Foreign { .. } => 4,
            Self::Gap { .. } => 5,
            Self::Absent { .. } => 6,
            Self::PresentThoughRefused { .. } => 7,
            Self::Unasked { .. } => 8,
            Self::AnsweredDifferently { .. } => 9,
            Self::Stale { .. } => 10,
            Self::Differs { .. } => 11,
        }]
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name())?;
        match self {
            Self::Lost { reader, event }
            | Self::Doubled { reader, event }
            | Self::Reordered { reader, event }
            | Self::Altered { reader, event }
            | Self::Foreign { reader, event } => write!(f, "{reader}, event {event}"),
            Self::Gap { reader, due, came } => {
                write!(f, "{reader}, {came} came where {due} was due")
            }
            Self::Absent { command } | Self::AnsweredDifferently { command } => {
                write!(f, "command {command}")
            }
            Self::PresentThoughRefused { command, event } => {
                write!(f, "command {command}, event {event}")
            }
            Self::Unasked { event } => write!(f, "event {event}"),
            Self::Stale { stream, asked, saw } => {
                write!(f, "{stream}, version {asked} was asked for and {saw:?} shown")
            }
            Self::Differs { stream, log, shown } => {
                write!(f, "{stream}, version {log:?} in the log and {shown:?} shown")
            }
        }
    }
}

/// Everything in which a node broke its promises.
#[must_use]
pub fn check(history: &History, seen: &Seen) -> Vec<Finding> {
    let mut found = numbers(&seen.log);
    found.extend(effects(history, &seen.log));
    found.extend(answers(history, &seen.log));
    found.extend(sightings(Reader::Topic, &seen.log, |_| true, &seen.topic));
    let delivered: Vec<Sighting> =
        seen.subscription.iter().map(|delivered| delivered.sighting.clone()).collect();
    let granted = |event: &Event| seen.granted.contains(&event.event_type);
    found.extend(sightings(Reader::Subscription, &seen.log, granted, &delivered));
    let sequences = seen.subscription.iter().map(|delivered| delivered.sequence);
    found.extend(counted(Reader::Subscription, sequences));
    found.extend(read_model(seen));
    found.extend(history.reads.iter().filter(|read| read.saw < Some(read.asked)).map(|read| {
        Finding::Stale { stream: read.stream.clone(), asked: read.asked, saw: read.saw }
    }));
    found
}

/// Positions without a gap, and versions of each stream without one.
fn numbers(log: &[Event]) -> Vec<Finding> {
    let mut found: Vec<_> =
        counted(Reader::Log, log.iter().map(|event| event.place.position)).collect();
    let mut versions: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for event in log {
        versions.entry(&event.place.stream).or_default().push(event.place.version);
    }
    found.extend(versions.into_values().flat_map(|versions| counted(Reader::Log, versions)));
    found
}

/// Where the numbers are not 1, 2, 3 …; what comes after a wrong one is counted on from it.
fn counted(
    reader: Reader,
    numbers: impl IntoIterator<Item = u64>,
) -> impl Iterator<Item = Finding> {
    let mut due = 1;
    numbers.into_iter().filter_map(move |came| {
        let wanted = std::mem::replace(&mut due, came + 1);
        (came != wanted).then_some(Finding::Gap { reader, due: wanted, came })
    })
}

/// Each event is the only effect of its ordinal of a command that was sent and not refused.
fn effects(history: &History, log: &[Event]) -> Vec<Finding> {
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    for &Event { id: event, command, ordinal, .. } in log {
        if !known.insert((command, ordinal)) {
            found.push(Finding::Doubled { reader: Reader::Log, event });
        }
        match history.commands.get(&command) {
            None => found.push(Finding::Unasked { event }),
            Some(asked) if asked.was_refused() => {
                found.push(Finding::PresentThoughRefused { command, event });
            }
            Some(_) => {}
        }
    }
    found
}

/// Each acknowledged command has one receipt, and its effect stands where that says.
fn answers(history: &History, log: &[Event]) -> Vec<Finding> {
    let places: BTreeMap<u64, &Event> =
        log.iter().map(|event| (event.place.position, event)).collect();
    let mut found = Vec::new();
    for (&command, asked) in &history.commands {
        let Some(receipt) = asked.receipt() else { continue };
        if asked.receipts().any(|other| other != receipt) {
            found.push(Finding::AnsweredDifferently { command });
        }
        let stands = |event: &&Event| event.command == command && event.place == *receipt;
        if !places.get(&receipt.position).is_some_and(stands) {
            found.push(Finding::Absent { command });
        }
    }
    found
}

/// A reader of events is shown what is for it, once, as it stands, each stream in its order.
fn sightings(
    reader: Reader,
    log: &[Event],
    is_for_it: impl Fn(&Event) -> bool,
    sightings: &[Sighting],
) -> Vec<Finding> {
    let events: BTreeMap<Uuid, &Event> =
        log.iter().filter(|event| is_for_it(event)).map(|event| (event.id, event)).collect();
    let (mut found, mut shown) = (Vec::new(), BTreeSet::new());
    let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
    for sighting in sightings {
        let event = sighting.event;
        let Some(recorded) = events.get(&event) else {
            found.push(Finding::Foreign { reader, event });
            continue;
        };
        if !shown.insert(event) {
            found.push(Finding::Doubled { reader, event });
            continue;
        }
        let Place { stream, version, .. } = &recorded.place;
        let newest = newest.entry(stream).or_default();
        if version < newest {
            found.push(Finding::Reordered { reader, event });
        }
        *newest = *version.max(newest);
        let moved = sighting.place.as_ref().is_some_and(|place| *place != recorded.place);
        if moved || sighting.content != recorded.content {
            found.push(Finding::Altered { reader, event });
        }
    }
    let lost = events.keys().filter(|event| !shown.contains(*event));
    found.extend(lost.map(|&event| Finding::Lost { reader, event }));
    found
}

/// The read model shows each stream of its kind at its newest version, and no other.
fn read_model(seen: &Seen) -> Vec<Finding> {
    let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
    for Place { stream, version, .. } in seen.log.iter().map(|event| &event.place) {
        if stream.starts_with(&seen.projected) {
            newest.insert(stream, *version);
        }
    }
    let streams: BTreeSet<&str> =
        newest.keys().copied().chain(seen.projection.keys().map(String::as_str)).collect();
    streams
        .into_iter()
        .map(|stream| (stream, newest.get(stream), seen.projection.get(stream)))
        .filter(|(_, log, shown)| log != shown)
        .map(|(stream, log, shown)| Finding::Differs {
            stream: stream.to_owned(),
            log: log.copied(),
            shown: shown.copied(),
        })
        .collect()
}
