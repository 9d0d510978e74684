use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use onenet_chassis::{
    day::{self, SystemClock},
    testing::{elsewhere::topics, uscc},
};
use onenet_eventstore::SourceError;
use onenet_kafka::Cluster;
use onenet_kernel::Clock as _;
use onenet_proto::{
    common::v1::{Position, Receipt},
    credit::v1::{
        AckListingsRequest, ListOpenRemovalsRequest, ListingRange, ReconcileListingsRequest,
        blacklist_service_client::BlacklistServiceClient, reconcile_listings_request::Facts,
    },
};
use tonic::{Status, transport::Channel};
use tonic_types::StatusExt as _;

use crate::{
    ask::{answered, refused, timed},
    asker::Asker,
    history::Read,
    node::Node,
    readers::{list::line, topic::Records},
    reconciled::{Claim, Compared, Count, Line, Open, Reconciled, Refused},
    seen::Context,
    setup::PLATFORM,
};

/// Between two looks at the topic, at most.
const PAUSE: Duration = Duration::from_millis(300);
/// Facts that are compared at once, at most.
const COMPARED: usize = 100;

/// The joint-punishment platform: reads the listings topic, says what it has applied, and compares what it holds with
/// what the node does.
pub(crate) struct Platform {
    asker: Asker,
    /// Its own registration, which the node has to have heard of.
    registered: Receipt,
    cluster: Cluster,
    topic: String,
    /// Every fact that was read, with its whole position.
    held: BTreeMap<u64, (Line, Position)>,
    /// Up to where it has a receipt, or was told that it has acknowledged.
    acknowledged: u64,
    /// Up to where it has asked to acknowledge and knows nothing: the same again may change nothing.
    asked: u64,
}

impl Platform {
    pub(crate) fn new(asker: Asker, node: &Node, registered: Receipt) -> Result<Self> {
        let cluster = node.private.settings().cluster().context("a node without Kafka")?;
        let topic = topics(&node.private, Context::Credit.name()).beside("listings");
        let held = BTreeMap::new();
        Ok(Self { asker, registered, cluster, topic, held, acknowledged: 0, asked: 0 })
    }

    /// Until it is told to stop.
    pub(crate) async fn run(mut self) {
        while self.follow().await.is_some() {}
    }

    /// One reader of the topic for as long as it can read on; after that, another from the beginning.
    async fn follow(&mut self) -> Option<()> {
        let Ok(mut records) = Records::of(&self.cluster, self.topic.clone()) else {
            return self.asker.before_again().await;
        };
        loop {
            let noted = self.held.last_key_value().map_or(0, |(position, _)| *position);
            let stop = self.asker.stop.clone();
            match stop.run_until_cancelled(self.read_on(&mut records)).await? {
                Ok(()) => {
                    self.acknowledge(noted).await;
                }
                Err(SourceError::Passing { .. }) => self.asker.before_again().await?,
                Err(SourceError::Broken(_)) => return self.asker.before_again().await,
            }
            self.compare().await.ok();
            self.asker.send_again().await;
            self.asker.pause_at_most(PAUSE).await?;
        }
    }

    /// Until nothing more comes: what was published before what is noted is held then.
    async fn read_on(&mut self, records: &mut Records) -> Result<(), SourceError> {
        loop {
            let page = records.next().await?;
            if page.is_empty() {
                return Ok(());
            }
            self.held.extend(page.iter().map(|delivery| {
                let position = onenet_chassis::position(delivery.event.position);
                (position.number, (line(&delivery.event), position))
            }));
        }
    }

