use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use anyhow::{Context as _, Result};
use onenet_chassis::private::{Brokers, Plan, PrivateNode};
use onenet_devservers::{Pki, Postgres, SecuredKafka};

use crate::contexts;

/// A node with servers of its own, over a folder. The servers stop when it is dropped.
pub(crate) struct Own {
    pub(crate) node: PrivateNode,
    postgres: Postgres,
    _kafka: Option<SecuredKafka>,
}

/// How a private node's events travel.
pub(crate) enum Travel {
    /// Contexts read each other's logs.
    Embedded,
    /// Over a Kafka of its own, with TLS and access lists.
    Private,
    /// Over somebody else's.
    Brokers(String),
}

/// What a private node is told.
pub(crate) struct Wanted<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) node: &'a str,
    pub(crate) operator: &'a str,
    pub(crate) readers: &'a [String],
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) otlp: Option<String>,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) travel: Travel,
}

impl Own {
    /// Starts the servers and makes what is missing: database, schemas, topics, certificates.
    pub(crate) async fn start(wanted: Wanted<'_>) -> Result<Self> {
        let folder = wanted.folder.to_owned();
        let needs_kafka = matches!(wanted.travel, Travel::Private);
        let (postgres, private_kafka) = tokio::task::spawn_blocking(move || {
            let postgres = Postgres::start(&folder.join("postgres"))?;
            let pki = Pki::open(&folder.join("pki"))?;
            let start = || SecuredKafka::start(&folder.join("kafka"), &pki);
            let kafka = needs_kafka.then(start).transpose()?;
            Ok::<_, onenet_devservers::DevServerError>((postgres, kafka))
        })
        .await
        .context("starting the private servers")??;
        let kafka = match wanted.travel {
            Travel::Embedded => None,
            Travel::Private => {
                private_kafka.as_ref().map(|kafka| Brokers::Secured(kafka.bootstrap()))
            }
            Travel::Brokers(brokers) => Some(Brokers::Plain(brokers)),
        };
        let plan = Plan {
            postgres: postgres.url("postgres"),
            database: "onenet".to_owned(),
            password: "onenet".to_owned(),
            kafka,
            prefix: String::new(),
            node: wanted.node.to_owned(),
            operator: wanted.operator.to_owned(),
            readers: wanted.readers.to_vec(),
            otlp: wanted.otlp,
            metrics: wanted.metrics,
            listen: wanted.listen.unwrap_or((Ipv4Addr::LOCALHOST, 0).into()),
            validity: None,
        };
        let node = PrivateNode::make(wanted.folder, &plan).await?;
        if let Some(kafka) = &private_kafka {
            tokio::task::block_in_place(|| node.permit(kafka, &contexts::all()))?;
        }
        node.prepare(&contexts::all()).await?;
        Ok(Self { node, postgres, _kafka: private_kafka })
    }

    /// Where the database is, for a person.
    pub(crate) fn postgres(&self) -> String {
        self.postgres.url("onenet")
    }

    /// Where Kafka is, if the node has one.
    pub(crate) fn kafka(&self) -> Option<&str> {
        self.node.settings().kafka.as_ref().map(|kafka| kafka.brokers.as_str())
    }
}
