//! The other contexts of a test's node, as far as the one under test notices them: what the register
//! has said, a log with its topic that a test writes to in another context's name, and what is on a
//! topic.

use std::time::Duration;

use onenet_eventstore::{
    Checkpoint, Db, HandleError, Handler as _, PgLog, Source as _,
    testing::{cause, new_id},
};
use onenet_kafka::{KafkaSource, Topics, events_only};
use onenet_kernel::{
    Appended, EventStore as _, Key, NewEvent, Position, Receipt, Recorded, StreamId, Version,
};
use onenet_proto::enterprise::v1::{
    Division, DivisionKind, DivisionLevel, DivisionRegistered, Enterprise, EnterpriseKind,
    EnterpriseRegistered, Organisation, OrganisationFunction, OrganisationRegistered, Tier,
};
use prost::Message as _;

use super::OPERATOR;
use crate::{context::Context, parts::Parts, private::PrivateNode, register::KeepRegister};

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A thing in the register.
#[derive(Clone, Debug)]
pub enum Registered {
    /// A division.
    Division(Division),
    /// A public body.
    Organisation(Organisation),
    /// An enterprise.
    Enterprise(Enterprise),
}

impl Registered {
    /// A statutory division of Henan, below the one its code says.
    #[must_use]
    pub fn division(code: &str) -> Self {
        let (level, parent) = match code.len() {
            2 => (DivisionLevel::Province, None),
            4 => (DivisionLevel::City, code.get(..2)),
            6 => (DivisionLevel::County, code.get(..4)),
            _ => (DivisionLevel::Township, code.get(..6)),
        };
        let parent = parent.map(str::to_owned);
        Self::Division(Division {
            code: code.to_owned(),
            name: format!("区划{code}"),
            level: level.into(),
            kind: DivisionKind::Statutory.into(),
            jurisdiction_parent: parent.clone(),
            parent,
            ..Division::default()
        })
    }

    /// A body of comprehensive supervision (综合监管) without power to punish.
    #[must_use]
    pub fn body(uscc: &str, tier: Tier, division: &str) -> Organisation {
        Organisation {
            uscc: uscc.to_owned(),
            name: "应急管理局".to_owned(),
            tier: tier.into(),
            division: division.to_owned(),
            functions: vec![OrganisationFunction::Comprehensive.into()],
            ..Organisation::default()
        }
    }

    /// A chemical plant in a township of 410102.
    #[must_use]
    pub fn plant(uscc: &str) -> Enterprise {
        Enterprise {
            uscc: uscc.to_owned(),
            name: "某化工有限公司".to_owned(),
            kind: EnterpriseKind::Unit.into(),
            division: "410102001".to_owned(),
            industry: "2614".to_owned(),
            address: "中原区".to_owned(),
        }
    }

    /// The stream on which the register says so.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        match self {
            Self::Division(division) => StreamId::new("division", &division.code),
            Self::Organisation(body) => StreamId::new("organisation", &body.uscc),
            Self::Enterprise(enterprise) => StreamId::new("enterprise", &enterprise.uscc),
        }
    }

    /// What the register says.
    #[must_use]
    pub fn event(self) -> NewEvent {
        let subject = self.stream().key().to_owned();
        let (name, division, industry, payload) = match self {
            Self::Division(division) => {
                let code = division.code.clone();
                let event = DivisionRegistered { division: Some(division) };
                ("DivisionRegistered", code, String::new(), event.encode_to_vec())
            }
            Self::Organisation(body) => {
                let code = body.division.clone();
                let event = OrganisationRegistered { organisation: Some(body) };
                ("OrganisationRegistered", code, String::new(), event.encode_to_vec())
            }
            Self::Enterprise(enterprise) => {
                let (code, industry) = (enterprise.division.clone(), enterprise.industry.clone());
                let (registered_by, proposed_by) = (OPERATOR.to_owned(), None);
                let enterprise = Some(enterprise);
                let event = EnterpriseRegistered { enterprise, registered_by, proposed_by };
                ("EnterpriseRegistered", code, industry, event.encode_to_vec())
            }
        };
        NewEvent {
            event_type: format!("onenet.enterprise.v1.{name}").into(),
            payload: payload.into(),
            key: Key { subject, division, industry },
        }
    }
}

