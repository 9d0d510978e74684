use std::{collections::HashMap, time::Duration};

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    error::{KafkaError, RDKafkaErrorCode},
};
use uuid::Uuid;

use crate::client::{ASK_WITHIN, Cluster, KafkaFault};

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

struct Spec {
    topic: String,
    partitions: i32,
    settings: Vec<(&'static str, String)>,
}

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
        let admin: AdminClient<DefaultClientContext> = cluster
            .config()
            .create()
            .map_err(KafkaFault::while_("creating an administrator's client"))?;
        let options = AdminOptions::new().operation_timeout(Some(ASK_WITHIN));
        let specs = self.specs(partitions, beside);
        let new: Vec<_> = specs.iter().map(new_topic).collect();
        let created = admin
            .create_topics(&new, &options)
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
        for spec in &specs {
            check_partitions(&admin, spec).await?;
            check_settings(&admin, &options, spec).await?;
        }
        Ok(())
    }

    fn specs(&self, partitions: i32, beside: &[Beside]) -> Vec<Spec> {
        let for_ever = || "-1".to_owned();
        let mut specs = vec![
            Spec {
                topic: self.events(),
                partitions,
                // a cluster may bound the size of its topics as well as their age
                settings: vec![
                    ("cleanup.policy", "delete".to_owned()),
                    ("retention.ms", for_ever()),
                    ("retention.bytes", for_ever()),
                ],
            },
            Spec {
                topic: self.checkpoint(),
                partitions: 1,
                settings: vec![("cleanup.policy", "compact".to_owned())],
            },
        ];
        specs.extend(beside.iter().map(|beside| match *beside {
            Beside::Facts(name, days) => Spec {
                topic: self.beside(name),
                partitions,
                settings: vec![
                    ("cleanup.policy", "delete".to_owned()),
                    ("retention.ms", (u64::from(days) * MS_PER_DAY).to_string()),
                    ("retention.bytes", for_ever()),
                ],
            },
            Beside::State(name) => Spec {
                topic: self.beside(name),
                partitions,
                settings: vec![
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

async fn check_settings(
    admin: &AdminClient<DefaultClientContext>,
    options: &AdminOptions,
    spec: &Spec,
) -> Result<(), TopicError> {
    let deadline = tokio::time::Instant::now() + ASK_WITHIN;
    let mut actual = settings(admin, options, &spec.topic).await?;
    // as with the partitions: the broker that answers may not have heard of the topic yet
    while actual.is_empty() && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(LOOK_EVERY).await;
        actual = settings(admin, options, &spec.topic).await?;
    }
    for (setting, needed) in &spec.settings {
        let actual = actual.get(*setting).cloned().unwrap_or_default();
        if actual != *needed {
            let (topic, needed) = (spec.topic.clone(), needed.clone());
            return Err(TopicError::Differs { topic, setting, actual, needed });
        }
    }
    Ok(())
}

async fn settings(
    admin: &AdminClient<DefaultClientContext>,
    options: &AdminOptions,
    topic: &str,
) -> Result<HashMap<String, String>, KafkaFault> {
    let doing = || KafkaFault::while_("asking for a topic's settings");
    let resource = ResourceSpecifier::Topic(topic);
    let mut described = admin.describe_configs([&resource], options).await.map_err(doing())?;
    let entries = match described.pop() {
        Some(Ok(config)) => config.entries,
        None | Some(Err(RDKafkaErrorCode::UnknownTopicOrPartition)) => Vec::new(),
        Some(Err(code)) => return Err(doing()(KafkaError::AdminOp(code))),
    };
    Ok(entries.into_iter().map(|entry| (entry.name, entry.value.unwrap_or_default())).collect())
}

/// A topic that was created a moment ago may not be known to every broker yet.
async fn check_partitions(
    admin: &AdminClient<DefaultClientContext>,
    spec: &Spec,
) -> Result<(), TopicError> {
    let deadline = tokio::time::Instant::now() + ASK_WITHIN;
    loop {
        let metadata = admin
            .inner()
            .fetch_metadata(Some(&spec.topic), ASK_WITHIN)
            .map_err(KafkaFault::while_("asking for a topic's partitions"))?;
        let actual = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        if usize::try_from(spec.partitions).is_ok_and(|needed| needed == actual) {
            return Ok(());
        }
        if actual > 0 || tokio::time::Instant::now() >= deadline {
            return Err(TopicError::Differs {
                topic: spec.topic.clone(),
                setting: "partitions",
                actual: actual.to_string(),
                needed: spec.partitions.to_string(),
            });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
