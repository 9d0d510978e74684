//! Many subscribers on one tail: what they cost, and that a slow one harms nobody.

use std::{sync::OnceLock, time::Duration};

use futures::future::join_all;
use jiff::civil::date;
use onenet_chassis::{
    Context, Role,
    private::{PrivateNode, Running},
    testing::{
        self, TestClock,
        elsewhere::{Registered, know},
        uscc,
    },
};
use onenet_eventstore::{
    Db, PgLog,
    testing::{cause, event, new_id},
};
use onenet_kernel::{EventStore as _, NewEvent, Origin, Position, StreamId, Version};
use onenet_proto::{
    enterprise::v1::{Enterprise, Tier},
    exchange::v1::{
        Beginning, SubscribeRequest, SubscribeResponse,
        exchange_service_client::ExchangeServiceClient, subscribe_request::Start,
        subscribe_response::Message,
    },
};
use tokio_util::sync::CancellationToken;
use tonic::{Streaming, transport::Channel};

use super::{Directory, FEED, Tail};

const PLANT: u32 = 20;
const SUBSCRIBERS: usize = 200;
const STALLED_FOR: u64 = 10_000;

static TAIL: OnceLock<Tail> = OnceLock::new();

/// Exchange, with its tail where the test can count.
fn counted() -> Context {
    let open: fn(onenet_chassis::Host) -> onenet_chassis::Opening = |host| {
        Box::pin(async move {
            let (parts, tail) = crate::adapters::assemble(host).await?;
            TAIL.set(tail).ok();
            Ok(parts)
        })
    };
    Context { open, ..crate::adapters::context() }
}

struct World {
    node: PrivateNode,
    running: Running,
    feed: PgLog,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new(context: fn() -> Context) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = onenet_devservers::shared_postgres().unwrap();
        let kafka = onenet_devservers::shared_kafka().unwrap();
        let node = testing::node(folder.path(), postgres, kafka).await.unwrap();
        node.prepare(&[context()]).await.unwrap();
        let mut known: Vec<_> = ["41", "4101", "410102"].map(Registered::division).into();
        known.push(Registered::Organisation(Registered::body(&uscc(1), Tier::Province, "41")));
        let plant = Registered::plant(&uscc(PLANT));
        let plant = Enterprise { division: "410102".to_owned(), ..plant };
        known.push(Registered::Enterprise(plant));
        know(&node, "exchange", known).await.unwrap();
        let clock = TestClock::at(date(2026, 11, 24));
        let running = node.start(vec![context()], &[Role::Api], clock as _).await.unwrap();
        let db = Db::connect(&node.settings().database(FEED).unwrap()).await.unwrap();
        let feed = PgLog::open(db).await.unwrap();
        Self { node, running, feed, _folder: folder }
    }

    /// Events about the plant, as if a follower had read them: one on each stream.
    async fn feed(&self, streams: std::ops::Range<u64>) {
        let append = async |n: u64| {
            let stream = StreamId::from_stored(format!("hazard/major_hazard-{n}"));
            let position = Position { log_id: new_id(), epoch: 1, number: n + 1 };
            let mut cause = cause(new_id());
            cause.origin = Some(Origin { node: "henan".to_owned(), position });
            let filed = NewEvent {
                event_type: "onenet.hazard.v1.MajorHazardFiled".into(),
                ..event(&uscc(PLANT), "filed")
            };
            self.feed.append(&stream, Version::NONE, &cause, vec![filed]).await.unwrap();
        };
        let numbers: Vec<u64> = streams.collect();
        for together in numbers.chunks(500) {
            join_all(together.iter().map(|n| append(*n))).await;
        }
    }

    async fn subscribe(&self, client: &ExchangeServiceClient<Channel>) -> Subscriber {
        let start = Some(Start::Beginning(Beginning {}));
        let request = SubscribeRequest { start, ..Default::default() };
        let stream = client.clone().subscribe(request).await.unwrap().into_inner();
        Subscriber { stream, sequence: 0 }
    }

    fn client(&self) -> ExchangeServiceClient<Channel> {
        let channel = self.node.connect(self.running.address, Some(&uscc(PLANT))).unwrap();
        ExchangeServiceClient::new(channel).max_decoding_message_size(64 << 20)
    }
}

struct Subscriber {
    stream: Streaming<SubscribeResponse>,
    sequence: u64,
}

impl Subscriber {
    /// Reads on until it has had `count` in all, each once and in order.
    async fn until(&mut self, count: u64) {
        while self.sequence < count {
            let next = tokio::time::timeout(Duration::from_mins(2), self.stream.message());
            let response = next.await.expect("nothing came for two minutes").unwrap().unwrap();
            let Some(Message::Batch(batch)) = response.message else { continue };
            for delivery in batch.deliveries {
                assert_eq!(delivery.sequence, self.sequence + 1, "a gap or a repetition");
                self.sequence = delivery.sequence;
            }
        }
    }
}

/// What is in the feed when its tail begins is handed out to nobody: who comes before that pages alone, up
/// to where it began.
#[tokio::test]
async fn nobody_is_served_before_the_tail_has_begun() {
    let world = World::new(crate::adapters::context).await;
    world.feed(0..3).await;
    let db = Db::connect(&world.node.settings().database("exchange").unwrap()).await.unwrap();
    let tail = Tail::new(world.feed.clone(), Directory::new(db));
    let mut begun = std::pin::pin!(tail.begun());
    assert!(futures::poll!(&mut begun).is_pending());
    let stop = CancellationToken::new();
    let (run, _pages) = (tail.run(&stop), tail.subscribe());
    tokio::select! { () = run => unreachable!(), () = begun => {} }
    assert_eq!(tail.head(), 3);
    world.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_share_one_tail_and_one_that_stalls_is_served_later_and_harms_nobody() {
    let world = World::new(counted).await;
    let clients = [world.client(), world.client()];
    let mut subscribers: Vec<Subscriber> =
        join_all((0..SUBSCRIBERS).map(|n| world.subscribe(&clients[n % 2]))).await;
    let tail = TAIL.get().unwrap();

    // one by one, so that each is read for itself
    let (shared_before, alone_before) = tail.reads();
    let events = 50;
    for n in 0..events {
        world.feed(n..n + 1).await;
    }
    join_all(subscribers.iter_mut().map(|subscriber| subscriber.until(events))).await;
    let (shared, alone) = tail.reads();
    // an event is read once, and the empty read after it; a slow box adds idle looks
    let most = 4 * events + 60;
    assert!(shared - shared_before <= most, "{} reads for {events} events", shared - shared_before);
    assert_eq!(alone, alone_before, "nobody read alone");

    // from here on one of them does not read, and four do
    let mut stalled = subscribers.pop().unwrap();
    subscribers.truncate(4);
    let (_, alone_before) = tail.reads();
    world.feed(events..events + STALLED_FOR).await;
    let all = events + STALLED_FOR;
    join_all(subscribers.iter_mut().map(|subscriber| subscriber.until(all))).await;
    stalled.until(all).await;
    let (_, alone) = tail.reads();
    // what one subscriber needs to page through all of it, and no more for the four others
    let most = STALLED_FOR / 500 + 40;
    assert!(alone - alone_before <= most, "{} reads alone", alone - alone_before);
    world.running.stop().await.unwrap();
}
