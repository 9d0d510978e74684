use std::{cmp::Ordering, collections::BTreeMap, fmt, time::Duration};

use crate::{
    checker::{FINDINGS, Finding},
    faults::Fault,
    history::{History, Outcome},
    seen::{Agency, Reader, Seen},
};

/// What was done to a node, and what came of it.
pub struct Report {
    /// Makes the same run again.
    pub seed: u64,
    /// How long it was to go on.
    pub time: Duration,
    /// How often each fault was injected.
    pub faults: BTreeMap<Fault, usize>,
    /// How many processes of the node were started, by the hours that their clock was ahead.
    pub clocks: BTreeMap<i64, usize>,
    /// What was asked, and what was answered.
    pub history: History,
    /// What each reader saw in the end.
    pub seen: Seen,
    /// How often each subscription was resumed.
    pub resumed: BTreeMap<Agency, u64>,
    /// What did not come to rest in time.
    pub late: Vec<String>,
    /// Broken promises.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether everything came to rest and no promise was broken.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.findings.is_empty() && self.late.is_empty()
    }

    fn asked(&self) -> [(&'static str, usize); 7] {
        let commands = || self.history.commands.values();
        let attempts = || commands().flat_map(|asked| &asked.attempts);
        let acknowledged = commands().filter(|asked| asked.receipt().is_some()).count();
        let refused = commands().filter(|asked| asked.was_refused()).count();
        let unanswered = |outcome: &&Outcome| **outcome == Outcome::Unanswered;
        [
            ("指令 / commands", commands().count()),
            ("  已确认 / acknowledged", acknowledged),
            ("  已拒绝 / refused", refused),
            ("  结果未知 / unknown", commands().count() - acknowledged - refused),
            ("发送次数 / attempts", attempts().count()),
            ("  未得答复 / unanswered", attempts().filter(unanswered).count()),
            ("凭回执查询 / reads as fresh as a receipt", self.history.reads.len()),
        ]
    }

    fn started(&self) -> [(&'static str, usize); 3] {
        let with = |ahead: Ordering| {
            self.clocks.iter().filter(|(hours, _)| hours.cmp(&&0) == ahead).map(|(_, it)| it).sum()
        };
        [
            ("时钟准的启动 / starts with a clock that agrees", with(Ordering::Equal)),
            ("时钟快的启动 / starts with a clock ahead", with(Ordering::Greater)),
            ("时钟慢的启动 / starts with a clock behind", with(Ordering::Less)),
        ]
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "种子 / seed {}, {} s", self.seed, self.time.as_secs())?;
        writeln!(f, "请求 / asked")?;
        for (what, count) in self.asked() {
            writeln!(f, "  {what}: {count}")?;
        }
        writeln!(f, "故障 / faults")?;
        for (fault, count) in &self.faults {
            writeln!(f, "  {fault}: {count}")?;
        }
        writeln!(f, "时钟 / clocks")?;
        for (what, count) in self.started() {
            writeln!(f, "  {what}: {count}")?;
        }
        writeln!(f, "所见 / seen")?;
        for (context, published) in &self.seen.contexts {
            let (log, topic) = (published.log.len(), published.topic.len());
            writeln!(f, "  {}: {log}", Reader::Log(*context))?;
            writeln!(f, "  {}: {topic}", Reader::Topic(*context))?;
        }
        let list = &self.seen.blacklist;
        for (what, count) in [
            (Reader::Feed.to_string(), self.seen.feed.events.len()),
            (Reader::Projection.to_string(), self.seen.projection.len()),
            ("列入 / listed".to_owned(), list.listed()),
            ("移出 / removed".to_owned(), list.removed()),
            ("  期满移出 / by the end of the term".to_owned(), list.expired.len()),
            (Reader::Listings.to_string(), list.listings.len()),
            (Reader::Blacklist.to_string(), list.records.len()),
            (Reader::Entry.to_string(), list.entries.len()),
            (Reader::Check.to_string(), list.checks.len()),
            ("确认 / acknowledgements".to_owned(), list.acknowledged.len()),
            ("对账 / comparisons".to_owned(), self.history.reconciled.len()),
        ] {
            writeln!(f, "  {what}: {count}")?;
        }
        for (&agency, own) in &self.seen.subscriptions {
            let reader = Reader::Subscription(agency);
            let reduced = own.delivered.iter().filter(|delivered| delivered.is_reduced).count();
            let revoked = own.grants.iter().filter(|grant| grant.revoked.is_some()).count();
            let resumed = self.resumed.get(&agency).copied().unwrap_or_default();
            writeln!(f, "  {reader}: {}", own.delivered.len())?;
            writeln!(f, "    减略更正 / reduced corrections: {reduced}")?;
            writeln!(f, "    授权撤回 / grants revoked: {revoked}")?;
            writeln!(
                f,
                "    筛选变更 / changes of filter: {}",
                own.wishes.len().saturating_sub(1)
            )?;
            writeln!(f, "    续接 / resumed: {resumed}")?;
            let replaced = own.certificates.iter().filter(|it| it.replaced.is_some()).count();
            if replaced > 0 {
                let refused = own.knocks.iter().filter(|knock| !knock.is_let_in).count();
                writeln!(f, "    证书更换 / certificates replaced: {replaced}")?;
                writeln!(f, "    凭旧证书被拒 / refused for a certificate: {refused}")?;
            }
        }
        writeln!(f, "结果 / result")?;
        for late in &self.late {
            writeln!(f, "  {late}")?;
        }
        for finding in &self.findings {
            writeln!(f, "  {finding}")?;
        }
        let count = |name| self.findings.iter().filter(|finding| finding.name() == name).count();
        let counts = FINDINGS.map(|name| format!("{} {name}", count(name)));
        write!(f, "  {}", counts.join(", "))
    }
}