    /// Says that everything up to a place is applied, if that is anything new. Now and then it has missed one fact.
    async fn acknowledge(&mut self, upto: u64) -> Option<()> {
        let (after, misses) = (self.acknowledged, self.asker.chance.u8(..8) == 0);
        if upto <= after.max(self.asked) {
            return None;
        }
        let facts = self.held.range(after + 1..=upto).map(|(_, (line, _))| line);
        let Count { digest, .. } = Count::of(facts.skip(usize::from(misses)));
        let (_, last) = self.held.get(&upto)?;
        let ask = AckListingsRequest {
            fresh_as: vec![self.registered.clone()],
            after,
            upto: Some(last.clone()),
            digest: digest.clone(),
            ..AckListingsRequest::default()
        };
        let gives_up = self.asker.chance.u8(..3) == 0;
        let Some(answer) = self.asker.answer(ask, gives_up).await else {
            self.asked = upto;
            return None;
        };
        let refusal = answer.as_ref().err().map(refusal);
        let known = refusal.as_ref().and_then(|refused| refused.acknowledged);
        let claim = Claim { after, upto, digest, refused: refusal };
        self.asker.note(|history| history.claims.push(claim));
        let Ok(receipt) = answer else {
            self.acknowledged = known.unwrap_or(after);
            return None;
        };
        self.acknowledged = upto;
        self.look_for_open(receipt).await.ok()
    }

    /// What is left open behind an acknowledgement, which nothing can move on meanwhile.
    async fn look_for_open(&self, said: Receipt) -> Result<(), Status> {
        let stream = format!("{} (acknowledged)", said.stream_id);
        let ask = ListOpenRemovalsRequest { fresh_as: vec![said], ..Default::default() };
        let answer = answered(self.blacklist()?.list_open_removals(timed(ask))).await?;
        let (asked, own) = (self.acknowledged, uscc(PLATFORM));
        let state = answer.readers.into_iter().find(|state| state.reader == own);
        let saw = state.and_then(|state| state.acknowledged).map(|position| position.number);
        self.asker.read(Read { stream, asked, saw });
        let removals = answer.removals.into_iter();
        let removals =
            removals.map(|it| (it.position.unwrap_or_default().number, it.subject)).collect();
        self.asker.note(|history| history.open.push(Open { after: asked, removals }));
        Ok(())
    }

    /// Count and digest of some facts, or of those of today.
    async fn compare(&mut self) -> Result<(), Status> {
        let (asked, facts) = if self.asker.chance.u8(..8) == 0 {
            let today = day::of(SystemClock.now()).to_string();
            (Compared::Day(today.clone()), Facts::RecordedOn(today))
        } else {
            let (after, upto) = self.some_range();
            (Compared::Range(after, upto), Facts::Range(ListingRange { after, upto }))
        };
        let before = self.asker.any_done().map(|done| done.receipt);
        let before = before.filter(|_| self.asker.chance.bool());
        let fresh_as = before.clone().into_iter().collect();
        let ask = ReconcileListingsRequest { fresh_as, facts: Some(facts) };
        let answer = answered(self.blacklist()?.reconcile_listings(timed(ask))).await?;
        if answer.incomplete {
            return Ok(());
        }
        let number = |position: Option<Position>| position.map(|it| it.number).unwrap_or_default();
        let range = answer.range.unwrap_or_default();
        let reconciled = Reconciled {
            asked,
            fresh_as: number(before.and_then(|before| before.position)),
            range: (range.after, range.upto),
            count: Count { count: answer.count, digest: answer.digest },
            known_at: number(answer.known_at),
        };
        self.asker.note(|history| history.reconciled.push(reconciled));
        Ok(())
    }

    /// Around facts that are held, and a little beyond.
    fn some_range(&mut self) -> (u64, u64) {
        let chance = &mut self.asker.chance;
        let from = chance.usize(..=self.held.len());
        let mut some = self.held.keys().skip(from).take(chance.usize(1..=COMPARED));
        let after = some.next().copied().unwrap_or_default();
        let upto = some.next_back().copied().unwrap_or(after);
        (after, upto + chance.u64(1..20))
    }

    fn blacklist(&self) -> Result<BlacklistServiceClient<Channel>, Status> {
        Ok(BlacklistServiceClient::new(self.asker.caller.channel(Context::Credit)?))
    }
}

fn refusal(status: &Status) -> Refused {
    let details = status.get_error_details();
    let told = details.error_info().and_then(|info| info.metadata.get("acknowledged"));
    let acknowledged = told.and_then(|number| number.parse().ok());
    Refused { reason: refused(status).unwrap_or_default(), acknowledged }
}
