//! The contract of sources, over the log and over one that hands it out as badly as a source may:
//! hashed into partitions, interleaved, redelivered, paused.

use std::collections::BTreeMap;

use onenet_eventstore::{
    Checkpoint, Delivery, LogSource, PgLog, Source, SourceError, testing::sources::SourceSuite,
};

use crate::support::{SCHEMA, scratch};

const PARTITIONS: i32 = 3;

struct Scrambled {
    log: PgLog,
    /// Where each assigned partition goes on.
    next: BTreeMap<i32, i64>,
    seed: u64,
}

impl Scrambled {
    fn new(log: PgLog, seed: u64) -> Self {
        Self { log, next: BTreeMap::new(), seed }
    }

    /// A number below `below`; the same run for the same seed.
    fn chance(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.seed >> 33) % below
    }
}

fn partition_of(subject: &str) -> i32 {
    let sum: u32 = subject.bytes().map(u32::from).sum();
    i32::try_from(sum % 3).unwrap()
}

impl Source for Scrambled {
    type Backlog = PgLog;

    fn backlog(&self) -> PgLog {
        self.log.clone()
    }

    fn name(&self) -> &'static str {
        "scrambled"
    }

    fn crosses(&self) -> bool {
        true
    }

    async fn partitions(&mut self) -> Result<Vec<i32>, SourceError> {
        Ok((0..PARTITIONS).collect())
    }

    async fn assign(&mut self, partitions: &[(i32, Checkpoint)]) -> Result<(), SourceError> {
        self.next = partitions.iter().map(|(partition, at)| (*partition, at.next_offset)).collect();
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<Delivery>, SourceError> {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        // a pause, in which nothing is handed out although there is something
        if self.chance(4) == 0 {
            return Ok(Vec::new());
        }
        let mut lanes: BTreeMap<i32, Vec<Delivery>> = BTreeMap::new();
        for event in self.log.read(0, 100_000).await.unwrap() {
            let partition = partition_of(&event.key.subject);
            let next_offset = i64::try_from(event.position.number).unwrap();
            // now and then from a little before: what was handed out comes again
            let again = i64::try_from(self.chance(8)).unwrap();
            if self.next.get(&partition).is_some_and(|next| next_offset > next - again) {
                lanes.entry(partition).or_default().push(Delivery {
                    partition,
                    next_offset,
                    event,
                });
            }
        }
        let mut handed_out = Vec::new();
        while handed_out.len() < 40 && lanes.values().any(|lane| !lane.is_empty()) {
            let lane = i32::try_from(self.chance(3)).unwrap();
            let Some(lane) = lanes.get_mut(&lane).filter(|lane| !lane.is_empty()) else { continue };
            let delivery = lane.remove(0);
            let next = self.next.entry(delivery.partition).or_default();
            *next = delivery.next_offset.max(*next);
            handed_out.push(delivery);
        }
        Ok(handed_out)
    }
}

#[tokio::test]
async fn the_log_keeps_the_contract_of_sources() {
    let (scratch, log) = scratch().await;
    let suite = SourceSuite { scratch: &scratch, schema: SCHEMA, log: &log };
    suite.run(|| async { Ok(LogSource::new(log.clone())) }).await.unwrap();
}

#[tokio::test]
async fn a_scrambled_source_is_put_in_order_by_the_follower() {
    let (scratch, log) = scratch().await;
    let suite = SourceSuite { scratch: &scratch, schema: SCHEMA, log: &log };
    suite.run(|| async { Ok(Scrambled::new(log.clone(), 7)) }).await.unwrap();
}
