mod strike;

use std::{fmt, time::Duration};

use fastrand::Rng;

pub(crate) use self::strike::strike;

/// What is done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// kill -9 of the process that answers commands and fills the read model.
    ApiKilled,
    /// kill -9 of the relay.
    RelayKilled,
    /// kill -9 of the process that serves subscriptions.
    ExchangeKilled,
    /// kill -9 of the process of the hazard context: calls, read model, relay, reactions, clock.
    HazardKilled,
    /// The same of the enforcement context.
    EnforcementKilled,
    /// The same of the credit context, which publishes the blacklist.
    CreditKilled,
    /// kill -9 of PostgreSQL, and a start after its crash.
    PostgresKilled,
    /// kill -9 of the broker, and a start after its crash.
    KafkaKilled,
    /// The broker does not answer, and goes on.
    KafkaStopped,
    /// A transaction stays open in the middle of an append, in the enterprise and in the credit context.
    AppendHeld,
    /// Another relay takes the lease while the first believes that it has it; the other is killed.
    TwoRelays,
    /// The same of the credit context, whose relay writes to three topics at once.
    TwoRelaysOfCredit,
    /// Another process takes what follows logs and topics in the credit context, and is killed.
    TwoFollowers,
    /// Connections end, and new ones go through.
    Cut(Link),
    /// Nothing arrives any more and nobody is told, until the connections end.
    HalfOpen(Link),
    /// What arrives comes slowly.
    Throttled(Link),
}

/// A piece of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// Between every process and PostgreSQL.
    Database,
    /// Between every process and Kafka.
    Brokers,
    /// Between the node and its callers and subscribers.
    Callers,
}

/// A fault of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) fault: Fault,
    /// Before it.
    pub(crate) pause: Duration,
    /// How long the part is away, where it is not started again at once.
    pub(crate) away: Duration,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 22] = [
        Self::ApiKilled,
        Self::RelayKilled,
        Self::ExchangeKilled,
        Self::HazardKilled,
        Self::EnforcementKilled,
        Self::CreditKilled,
        Self::PostgresKilled,
        Self::KafkaKilled,
        Self::KafkaStopped,
        Self::AppendHeld,
        Self::TwoRelays,
        Self::TwoRelaysOfCredit,
        Self::TwoFollowers,
        Self::Cut(Link::Database),
        Self::Cut(Link::Brokers),
        Self::Cut(Link::Callers),
        Self::HalfOpen(Link::Database),
        Self::HalfOpen(Link::Brokers),
        Self::HalfOpen(Link::Callers),
        Self::Throttled(Link::Database),
        Self::Throttled(Link::Brokers),
        Self::Throttled(Link::Callers),
    ];

    /// Whether processes cannot ask the database as they should while it lasts.
    pub(crate) fn keeps_from_the_database(self) -> bool {
        matches!(
            self,
            Self::PostgresKilled
                | Self::Cut(Link::Database)
                | Self::HalfOpen(Link::Database)
                | Self::Throttled(Link::Database)
        )
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ApiKilled => "受理进程被杀 / api killed",
            Self::RelayKilled => "发布进程被杀 / relay killed",
            Self::ExchangeKilled => "交换进程被杀 / exchange killed",
            Self::HazardKilled => "隐患进程被杀 / hazard killed",
            Self::EnforcementKilled => "执法进程被杀 / enforcement killed",
            Self::CreditKilled => "信用进程被杀 / credit killed",
            Self::PostgresKilled => "数据库被杀 / PostgreSQL killed",
            Self::KafkaKilled => "消息服务被杀 / Kafka killed",
            Self::KafkaStopped => "消息服务停顿 / Kafka stopped",
            Self::AppendHeld => "写入被占住 / append held open",
            Self::TwoRelays => "两个发布进程 / two relays",
            Self::TwoRelaysOfCredit => "信用两个发布进程 / two relays of credit",
            Self::TwoFollowers => "信用两个消费进程 / two followers of credit",
            Self::Cut(Link::Database) => "数据库连接被切断 / database cut off",
            Self::Cut(Link::Brokers) => "消息服务连接被切断 / Kafka cut off",
            Self::Cut(Link::Callers) => "调用方连接被切断 / callers cut off",
            Self::HalfOpen(Link::Database) => "数据库连接半开 / database half open",
            Self::HalfOpen(Link::Brokers) => "消息服务连接半开 / Kafka half open",
            Self::HalfOpen(Link::Callers) => "调用方连接半开 / callers half open",
            Self::Throttled(Link::Database) => "数据库限速 / database throttled",
            Self::Throttled(Link::Brokers) => "消息服务限速 / Kafka throttled",
            Self::Throttled(Link::Callers) => "调用方限速 / callers throttled",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What comes oftener than once in a round: the processes, which are soon there again.
const OFTEN: [Fault; 3] = [Fault::ApiKilled, Fault::RelayKilled, Fault::ExchangeKilled];

/// Faults without end, the same for the same chance: round after round, each in an order of its own.
pub(crate) fn schedule(mut chance: Rng) -> impl Iterator<Item = Planned> {
    let mut round = Vec::new();
    std::iter::repeat_with(move || {
        if round.is_empty() {
            round = [&Fault::ALL[..], &OFTEN].concat();
            chance.shuffle(&mut round);
        }
        let mut between = |from, to| Duration::from_millis(chance.u64(from..to));
        let (pause, away) = (between(300, 2_000), between(500, 3_000));
        Planned { fault: round.pop().unwrap_or(Fault::ApiKilled), pause, away }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ROUND: usize = Fault::ALL.len() + OFTEN.len();

    #[test]
    fn a_seed_has_one_schedule() {
        let of = |seed| schedule(Rng::with_seed(seed)).take(40).collect::<Vec<_>>();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn each_round_has_every_kind() {
        let planned: Vec<_> = schedule(Rng::with_seed(3)).take(2 * ROUND).collect();
        for round in planned.chunks(ROUND) {
            let kinds: BTreeSet<_> = round.iter().map(|planned| planned.fault).collect();
            assert_eq!(kinds, Fault::ALL.into());
        }
    }
}
