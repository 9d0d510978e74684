use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use onenet_chassis::{
    Role,
    day::SystemClock,
    private::{PrivateNode, Running},
    testing::{
        elsewhere::{Registered, know},
        uscc,
    },
};
use onenet_eventstore::{
    PgLog,
    sqlx::PgConnection,
    testing::{cause, new_id},
};
use onenet_exchange::feed::FEED;
use onenet_kernel::{Cause, EventStore as _, Key, NewEvent, Origin, Position, StreamId, Version};
use onenet_proto::{
    enterprise::v1::Tier,
    exchange::v1::{
        Agency, GiveGrantRequest, GrantTerms, RegisterAgencyRequest,
        exchange_service_client::ExchangeServiceClient,
    },
};
use tokio::time::Instant;
use tonic::{Code, transport::Channel};

use super::{fan_out::Subscriber, filled::Kind, node};
use crate::{Bench, PAYLOAD};

const BUREAU: u32 = 1;
const AGENCY: u32 = 2;
const TYPE: &str = "onenet.hazard.v1.MajorHazardFiled";
const KNOWN_WITHIN: Duration = Duration::from_secs(30);
/// Subscriptions that are opened at a time.
const AT_ONCE: usize = 16;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What is in the feed: hazards that were filed, of a plant that is not the agency.
pub(super) const FILED: Kind<'static> = Kind {
    category: "hazard/major_hazard-",
    event_type: TYPE,
    subject: "91410100MA00000201",
    origin: Some("henan"),
};

/// A node whose exchange has one agency with one grant, which everything in the feed passes.
pub(super) struct Exchange {
    pub(super) node: PrivateNode,
    _folder: tempfile::TempDir,
}

impl Exchange {
    /// Made, and not running yet.
    pub(super) async fn make(bench: &Bench) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let node = PrivateNode::make(folder.path(), &node::plan(bench)).await?;
        node.prepare(&[onenet_exchange::context()]).await?;
        let mut known: Vec<_> = ["41", "4101", "410102"].map(Registered::division).into();
        known.push(Registered::Organisation(Registered::body(&uscc(BUREAU), Tier::Province, "41")));
        know(&node, "exchange", known).await.map_err(anyhow::Error::from_boxed)?;
        Ok(Self { node, _folder: folder })
    }

    /// Runs in this process.
    pub(super) async fn start(&self) -> Result<Running> {
        let roles = [Role::Api, Role::Project];
        let context = onenet_exchange::context();
        Ok(self.node.start(vec![context], &roles, Arc::new(SystemClock)).await?)
    }

    /// The feed, to append to as its followers do.
    pub(super) async fn feed(&self) -> Result<PgLog> {
        node::log(&self.node, FEED).await
    }

    /// An event at the feed's end, as a follower brings it.
    pub(super) async fn append(feed: &PgLog) -> Result<()> {
        let id = new_id();
        let stream = StreamId::from_stored(format!("{}{id}", FILED.category));
        let position = Position { log_id: id, epoch: 1, number: 1 };
        let origin = FILED.origin.map(|node| Origin { node: node.to_owned(), position });
        let cause = Cause { origin, ..cause(id) };
        let key = Key {
            subject: FILED.subject.to_owned(),
            division: "410102".to_owned(),
            industry: "2614".to_owned(),
        };
        let payload = vec![b'x'; PAYLOAD].into();
        let filed = NewEvent { event_type: TYPE.into(), payload, key };
        feed.append(&stream, Version::NONE, &cause, vec![filed]).await?;
        Ok(())
    }

    /// The feed's owner, to fill it.
    pub(super) async fn owner(&self) -> Result<PgConnection> {
        node::owner(&self.node, FEED).await
    }

    /// Registers the agency, and gives it its grant.
    pub(super) async fn open_to_agency(&self, address: SocketAddr) -> Result<()> {
        let bureau = self.node.connect(address, Some(&uscc(BUREAU)))?;
        let mut bureau = ExchangeServiceClient::new(bureau);
        let agency = Agency {
            uscc: uscc(AGENCY),
            name: "行业主管部门".to_owned(),
            division: "41".to_owned(),
            certificate_sha256: vec![self.node.fingerprint(&uscc(AGENCY))?],
        };
        let (command_id, agency) = (new_id().to_string(), Some(agency));
        let request = RegisterAgencyRequest { command_id, agency, ..Default::default() };
        bureau.register_agency(request).await?;
        let terms = GrantTerms {
            event_types: vec![TYPE.to_owned()],
            subtree: "41".to_owned(),
            purpose: "行业监管".to_owned(),
            legal_basis: "政务数据共享条例".to_owned(),
            from_on: "2020-01-01".to_owned(),
            ..GrantTerms::default()
        };
        let (command_id, terms) = (new_id().to_string(), Some(terms));
        let request =
            GiveGrantRequest { command_id, agency: uscc(AGENCY), terms, ..Default::default() };
        bureau.give_grant(request).await?;
        Ok(())
    }

    fn connect(&self, address: SocketAddr) -> Result<Channel> {
        Ok(self.node.connect(address, Some(&uscc(AGENCY)))?)
    }

    /// So many subscriptions, each on a connection of its own; with exchange once the agency's rights are
    /// known there.
    pub(super) async fn subscribe(
        &self,
        address: SocketAddr,
        count: u64,
    ) -> Result<Vec<Subscriber>> {
        let until = Instant::now() + KNOWN_WITHIN;
        let open = |_| async move {
            loop {
                match Subscriber::open(self.connect(address)?).await {
                    Ok(subscriber) => return Ok(subscriber),
                    Err(status)
                        if status.code() != Code::FailedPrecondition || Instant::now() > until =>
                    {
                        return Err(status).context("subscribing");
                    }
                    Err(_) => tokio::time::sleep(LOOK_EVERY).await,
                }
            }
        };
        // each reads all rights once: more at a time wait longer for a connection than exchange lets them
        stream::iter(0..count).map(open).buffered(AT_ONCE).try_collect().await
    }
}
