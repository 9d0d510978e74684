use std::{collections::HashMap, time::Duration};

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    error::{KafkaError, RDKafkaErrorCode},
    metadata::MetadataTopic,
};
use uuid::Uuid;

use crate::{
    client::{ASK_WITHIN, Cluster, KafkaFault},
    read::has_topic,
};

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Names of what one context keeps in Kafka. Frozen: readers know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// In front of every name: a test, and each further node on one cluster, has its own.
    pub prefix: String,
    /// The node, first half of an event's source.
    pub node: String,
    /// The context.
    pub context: String,
}

/// Why the topics cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// Kafka failed or refused.
    #[error("looking after the topics")]
    Kafka(#[source] KafkaFault),
    /// A topic is not what the contract says. Nothing was changed.
    #[error(
        "topic {topic}: {setting} is {actual}, but must be {needed}; mend it with Kafka's own tools \
         or name another prefix (the number of partitions can never be changed: it carries the order)"
    )]
    Differs {
        /// Its full name.
        topic: String,
        /// What differs.
        setting: &'static str,
        /// What it is.
        actual: String,
        /// What it must be.
        needed: String,
    },
}

impl From<KafkaFault> for TopicError {
    fn from(fault: KafkaFault) -> Self {
        Self::Kafka(fault)
    }
}

/// A topic that a context publishes beside its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Facts for others, kept for a while: `(name, days)`.
    Facts(&'static str, u32),
    /// The newest state of each key, compacted; what was removed is forgotten in time.
    State(&'static str),
}

impl Beside {
    /// What [`Topics::beside`] is asked for.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match *self {
            Self::Facts(name, _) | Self::State(name) => name,
        }
    }
}

struct Spec {
    topic: String,
    partitions: i32,
    settings: Vec<(&'static str, String)>,
}

/// Copies that have to be in step before a write is confirmed.
const IN_SYNC: &str = "min.insync.replicas";
const MS_PER_DAY: u64 = 86_400_000;
/// How long a removal stays readable on a compacted topic: longer than any reader is away.
const REMOVALS_KEPT_DAYS: u64 = 90;

impl Topics {
    /// Every event of the context, for ever; inside the node.
    #[must_use]
    pub fn events(&self) -> String {
        format!("{}onenet.{}.events.v1", self.prefix, self.context)
    }

    /// A topic beside the events, by its name.
    #[must_use]
    pub fn beside(&self, name: &str) -> String {
        format!("{}onenet.{}.{name}.v1", self.prefix, self.context)
    }

    /// What followers call the context's log where they read it without Kafka.
    #[must_use]
    pub fn embedded(&self) -> String {
        format!("{} without Kafka", self.events())
    }

    /// Where the relay notes how far it got.
    #[must_use]
    pub fn checkpoint(&self) -> String {
        format!("{}onenet.{}.checkpoint.v1", self.prefix, self.context)
    }

    /// `/<node>/<context>`, the source of its CloudEvents.
    #[must_use]
    pub fn source(&self) -> String {
        format!("/{}/{}", self.node, self.context)
    }

    /// Names the one producer that may write them: Kafka fences every other of that name.
    #[must_use]
    pub fn transactional_id(&self, log_id: Uuid) -> String {
        format!("{}{}.{}.{log_id}", self.prefix, self.node, self.context)
    }

    /// Creates the topics that are missing and checks those that are there. `partitions` counts for
    /// every topic but the checkpoint, 12 in production; the copies kept of each are the cluster's
    /// default.
    pub async fn ensure(
        &self,
        cluster: &Cluster,
        partitions: i32,
        beside: &[Beside],
    ) -> Result<(), TopicError> {
        let admin = administrator(cluster)?;
        let specs = self.specs(partitions, beside);
        let new: Vec<_> = specs.iter().map(new_topic).collect();
        let created = admin
            .create_topics(&new, &options())
            .await
            .map_err(KafkaFault::while_("creating topics"))?;
        for outcome in created {
            match outcome {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => {
                    let error = KafkaError::AdminOp(code);
                    return Err(KafkaFault::while_("creating a topic")(error).into());
                }
            }
        }
        check(&admin, &specs, ASK_WITHIN).await
    }

    /// Checks the topics as [`ensure`](Self::ensure) does, and creates none.
    pub async fn check(
        &self,
        cluster: &Cluster,
        partitions: i32,
        beside: &[Beside],
    ) -> Result<(), TopicError> {
        let specs = self.specs(partitions, beside);
        for spec in &specs {
            // a producer's client, as the administrator's is, may make a topic by asking for it
            let (cluster, topic) = (cluster.clone(), spec.topic.clone());
            let asking = tokio::task::spawn_blocking(move || has_topic(&cluster, &topic));
            if !asking.await.unwrap_or_else(|_| Err(KafkaFault::timeout("asking for a topic")))? {
                return Err(other_partitions(spec, 0));
            }
        }
        check(&administrator(cluster)?, &specs, Duration::ZERO).await
    }

