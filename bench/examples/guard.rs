//! One hot path, gone along so often as it is told: `bench/guard` counts the instructions in [`measured`].
//!
//! ```sh
//! guard --list
//! guard relay 1280
//! ```

use std::{env, hint::black_box, io::Write as _, ops::Range, time::Duration};

use anyhow::{Result, bail, ensure};
use futures::future::try_join_all;
use jiff::civil::date;
use onenet_bench::{PAYLOAD, append_one};
use onenet_chassis::testing::{elsewhere::recorded, uscc};
use onenet_enterprise::domain::{Enterprise, EnterpriseCommand, EnterpriseEntry, EnterpriseKind};
use onenet_eventstore::{
    PgLog,
    testing::{Scratch, cause, event, new_id},
};
use onenet_exchange::{
    domain::{Grant, GrantTerms},
    feed::{FeedEvent, Filter, Snapshot},
};
use onenet_kafka::{Topics, events_only};
use onenet_kernel::{Key, NewEvent, Recorded, StreamId, execute};
use onenet_proto::exchange::v1::{Batch, SubscribeResponse, subscribe_response::Message};
use onenet_standards::Uscc;
use prost::Message as _;
use tokio::{
    runtime::{self, Runtime},
    time::timeout,
};

const PATHS: [&str; 5] = ["decide", "batch", "relay", "filter", "write"];
/// Commands that wait together, and events of one message.
const TOGETHER: u32 = 64;
/// Gone before the count begins: connections are opened, caches are filled.
const BEFORE: u32 = 10 * TOGETHER;
const AGENCY: u32 = 2;
const TYPE: &str = "onenet.hazard.v1.MajorHazardFiled";

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [path, count] = &words[..] else {
        return Ok(writeln!(std::io::stdout(), "{}", PATHS.join("\n"))?);
    };
    let count: u32 = count.parse()?;
    // one thread: its instructions are the same each time
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let paths = runtime.block_on(Paths::open())?;
    runtime.block_on(paths.go(path, 0..BEFORE))?;
    measured(&runtime, &paths, path, BEFORE..BEFORE + count)
}

/// Counting begins and ends with this function.
#[inline(never)]
fn measured(runtime: &Runtime, paths: &Paths, path: &str, times: Range<u32>) -> Result<()> {
    runtime.block_on(paths.go(path, times))
}

/// What the paths lead along.
struct Paths {
    log: PgLog,
    topics: Topics,
    row: Recorded,
    fed: FeedEvent,
    rights: Snapshot,
    agency: String,
}

impl Paths {
    async fn open() -> Result<Self> {
        let scratch = Scratch::create(onenet_devservers::shared_postgres()?).await?;
        let terms = GrantTerms {
            event_types: vec![TYPE.to_owned()],
            subtree: "41".to_owned(),
            industries: vec!["26".to_owned()],
            purpose: "行业监管".to_owned(),
            legal_basis: "政务数据共享条例".to_owned(),
            from: date(2020, 1, 1),
            to: None,
        };
        let agency = uscc(AGENCY);
        let (id, given_by) = (new_id(), uscc(1).parse()?);
        let grant = Grant { id, agency: agency.parse()?, terms, given_by };
        let chain = ["410102", "4101", "41"].map(str::to_owned).into();
        let log = scratch.log("bench", &[]).await?;
        timeout(Duration::from_secs(30), told(&log)).await??;
        Ok(Self {
            log,
            topics: Topics {
                prefix: String::new(),
                node: "henan".to_owned(),
                context: "enterprise".to_owned(),
            },
            row: row(),
            fed: FeedEvent::new(row(), chain, "henan"),
            rights: Snapshot::new([], [], [grant]),
            agency,
        })
    }

    async fn go(&self, path: &str, times: Range<u32>) -> Result<()> {
        match path {
            "decide" => self.decide(times).await?,
            "batch" => self.batch(times).await?,
            "relay" => self.relay(times)?,
            "filter" => self.filter(times)?,
            "write" => self.write(times),
            _ => bail!("there is no path {path}"),
        }
        Ok(())
    }

    /// The same as [`batch`](Self::batch) with what is in front of it: commands decided, folded, written as
    /// protobuf. One by one, the log's hints to other processes would count as well, and these go by the clock.
    async fn decide(&self, times: Range<u32>) -> Result<()> {
        let by: Uscc = uscc(1).parse()?;
        for first in times.step_by(TOGETHER as usize) {
            let commands = (first..first + TOGETHER).map(async |serial| {
                let enterprise = enterprise(serial)?;
                let stream = StreamId::new("enterprise", enterprise.uscc.as_str());
                let command = EnterpriseCommand::Register { enterprise, by: by.clone() };
                let cause = cause(new_id());
                execute::<EnterpriseEntry>(&self.log, &stream, None, &command, &cause).await?;
                anyhow::Ok(())
            });
            try_join_all(commands).await?;
        }
        Ok(())
    }

    /// Commands that wait together, made into one statement and answered; counted per command.
    async fn batch(&self, times: Range<u32>) -> Result<()> {
        for _ in times.step_by(TOGETHER as usize) {
            try_join_all((0..TOGETHER).map(|_| append_one(&self.log))).await?;
        }
        Ok(())
    }

    /// An event made a record.
    fn relay(&self, times: Range<u32>) -> Result<()> {
        for _ in times {
            black_box(events_only(&self.topics, black_box(&self.row))?);
        }
        Ok(())
    }

    /// Whether an event may and is to be sent to a subscriber.
    fn filter(&self, times: Range<u32>) -> Result<()> {
        let (wanted, today) = (Filter::default(), date(2026, 11, 24));
        for _ in times {
            let event = black_box(&self.fed);
            let may = self.rights.may_receive(&self.agency, event, today);
            ensure!(may && wanted.passes(event), "the grant opens the event");
        }
        Ok(())
    }

    /// Events made a message for one subscriber; counted per event.
    fn write(&self, times: Range<u32>) {
        for _ in times.step_by(TOGETHER as usize) {
            let event = black_box(&self.fed);
            let deliveries = (1..=TOGETHER).map(|n| event.delivery(n.into())).collect();
            let message = Message::Batch(Batch { deliveries, resume_token: String::new() });
            black_box(SubscribeResponse { message: Some(message) }.encode_to_vec());
        }
    }
}

/// Appends until another process would have heard of it. The log opens a connection to tell it, which takes as many
/// instructions as two hundred appends and so must not happen while these are counted.
async fn told(log: &PgLog) -> Result<()> {
    let elsewhere = PgLog::open(log.db().clone()).await?;
    while *elsewhere.hints().borrow() == 0 {
        append_one(log).await?;
        elsewhere.grown(0, Duration::from_millis(100)).await;
    }
    Ok(())
}

fn enterprise(serial: u32) -> Result<Enterprise> {
    Ok(Enterprise {
        uscc: uscc(serial).parse()?,
        name: "某化工有限公司".to_owned(),
        kind: EnterpriseKind::Unit,
        division: "410102".to_owned(),
        industry: "2614".to_owned(),
        address: "x".repeat(500),
    })
}

fn payload() -> NewEvent {
    event("s", &"x".repeat(PAYLOAD))
}

fn row() -> Recorded {
    let said = payload();
    let key = Key { industry: "2614".to_owned(), ..said.key };
    let filed = NewEvent { event_type: TYPE.into(), key, ..said };
    recorded(StreamId::from_stored("hazard/major_hazard-1".to_owned()), filed)
}
