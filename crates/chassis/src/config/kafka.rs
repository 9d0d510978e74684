use std::path::PathBuf;

use onenet_kafka::{Cluster, Tls};
use serde::{Deserialize, Serialize};

use super::Settings;

/// The node's cluster.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaSettings {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// In front of every topic and transactional id; each further node on one cluster has its own.
    #[serde(default)]
    pub prefix: String,
    /// Partitions of each topic; fixed for its life, since they carry the order.
    #[serde(default = "twelve")]
    pub partitions: i32,
    /// Days for which listings stay on `onenet.credit.listings.v1`.
    #[serde(default = "listings_days")]
    pub listings_days: u32,
    /// How the node proves to the brokers who it is, and they to it. Without it nothing is encrypted
    /// and anybody may read everything: only for brokers that nobody else reaches.
    #[serde(default)]
    pub tls: Option<KafkaTls>,
}

/// Files of the connection to the brokers, all PEM.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaTls {
    /// The authorities whose brokers are believed.
    pub ca: PathBuf,
    /// The node's certificate; its common name is the node's for the brokers.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Settings {
    /// What a client of the brokers needs to know, if there are any.
    #[must_use]
    pub fn cluster(&self) -> Option<Cluster> {
        let kafka = self.kafka.as_ref()?;
        let tls = kafka.tls.as_ref().map(|tls| Tls {
            ca: tls.ca.clone(),
            certificate: tls.certificate.clone(),
            key: tls.key.clone(),
        });
        let caller = format!("{}{}", kafka.prefix, self.node.name);
        Some(Cluster { bootstrap: kafka.brokers.clone(), caller, tls })
    }
}

pub(super) fn twelve() -> i32 {
    12
}

/// Three years are the longest term of a listing (令第11号).
pub(crate) const LISTINGS_DAYS: u32 = 1_096;

fn listings_days() -> u32 {
    LISTINGS_DAYS
}