    fn specs(&self, partitions: i32, beside: &[Beside]) -> Vec<Spec> {
        let for_ever = || "-1".to_owned();
        // brokers refuse what a machine sends whose clock is an hour ahead, and retention would go by it
        let stamped = || ("message.timestamp.type", "LogAppendTime".to_owned());
        let mut specs = vec![
            Spec {
                topic: self.events(),
                partitions,
                // a cluster may bound the size of its topics as well as their age
                settings: vec![
                    stamped(),
                    ("cleanup.policy", "delete".to_owned()),
                    ("retention.ms", for_ever()),
                    ("retention.bytes", for_ever()),
                ],
            },
            Spec {
                topic: self.checkpoint(),
                partitions: 1,
                settings: vec![stamped(), ("cleanup.policy", "compact".to_owned())],
            },
        ];
        specs.extend(beside.iter().map(|beside| match *beside {
            Beside::Facts(name, days) => Spec {
                topic: self.beside(name),
                partitions,
                settings: vec![
                    stamped(),
                    ("cleanup.policy", "delete".to_owned()),
                    ("retention.ms", (u64::from(days) * MS_PER_DAY).to_string()),
                    ("retention.bytes", for_ever()),
                ],
            },
            Beside::State(name) => Spec {
                topic: self.beside(name),
                partitions,
                settings: vec![
                    stamped(),
                    ("cleanup.policy", "compact".to_owned()),
                    ("delete.retention.ms", (REMOVALS_KEPT_DAYS * MS_PER_DAY).to_string()),
                    // what stands in the newest segment is not compacted: it must not stay that
                    ("segment.ms", MS_PER_DAY.to_string()),
                    ("max.compaction.lag.ms", (7 * MS_PER_DAY).to_string()),
                ],
            },
        }));
        specs
    }
}

fn new_topic(spec: &Spec) -> NewTopic<'_> {
    let topic = NewTopic::new(&spec.topic, spec.partitions, TopicReplication::Fixed(-1));
    spec.settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
}

type Admin = AdminClient<DefaultClientContext>;

fn administrator(cluster: &Cluster) -> Result<Admin, KafkaFault> {
    let admin = cluster.config().create();
    admin.map_err(KafkaFault::while_("creating an administrator's client"))
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(ASK_WITHIN))
}

/// A topic that was created a moment ago may not be known to every broker yet: it is waited for.
async fn check(admin: &Admin, specs: &[Spec], within: Duration) -> Result<(), TopicError> {
    for spec in specs {
        let copies = check_partitions(admin, spec, within).await?;
        check_settings(admin, spec, copies, within).await?;
    }
    Ok(())
}

async fn check_settings(
    admin: &Admin,
    spec: &Spec,
    copies: usize,
    within: Duration,
) -> Result<(), TopicError> {
    let deadline = tokio::time::Instant::now() + within;
    let mut actual = settings(admin, &spec.topic).await?;
    while actual.is_empty() && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(LOOK_EVERY).await;
        actual = settings(admin, &spec.topic).await?;
    }
    let differs = |setting, actual: &str, needed: String| {
        let (topic, actual) = (spec.topic.clone(), actual.to_owned());
        TopicError::Differs { topic, setting, actual, needed }
    };
    let of = |setting: &str| actual.get(setting).map_or("", String::as_str);
    for (setting, needed) in &spec.settings {
        if of(setting) != needed {
            return Err(differs(setting, of(setting), needed.clone()));
        }
    }
    let in_sync = of(IN_SYNC);
    if !in_sync.parse().is_ok_and(|in_sync: usize| safe(copies).contains(&in_sync)) {
        let needed =
            format!("{} to {copies} where there are {copies} copies", safe(copies).start());
        return Err(differs(IN_SYNC, in_sync, needed));
    }
    Ok(())
}

/// How many copies have to be in step before a write is confirmed: two, so that no single failure loses it;
/// where there is one copy, that one; and never more than there are, or nothing is ever written.
fn safe(copies: usize) -> std::ops::RangeInclusive<usize> {
    copies.min(2)..=copies
}

async fn settings(admin: &Admin, topic: &str) -> Result<HashMap<String, String>, KafkaFault> {
    let doing = || KafkaFault::while_("asking for a topic's settings");
    let resource = ResourceSpecifier::Topic(topic);
    let mut described = admin.describe_configs([&resource], &options()).await.map_err(doing())?;
    let entries = match described.pop() {
        Some(Ok(config)) => config.entries,
        None | Some(Err(RDKafkaErrorCode::UnknownTopicOrPartition)) => Vec::new(),
        Some(Err(code)) => return Err(doing()(KafkaError::AdminOp(code))),
    };
    Ok(entries.into_iter().map(|entry| (entry.name, entry.value.unwrap_or_default())).collect())
}

/// Answers how many copies each partition has, at least.
async fn check_partitions(
    admin: &Admin,
    spec: &Spec,
    within: Duration,
) -> Result<usize, TopicError> {
    let deadline = tokio::time::Instant::now() + within;
    loop {
        let metadata = admin
            .inner()
            .fetch_metadata(Some(&spec.topic), ASK_WITHIN)
            .map_err(KafkaFault::while_("asking for a topic's partitions"))?;
        let partitions = metadata.topics().first().map_or(&[][..], MetadataTopic::partitions);
        let (actual, copies) =
            (partitions.len(), partitions.iter().map(|partition| partition.replicas().len()).min());
        if usize::try_from(spec.partitions).is_ok_and(|needed| needed == actual) {
            return Ok(copies.unwrap_or(0));
        }
        if actual > 0 || tokio::time::Instant::now() >= deadline {
            return Err(other_partitions(spec, actual));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn other_partitions(spec: &Spec, actual: usize) -> TopicError {
    let (topic, setting) = (spec.topic.clone(), "partitions");
    let (actual, needed) = (actual.to_string(), spec.partitions.to_string());
    TopicError::Differs { topic, setting, actual, needed }
}
