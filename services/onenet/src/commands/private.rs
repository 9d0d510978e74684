use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use anyhow::{Context as _, Result};
use onenet_chassis::private::{Plan, PrivateNode};
use onenet_devservers::{Kafka, Postgres};

use crate::contexts;

/// A node with servers of its own, over a folder. The servers stop when it is dropped.
pub(crate) struct Own {
    pub(crate) node: PrivateNode,
    postgres: Postgres,
    kafka: Kafka,
}

/// What a private node is told.
pub(crate) struct Wanted<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) node: &'a str,
    pub(crate) operator: &'a str,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) otlp: Option<String>,
}

impl Own {
    /// Starts the servers and makes what is missing: database, schemas, topics, certificates.
    pub(crate) async fn start(wanted: Wanted<'_>) -> Result<Self> {
        let folder = wanted.folder.to_owned();
        let (postgres, kafka) = tokio::task::spawn_blocking(move || {
            let postgres = Postgres::start(&folder.join("postgres"))?;
            let kafka = Kafka::start(&folder.join("kafka"), &[])?;
            Ok::<_, onenet_devservers::DevServerError>((postgres, kafka))
        })
        .await
        .context("starting the private servers")??;
        let plan = Plan {
            postgres: postgres.url("postgres"),
            database: "onenet".to_owned(),
            password: "onenet".to_owned(),
            kafka: kafka.bootstrap(),
            prefix: String::new(),
            node: wanted.node.to_owned(),
            operator: wanted.operator.to_owned(),
            otlp: wanted.otlp,
            listen: wanted.listen.unwrap_or((Ipv4Addr::LOCALHOST, 0).into()),
        };
        let node = PrivateNode::make(wanted.folder, &plan).await?;
        node.prepare(&contexts::all()).await?;
        Ok(Self { node, postgres, kafka })
    }

    /// Where the database is, for a person.
    pub(crate) fn postgres(&self) -> String {
        self.postgres.url("onenet")
    }

    /// Where Kafka is.
    pub(crate) fn kafka(&self) -> String {
        self.kafka.bootstrap()
    }
}
