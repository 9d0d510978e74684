use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use fastrand::Rng;
use onenet_chassis::{config::Validity, day::SystemClock, testing::uscc};
use onenet_kernel::{Clock as _, Timestamp};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    Report,
    asker::{Asker, new_id},
    certificates::Certificates,
    checker::check,
    faults::{Fault, schedule, strike},
    history::Recorder,
    inbox::{Inbox, Inboxes},
    inspector::{Inspector, Site},
    load::{self, Plants, Writer},
    names::Names,
    node::{Node, TERM},
    officer::Officer,
    platform::Platform,
    province::Province,
    readers::{self, Growth},
    rights::Scope,
    scopes::{granted, wanted},
    seen::Agency,
    setup::{
        self, AGENCY, CHANGING, COUNTY, INDUSTRIES, Known, OTHER_COUNTY, OTHER_PLACE, PLACE,
        PLATFORM, PROVINCE, serial,
    },
    subscriber::Subscriber,
    terms::{Disturbance, Rights},
};

/// Those who ask, by what they do. An officer mostly waits: for other contexts, and for the clock.
const WRITERS: u32 = 6;
const OFFICERS: u32 = 12;
const INSPECTORS: u32 = 6;
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
        let mut node =
            Node::start(self.onenet, self.folder, self.validity(), chance.fork()).await?;
        let recorder = Arc::<Recorder>::default();
        let mut ids = chance.fork();
        let known = setup::register(&node, &recorder, &mut || new_id(&mut ids)).await?;
        tell(&format!("已就绪 / ready: {:.1} s", started.elapsed().as_secs_f64()));

        let (inboxes, _subscribers) = subscribe(&node, recorder.names(), &mut chance)?;
        let (rights, stop) = (Arc::<Rights>::default(), CancellationToken::new());
        let asker = |of, chance| {
            Ok(Asker::new(node.caller(&uscc(of))?, Arc::clone(&recorder), chance, stop.clone()))
        };
        let mut writers = ask(asker, &known, &rights, &mut chance)?;
        let platform = asker(PLATFORM, chance.fork())?;
        writers.spawn(Platform::new(platform, &node, known.platform)?.run());
        if let Some(inbox) = inboxes.get(&Agency::Steady) {
            let (asker, inbox) = (asker(PROVINCE, chance.fork())?, Arc::clone(inbox));
            let certificates = node.certificates(&uscc(AGENCY))?;
            let certificates =
                Certificates::new(asker, AGENCY, certificates, inbox, Arc::clone(&rights));
            writers.spawn(certificates.run());
        }
        let rest = chance.fork();
        let (faults, mut disturbed) = self.strike(&mut node, chance, &tell).await?;
        stop.cancel();
        let ending = async { while writers.join_next().await.is_some() {} };
        tokio::time::timeout(ENDED_WITHIN, ending).await.context("a writer did not end")?;

        tell("列入期满 / the terms of listings end");
        let from = SystemClock.now();
        node.let_terms_end()?;
        disturbed.push((from, SystemClock.now()));

        tell("静置并核对 / coming to rest, and comparing");
        let caller = node.caller(&uscc(COUNTY))?;
        let asker = Asker::new(caller, Arc::clone(&recorder), rest, CancellationToken::new());
        let plants = Plants::of(WRITERS + OFFICERS + INSPECTORS);
        let mut growth = Growth { asker, plants };
        let (mut seen, late) =
            readers::read(&node, &inboxes, recorder.names(), &mut growth).await?;
        for (agency, own) in &mut seen.subscriptions {
            (own.grants, own.certificates) = rights.of(*agency, &disturbed);
        }
        let history = recorder.take();
        Ok(Report {
            seed: self.seed,
            time: self.time,
            faults,
            clocks: node.clocks(),
            findings: check(&history, &seen),
            late,
            history,
            seen,
            resumed: inboxes.into_iter().map(|(agency, inbox)| (agency, inbox.breaks())).collect(),
        })
    }

    /// Certificates are good for no longer than it takes: most clocks that disagree lie outside.
    fn validity(&self) -> Validity {
        let (now, hour) = (SystemClock.now().as_micros(), 3_600_000_000);
        let time = i64::try_from(self.time.as_micros()).unwrap_or(i64::MAX);
        let until = now.saturating_add(time).saturating_add((TERM + 12) * hour);
        Validity { from: Timestamp::from_micros(now - hour), until: Timestamp::from_micros(until) }
    }

    /// One fault after the other.
    async fn strike(
        &self,
        node: &mut Node,
        chance: Rng,
        tell: &impl Fn(&str),
    ) -> Result<(BTreeMap<Fault, usize>, Vec<Disturbance>)> {
        let (began, mut faults, mut disturbed) = (Instant::now(), BTreeMap::new(), Vec::new());
        for planned in schedule(chance) {
            if began.elapsed() >= self.time && faults.len() == Fault::ALL.len() {
                break;
            }
            tokio::time::sleep(planned.pause).await;
            tell(&format!("{:>7.1} s  {}", began.elapsed().as_secs_f64(), planned.fault));
            let from = SystemClock.now();
            strike(node, planned).await?;
            if planned.fault.keeps_from_the_database() {
                disturbed.push((from, SystemClock.now()));
            }
            *faults.entry(planned.fault).or_default() += 1;
        }
        Ok((faults, disturbed))
    }
}

