use std::{path::PathBuf, time::Duration};

use rdkafka::{
    ClientConfig, ClientContext,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, ConsumerContext, StreamConsumer},
    error::{KafkaError, RDKafkaErrorCode},
};

/// How long one question to the cluster may take.
pub(crate) const ASK_WITHIN: Duration = Duration::from_secs(10);

/// Where Kafka is, and as whom it is called.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// `host:port`, several separated by commas.
    pub bootstrap: String,
    /// What the names of all one's consumers begin with, and a dot: brokers with access lists know by it
    /// whose they are.
    pub caller: String,
    /// Without it nothing is encrypted and the brokers do not know who calls.
    pub tls: Option<Tls>,
}

/// A connection to brokers that both sides prove who they are on. The files are PEM.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The authorities whose brokers are believed.
    pub ca: PathBuf,
    /// One's own certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// What the client tells of itself while it reads: to have read to the end is no error.
pub(crate) struct Reading;

impl ClientContext for Reading {
    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::PartitionEOF(_))
            && error.rdkafka_error_code() != Some(RDKafkaErrorCode::PartitionEOF)
        {
            tracing::warn!(error = &error as &dyn std::error::Error, reason, "Kafka's client");
        }
    }
}

impl ConsumerContext for Reading {}

/// A consumer that is asked for each record; it blocks.
pub(crate) type BlockingReader = BaseConsumer<Reading>;
/// A consumer that can be awaited.
pub(crate) type AsyncReader = StreamConsumer<Reading>;

impl Cluster {
    /// Brokers that ask nobody who calls.
    #[must_use]
    pub fn plain(bootstrap: impl Into<String>) -> Self {
        Self { bootstrap: bootstrap.into(), caller: "onenet".to_owned(), tls: None }
    }

    pub(crate) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        if let Some(Tls { ca, certificate, key }) = &self.tls {
            config
                .set("security.protocol", "ssl")
                .set("ssl.ca.location", ca.to_string_lossy())
                .set("ssl.certificate.location", certificate.to_string_lossy())
                .set("ssl.key.location", key.to_string_lossy());
        }
        config
    }

    /// A consumer that joins no group and commits nothing. librdkafka refuses to assign partitions
    /// without a group's name all the same, and asks the brokers for the group's coordinator.
    pub(crate) fn reader<C: FromClientConfigAndContext<Reading>>(
        &self,
        name: &str,
        isolation: &str,
    ) -> Result<C, KafkaFault> {
        self.reading(name, isolation)
            .create_with_context(Reading)
            .map_err(KafkaFault::while_("creating a consumer"))
    }

    /// A reader that stops where the topic ends now: it hears of the end at once, not when the broker
    /// has waited half a second for more.
    pub(crate) fn reader_to_the_end(
        &self,
        name: &str,
        isolation: &str,
    ) -> Result<BlockingReader, KafkaFault> {
        self.reading(name, isolation)
            .set("fetch.wait.max.ms", "5")
            .create_with_context(Reading)
            .map_err(KafkaFault::while_("creating a consumer"))
    }

    fn reading(&self, name: &str, isolation: &str) -> ClientConfig {
        let mut config = self.config();
        config
            .set("group.id", format!("{}.{name}", self.caller))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("enable.partition.eof", "true")
            .set("isolation.level", isolation);
        config
    }
}

/// Kafka failed or refused.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct KafkaFault {
    doing: &'static str,
    #[source]
    source: KafkaError,
}

impl KafkaFault {
    pub(crate) fn while_(doing: &'static str) -> impl FnOnce(KafkaError) -> Self {
        move |source| Self { doing, source }
    }

    pub(crate) fn timeout(doing: &'static str) -> Self {
        Self { doing, source: KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut) }
    }
}
