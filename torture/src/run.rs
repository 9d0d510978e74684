use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use fastrand::Rng;
use onenet_chassis::testing::uscc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    Report,
    asker::{Asker, new_id},
    checker::check,
    faults::{Fault, schedule, strike},
    history::Recorder,
    inspector::Inspector,
    load::Writer,
    node::Node,
    officer::Officer,
    readers,
    seen::Context,
    setup::{self, AGENCY, COUNTY},
    subscriber::{Inbox, subscribe},
};

/// Those who ask, by what they do. An officer mostly waits: for other contexts, and for the clock.
const WRITERS: u32 = 6;
const OFFICERS: u32 = 12;
const INSPECTORS: u32 = 2;
/// The last attempts of the writers end by themselves within this.
const ENDED_WITHIN: Duration = Duration::from_secs(30);

/// What is tortured, and how.
pub struct Torture<'a> {
    /// The executable whose processes are tortured.
    pub onenet: &'a Path,
    /// Where servers and settings go; it begins empty. Each process writes its lines to a file in it.
    pub folder: &'a Path,
    /// Decides what is asked and which fault comes when; when exactly either arrives is the machine's.
    pub seed: u64,
    /// How long it goes on; each kind of fault comes once, however long that takes.
    pub time: Duration,
}

impl Torture<'_> {
    /// Starts a node, asks and breaks, lets it come to rest and compares; `tell` hears of each fault. Nothing
    /// that was started is left when this answers or is dropped.
    pub async fn run(&self, tell: impl Fn(&str)) -> Result<Report> {
        let (mut chance, started) = (Rng::with_seed(self.seed), Instant::now());
        let mut node = Node::start(self.onenet, self.folder).await?;
        let (recorder, inbox) = (Arc::<Recorder>::default(), Arc::<Inbox>::default());
        let mut ids = chance.fork();
        let organ = setup::register(&node, &recorder, &mut || new_id(&mut ids)).await?;
        tell(&format!("已就绪 / ready: {:.1} s", started.elapsed().as_secs_f64()));

        let mut subscriber = JoinSet::new();
        let channel = node.caller(&uscc(AGENCY))?.channel(Context::Exchange)?;
        subscriber.spawn(subscribe(channel, Arc::clone(&inbox)));
        let (mut writers, stop) = (JoinSet::new(), CancellationToken::new());
        for number in 0..WRITERS + OFFICERS + INSPECTORS {
            let (caller, recorder) = (node.caller(&uscc(COUNTY))?, Arc::clone(&recorder));
            let asker = Asker::new(caller, recorder, chance.fork(), stop.clone());
            if number < WRITERS {
                writers.spawn(Writer::new(number, asker).run());
            } else if number < WRITERS + OFFICERS {
                writers.spawn(Officer::new(number, asker, organ.clone()).run());
            } else {
                writers.spawn(Inspector::new(number, asker, organ.clone()).run());
            }
        }
        let faults = self.strike(&mut node, chance, &tell).await?;
        stop.cancel();
        let ending = async { while writers.join_next().await.is_some() {} };
        tokio::time::timeout(ENDED_WITHIN, ending).await.context("a writer did not end")?;

        tell("静置并核对 / coming to rest, and comparing");
        let (seen, late) = readers::read(&node, &inbox).await?;
        let history = recorder.so_far();
        Ok(Report {
            seed: self.seed,
            time: self.time,
            faults,
            findings: check(&history, &seen),
            late,
            history,
            seen,
            resumed: inbox.breaks(),
        })
    }

    /// One fault after the other.
    async fn strike(
        &self,
        node: &mut Node,
        chance: Rng,
        tell: &impl Fn(&str),
    ) -> Result<BTreeMap<Fault, usize>> {
        let (began, mut faults) = (Instant::now(), BTreeMap::new());
        for planned in schedule(chance) {
            if began.elapsed() >= self.time && faults.len() == Fault::ALL.len() {
                break;
            }
            tokio::time::sleep(planned.pause).await;
            tell(&format!("{:>7.1} s  {}", began.elapsed().as_secs_f64(), planned.fault));
            strike(node, planned).await?;
            *faults.entry(planned.fault).or_default() += 1;
        }
        Ok(faults)
    }
}