/// Both agencies subscribe, until what is answered beside their inboxes is dropped.
fn subscribe(node: &Node, names: &Arc<Names>, chance: &mut Rng) -> Result<(Inboxes, JoinSet<()>)> {
    let (mut inboxes, mut subscribers) = (Inboxes::new(), JoinSet::new());
    for (agency, wishes) in [
        (Agency::Steady, vec![Scope::default()]),
        (Agency::Changing, wanted(load::first(WRITERS + OFFICERS))),
    ] {
        let (_, channels) = node.certificates(&uscc(serial(agency)))?;
        let inbox = Arc::new(Inbox::new(Arc::clone(names)));
        inboxes.insert(agency, Arc::clone(&inbox));
        subscribers.spawn(Subscriber::new(channels.to_vec(), inbox, chance.fork(), wishes).run());
    }
    Ok((inboxes, subscribers))
}

/// Everybody asks, in the name of the county's bureau, of the province's, or of a plant.
fn ask(
    asker_of: impl Fn(u32, Rng) -> Result<Asker>,
    Known { organ, other_organ, .. }: &Known,
    rights: &Arc<Rights>,
    chance: &mut Rng,
) -> Result<JoinSet<()>> {
    let mut writers = JoinSet::new();
    for number in 0..WRITERS + OFFICERS + INSPECTORS {
        let inspects = number >= WRITERS + OFFICERS;
        // half of the inspectors are the other county's
        let (county, organ, division) = if inspects && number % 2 == 1 {
            (OTHER_COUNTY, other_organ, OTHER_PLACE)
        } else {
            (COUNTY, organ, PLACE)
        };
        let asker = asker_of(county, chance.fork())?;
        if number < WRITERS {
            writers.spawn(Writer::new(number, asker).run());
        } else if inspects {
            let (serial, industry) = (load::first(number), INDUSTRIES[number as usize % 3]);
            let site = Site { serial, division, industry };
            let plant = asker_of(serial, chance.fork())?;
            writers.spawn(Inspector::new(asker, plant, site, organ.clone()).run());
        } else {
            writers.spawn(Officer::new(number, asker, organ.clone()).run());
        }
    }
    let (asker, rights) = (asker_of(PROVINCE, chance.fork())?, Arc::clone(rights));
    writers.spawn(Province::new(asker, CHANGING, granted(), rights).run());
    Ok(writers)
}
