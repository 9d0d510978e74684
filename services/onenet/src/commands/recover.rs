use anyhow::{Context as _, Result, bail, ensure};
use onenet_chassis::{
    Context,
    config::{Settings, role},
    tools,
};
use onenet_eventstore::{LogOwner, PgLog, carry_checkpoints, sessions};
use onenet_kafka::{Examined, Finding, RelayPlace, Topics, examine};

use crate::{
    cli::{Recover, complain, say},
    contexts,
};

/// Events put back by one transaction.
const PAGE: usize = 1_000;
/// Events between two lines of progress.
const TELL_EVERY: usize = 100_000;
const SEE: &str = "见 / see docs/runbooks/restoring.md";

/// One context's log after the restore.
struct Case {
    context: Context,
    log: PgLog,
    travel: Option<Travel>,
}

/// How its topic stands to the log, and the relay's place while something is done.
struct Travel {
    place: Option<RelayPlace>,
    examined: Examined,
}

/// Brings a restored database and Kafka together again, or says what that would take.
pub(crate) async fn run(options: Recover) -> Result<()> {
    let settings = Settings::read(&options.settings.config)?;
    let owner_url = settings.owner_url()?;
    check_prefix(&settings, options.from_prefix.as_deref())?;
    if options.apply {
        nobody_lives(&owner_url).await?;
    }
    let mut cases = Vec::new();
    for context in contexts::all() {
        let case = Case::open(context, &settings, &options).await?;
        say(&case.says(options.raise_epoch));
        cases.push(case);
    }
    decide(&cases, options.raise_epoch)?;
    if options.raise_epoch {
        new_topics_are_empty(&cases, &settings).await?;
    }
    if !options.apply {
        say("未作任何更改 / nothing was changed; --apply 执行 / does it");
        return Ok(());
    }
    let mut logs = Vec::new();
    for case in cases {
        logs.push(case.recover(&owner_url).await?);
    }
    raise_further(&owner_url).await?;
    if let Some(before) = &options.from_prefix {
        carry(&logs, &settings, before).await?;
    }
    say("完成 / done. 依次启动 / start in this order: relay, project, react, clock, api");
    Ok(())
}

/// New topics under the old name would tell two histories.
fn check_prefix(settings: &Settings, before: Option<&str>) -> Result<()> {
    let Some(before) = before else { return Ok(()) };
    let kafka = settings.kafka.as_ref().context("these settings name no Kafka")?;
    ensure!(
        kafka.prefix != before,
        "kafka.prefix 仍为旧值 / kafka.prefix is still {before:?}: name a new one in the settings, and run \
         `onenet migrate`; {SEE}"
    );
    Ok(())
}

/// Every role of the node: of contexts, and of the further logs they keep.
fn roles() -> Vec<String> {
    let contexts = contexts::all();
    let schemas = contexts.iter().flat_map(|context| {
        std::iter::once(context.name).chain(context.further_logs.iter().copied())
    });
    schemas.map(role).collect()
}

async fn nobody_lives(owner_url: &str) -> Result<()> {
    let live = sessions(owner_url, &roles()).await?;
    let names: Vec<&str> = live.iter().map(|(role, _)| role.as_str()).collect();
    ensure!(
        names.is_empty(),
        "节点仍在运行 / processes of the node are connected as {}: stop them all first; {SEE}",
        names.join(", ")
    );
    Ok(())
}

/// Nothing is begun that could not be brought to its end.
fn decide(cases: &[Case], may_raise: bool) -> Result<()> {
    let found = |is: fn(&Finding) -> bool| {
        let travels = cases.iter().filter_map(|case| case.travel.as_ref());
        travels.filter(|travel| is(&travel.examined.finding)).count()
    };
    if found(|finding| matches!(finding, Finding::Fork(_))) > 0 {
        bail!(
            "日志与主题历史不一致 / a log tells another history than its topic: something was appended after \
             the restore. Restore the backup again and start nothing before this command; {SEE}"
        );
    }
    if found(|finding| matches!(finding, Finding::Gap(_))) > 0 && !may_raise {
        bail!(
            "主题无法补回缺失部分 / a topic cannot give back what is missing: restore to a later moment, or \
             give it up with --raise-epoch; {SEE}"
        );
    }
    Ok(())
}

async fn new_topics_are_empty(cases: &[Case], settings: &Settings) -> Result<()> {
    for case in cases {
        let (log, cluster, topics) = tools(&case.context, settings).await?;
        let cluster = cluster.context("these settings name no Kafka")?;
        let examined = examine(&log, &cluster, &topics, |_| {}).await?;
        ensure!(
            examined.published.is_none() && matches!(examined.finding, Finding::Agree),
            "{} 不是空的新主题 / is no new, empty topic: run `onenet migrate` with the new prefix; {SEE}",
            topics.events()
        );
    }
    Ok(())
}

