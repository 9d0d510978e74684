use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use jiff::civil::date;
use onenet_eventstore::{
    Db, PgLog, sqlx,
    testing::{Scratch, cause, event, new_id},
};
use onenet_kernel::{Cause, EventStore as _, Issuer, NewEvent, Position, StreamId, Version};
use onenet_proto::{exchange::v1::GrantView, hazard::v1::HiddenDangerWithdrawn};
use prost::Message as _;
use tracing::{Event, Metadata, Subscriber, span};

use super::*;
use crate::{
    adapters::context,
    domain::{Grant, GrantTerms},
    feed::{Directory, Tail, deliveries::Delivered},
};

const REPORTED: &str = "onenet.hazard.v1.HiddenDangerReported";
const WITHDRAWN: &str = "onenet.hazard.v1.HiddenDangerWithdrawn";
const AGENCY: &str = "91230500MA1B3N1N2M";

/// Counts what this thread asks the database.
#[derive(Clone, Default)]
struct Statements(Arc<AtomicUsize>);

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }
    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct World {
    scratch: Scratch,
    db: Db,
    feed: PgLog,
    tail: Tail,
}

impl World {
    async fn new() -> Self {
        let scratch = Scratch::create(onenet_devservers::shared_postgres().unwrap()).await.unwrap();
        let feed = scratch.log("feed", &[]).await.unwrap();
        let own = [("_context_migrations", context().migrations)];
        let db = scratch.log("exchange", &own).await.unwrap().db().clone();
        let mut owner = scratch.owner("exchange").await.unwrap();
        sqlx::raw_sql(
            "create table divisions (code text, jurisdiction_parent text);
             insert into divisions values ('410102', null);
             grant select on divisions to onenet_test",
        )
        .execute(&mut owner)
        .await
        .unwrap();
        let tail = Tail::new(feed.clone(), Directory::new(db.clone()));
        Self { scratch, db, feed, tail }
    }

    /// A grant that has ended since.
    async fn ended(&self, event_type: &str) -> Uuid {
        let grant = Grant {
            id: new_id(),
            agency: AGENCY.parse().unwrap(),
            terms: GrantTerms {
                event_types: vec![event_type.to_owned()],
                subtree: "410102".to_owned(),
                industries: Vec::new(),
                purpose: "行业监管".to_owned(),
                legal_basis: "政务数据共享条例".to_owned(),
                from: date(2026, 1, 1),
                to: None,
            },
            given_by: "11410000MB15291763".parse().unwrap(),
        };
        let view = GrantView { grant: Some((&grant).into()), ..GrantView::default() };
        let mut owner = self.scratch.owner("exchange").await.unwrap();
        sqlx::query("insert into grants values ($1, $2, '410102', true, $3)")
            .bind(grant.id)
            .bind(AGENCY)
            .bind(view.encode_to_vec())
            .execute(&mut owner)
            .await
            .unwrap();
        grant.id
    }

    /// So many events, each with what it says, as a follower would have fed them.
    async fn feed(&self, event_type: &'static str, payloads: Vec<Vec<u8>>) {
        let append = async |payload: Vec<u8>| {
            let id = new_id();
            let stream = StreamId::new("hidden_danger", &id.to_string());
            let cause = Cause { issuer: Issuer::feed(), ..cause(id) };
            let payload = payload.into();
            let said = NewEvent { event_type: event_type.into(), payload, ..event("s", "") };
            self.feed.append(&stream, Version::NONE, &cause, vec![said]).await.unwrap();
        };
        join_all(payloads.into_iter().map(append)).await;
    }

    fn at(&self, number: u64) -> Position {
        Position { log_id: self.feed.log_id(), epoch: 1, number }
    }
}

/// How many statements it takes to judge a page of so many withdrawals, of which one half names what was
/// delivered under a grant that has ended, and the other what lay in an interval and was not delivered.
async fn statements(withdrawals: u64) -> usize {
    let world = World::new().await;
    let count = usize::try_from(withdrawals).unwrap();
    world.feed(REPORTED, vec![Vec::new(); count]).await;
    let reports = world.tail.page(0).await.unwrap();
    let names = |report: &Arc<FeedEvent>| {
        let corrects = vec![report.id.to_string()];
        HiddenDangerWithdrawn { corrects, ..HiddenDangerWithdrawn::default() }.encode_to_vec()
    };
    world.feed(WITHDRAWN, reports.iter().map(names).collect()).await;
    let (subscription, half) = (new_id(), withdrawals / 2);
    let mut delivered =
        Delivered::begin(world.db.clone(), subscription, AGENCY.to_owned()).await.unwrap();
    for (event_type, above, upto) in [(REPORTED, 0, half), (WITHDRAWN, half, withdrawals)] {
        let grants = vec![world.ended(event_type).await];
        let filter = Filter::default();
        delivered.will_deliver(grants, &filter, world.at(above), upto).await.unwrap();
    }

    let page = world.tail.page(withdrawals).await.unwrap();
    let page: Vec<&Arc<FeedEvent>> = page.iter().collect();
    assert_eq!(page.len(), count);
    let (db, tail) = (&world.db, &world.tail);
    let judge = Judge {
        snapshot: &Snapshot::default(),
        today: date(2026, 11, 24),
        filter: &Filter::default(),
        reached: Reached { db, tail, subscription, subscriber: AGENCY },
    };
    let statements = Statements::default();
    let passing = {
        let _counting = tracing::subscriber::set_default(statements.clone());
        judge.passing(&page).await.unwrap()
    };
    let heard = |passing: &Passing<'_>| match passing {
        Passing::Reduced(_, correction) => correction.corrects.clone(),
        Passing::Whole(event) => unreachable!("{event:?} passes whole"),
    };
    let heard: Vec<Uuid> = passing.iter().flat_map(heard).collect();
    let sent: Vec<Uuid> = reports.iter().take(count / 2).map(|report| report.id).collect();
    assert_eq!(heard, sent);
    statements.0.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_page_full_of_corrections_asks_the_database_no_more_often_than_one_with_two() {
    let of_few = statements(2).await;
    assert!(of_few > 0, "nothing was counted");
    assert_eq!(statements(400).await, of_few);
}