/// Makes a context know what the register has said, at once and without Kafka between.
pub async fn know(
    node: &PrivateNode,
    context: &str,
    known: impl IntoIterator<Item = Registered>,
) -> Result<(), Failed> {
    let events: Vec<Recorded> =
        known.into_iter().map(|known| recorded(known.stream(), known.event())).collect();
    let db = database(node, context).await?;
    db.transact(|tx| {
        Box::pin(async move {
            for event in &events {
                KeepRegister.handle(tx, event).await?;
            }
            Ok::<(), HandleError>(())
        })
    })
    .await?;
    db.close().await;
    Ok(())
}

/// A context of which only the log and its topics are there, for [`say`].
#[must_use]
pub fn silent(name: &'static str) -> Context {
    Context {
        name,
        migrations: &[],
        further_logs: &[],
        policies: "@id(\"nobody-calls\") permit (principal, action, resource) when { false };",
        mapping: events_only,
        beside: |_| Vec::new(),
        open: |host| Box::pin(async move { Ok(Parts::new(&host)) }),
    }
}

/// Appends to the log of a [`silent`] context, whose relay publishes it.
pub async fn say(
    node: &PrivateNode,
    context: &str,
    stream: &StreamId,
    event: NewEvent,
) -> Result<Receipt, Failed> {
    let log = PgLog::open(database(node, context).await?).await?;
    let version = Version(log.load(stream, Version::NONE).await?.len() as u64);
    let cause = cause(new_id());
    let Appended { receipt, .. } = log.append(stream, version, &cause, vec![event]).await?;
    log.db().close().await;
    Ok(receipt)
}

/// Names of a context's topics.
#[must_use]
pub fn topics(node: &PrivateNode, context: &str) -> Topics {
    let settings = node.settings();
    let prefix = settings.kafka.as_ref().map(|kafka| kafka.prefix.clone()).unwrap_or_default();
    Topics { prefix, node: settings.node.name.clone(), context: context.to_owned() }
}

/// The events on a topic, as a committed reader sees them, once `count` are there; at most a minute.
pub async fn published(
    node: &PrivateNode,
    topic: String,
    count: usize,
) -> Result<Vec<Recorded>, Failed> {
    let cluster = node.settings().cluster().ok_or("the node has no Kafka")?;
    let mut source = KafkaSource::new(&cluster, "test", topic)?;
    let beginning = Checkpoint { next_offset: 0, last: None };
    let partitions = source.partitions().await?.into_iter().map(|it| (it, beginning));
    source.assign(&partitions.collect::<Vec<_>>()).await?;
    let reading = async {
        let mut events = Vec::new();
        while events.len() < count {
            events.extend(source.poll().await?.into_iter().map(|delivery| delivery.event));
        }
        Ok(events)
    };
    tokio::time::timeout(Duration::from_mins(1), reading).await?
}

async fn database(node: &PrivateNode, context: &str) -> Result<Db, Failed> {
    Ok(Db::connect(&node.settings().database(context)?).await?)
}

/// An event as a log would have recorded it, the first of its stream.
#[must_use]
pub fn recorded(stream: StreamId, said: NewEvent) -> Recorded {
    let id = new_id();
    let cause = cause(id);
    Recorded {
        position: Position { log_id: id, epoch: 1, number: 1 },
        stream,
        version: Version(1),
        event_id: id,
        event_type: said.event_type.into_owned(),
        payload: said.payload,
        key: said.key,
        occurred_at: cause.occurred_at,
        recorded_at: cause.occurred_at,
        issuer: cause.issuer,
        command_id: cause.command_id,
        ordinal: 0,
        digest: cause.digest,
        actor: cause.actor,
        correlation_id: cause.correlation_id,
        causation_id: cause.causation_id,
        rules_version: cause.rules_version,
        traceparent: cause.traceparent,
        origin: cause.origin,
        leaf: [0; 32],
    }
}