impl Case {
    async fn open(context: Context, settings: &Settings, options: &Recover) -> Result<Self> {
        let (log, cluster, mut topics) = tools(&context, settings).await?;
        let Some(cluster) = cluster else {
            return Ok(Self { context, log, travel: None });
        };
        if let Some(before) = &options.from_prefix {
            topics.prefix.clone_from(before);
        }
        // what a dead relay left open is ended before the topic is read, and a living one is fenced
        let place = if options.apply {
            Some(RelayPlace::take(&log, &cluster, &topics).await?)
        } else {
            None
        };
        let name = context.name;
        let tell = move |count| complain(&format!("{name}: 已读 / read {count}"));
        let examined = examine(&log, &cluster, &topics, tell).await?;
        Ok(Self { context, log, travel: Some(Travel { place, examined }) })
    }

    fn says(&self, may_raise: bool) -> String {
        let name = self.context.name;
        let Some(Travel { examined, .. }) = &self.travel else {
            return format!("{name}: 没有 Kafka / no Kafka, 无可补回 / nothing can be put back");
        };
        let published =
            examined.published.map_or_else(|| "—".to_owned(), |at| at.number.to_string());
        let found = match &examined.finding {
            Finding::Agree => "一致 / they agree".to_owned(),
            Finding::NoteLost => {
                "补写已发布位置 / the note of what is published is written".to_owned()
            }
            Finding::Tail(tail) => {
                let ends = tail.first().zip(tail.last());
                let [from, upto] = ends.map_or([0; 2], |(first, last)| {
                    [first, last].map(|event| event.position.number)
                });
                format!("补回 {} 个事件 / events are put back: {from}–{upto}", tail.len())
            }
            Finding::Gap(what) if may_raise => format!(
                "放弃其后部分，提升纪元 / what lay beyond is given up and the epoch raised ({what})"
            ),
            Finding::Gap(what) => format!("无法补回 / cannot be put back: {what}"),
            Finding::Fork(what) => format!("历史不一致 / another history: {what}"),
        };
        format!(
            "{name}: 日志 / log {}, 已发布 / published {published}: {found}",
            examined.head.number
        )
    }

    /// Answers the log, whose place at Kafka is free again.
    async fn recover(self, owner_url: &str) -> Result<(&'static str, PgLog)> {
        let name = self.context.name;
        let Some(Travel { place, examined, .. }) = self.travel else { return Ok((name, self.log)) };
        let mut owner = LogOwner::connect(owner_url, name).await?;
        match &examined.finding {
            Finding::Tail(tail) => {
                let mut done = 0;
                for page in tail.chunks(PAGE) {
                    owner.reappend(page).await?;
                    done += page.len();
                    if done % TELL_EVERY == 0 {
                        complain(&format!("{name}: 已补回 / put back {done} of {}", tail.len()));
                    }
                }
                say(&format!("{name}: 已补回 {done} 个事件 / events were put back"));
            }
            Finding::Gap(_) => raise(&mut owner, name).await?,
            Finding::Agree | Finding::NoteLost | Finding::Fork(_) => {}
        }
        if let Some(place) = place
            && !matches!(examined.finding, Finding::Gap(_))
        {
            place.settle(&examined).await.with_context(|| {
                format!("{name}: 另有转发进程在运行 / another relay publishes this log; {SEE}")
            })?;
        }
        Ok((name, self.log))
    }
}

/// Logs without a topic cannot be told from what they were: what is appended from now on is another epoch's.
async fn raise_further(owner_url: &str) -> Result<()> {
    for schema in contexts::all().iter().flat_map(|context| context.further_logs) {
        raise(&mut LogOwner::connect(owner_url, schema).await?, schema).await?;
    }
    Ok(())
}

async fn raise(owner: &mut LogOwner, schema: &str) -> Result<()> {
    match owner.raise_epoch().await? {
        Some(raised) => say(&format!(
            "{schema}: 纪元已提升 / the epoch is raised to {}, 自位置 {} 之后 / above position {}",
            raised.epoch, raised.above, raised.above
        )),
        None => say(&format!("{schema}: 纪元此前已提升 / the epoch was raised before")),
    }
    Ok(())
}

/// Followers go on in the new topics where they stood in the old ones.
async fn carry(logs: &[(&'static str, PgLog)], settings: &Settings, before: &str) -> Result<()> {
    let kafka = settings.kafka.as_ref().context("these settings name no Kafka")?;
    for (context, followed) in logs {
        let node = settings.node.name.clone();
        let now = Topics { prefix: kafka.prefix.clone(), node, context: (*context).to_owned() };
        let old = Topics { prefix: before.to_owned(), ..now.clone() };
        let head = followed.head().await?.number;
        for (_, follower) in logs {
            let (old, now) = (old.events(), now.events());
            carry_checkpoints(follower.db(), &old, &now, kafka.partitions, head).await?;
        }
    }
    Ok(())
}
