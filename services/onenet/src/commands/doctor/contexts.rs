use std::collections::HashMap;

use onenet_chassis::{Context, check_topics, config::Settings, day::SystemClock, logs, tools};
use onenet_eventstore::{PgLog, Standing, Steps, standing};
use onenet_kafka::{Finding, Topics, examine};
use onenet_kernel::Clock as _;

use super::Report;
use crate::contexts;

/// Events that a reader may be behind before it is a finding.
const BEHIND: u64 = 1_000;
/// How far the clocks of this machine and of the database may be apart, in microseconds.
const APART: i64 = 1_000_000;
const LAG: &str = "docs/runbooks/lag.md";
const NOBODY: &str = "启动相应的进程 / start a process with that role: docs/runbooks/lag.md";

/// A context whose database could be looked at.
struct Seen {
    context: Context,
    log: PgLog,
    standing: Standing,
    /// This machine's clock less the database's, in microseconds.
    apart: i64,
}

/// What stands in the database and on Kafka.
pub(super) async fn look(report: &mut Report, settings: &Settings) {
    let mut seen = Vec::new();
    for context in contexts::all() {
        seen.extend(database(report, context, settings).await);
    }
    if let Some(first) = seen.first() {
        clocks(report, first.apart);
    }
    let mut heads = HashMap::new();
    for Seen { context, log, .. } in &seen {
        match log.head().await {
            Ok(head) => drop(heads.insert(context.name, head.number)),
            Err(error) => report.failed(context.name, &error, LAG),
        }
    }
    for one in &seen {
        followers(report, one, settings, &heads);
        parked(report, one);
        leases(report, one, settings);
    }
    if settings.kafka.is_none() {
        report.ok(
            "没有 Kafka / no Kafka: 业务域直接读取彼此的日志 / contexts read each other's logs",
        );
        return;
    }
    for one in &seen {
        kafka(report, one, settings).await;
    }
}

/// Reachable, durable, brought up to date, and with the rights it should have: else it is not opened.
async fn database(report: &mut Report, context: Context, settings: &Settings) -> Option<Seen> {
    let name = context.name;
    let logs = match logs(&context, settings).await {
        Ok(logs) => logs,
        Err(error) => {
            let advice =
                "按所述处理；结构缺失时 / as it says; for a missing schema: onenet migrate";
            report.failed(&format!("{name}: 数据库 / database"), &error, advice);
            return None;
        }
    };
    for (log, Steps { missing, unknown }) in &logs {
        let schema = log.db().schema();
        if !missing.is_empty() {
            let what = format!("{schema}: 结构过旧 / the schema lacks {}", missing.join(", "));
            report.wrong(&what, "onenet migrate");
        }
        if !unknown.is_empty() {
            let what = format!("{schema}: 结构较新 / the schema is newer: {}", unknown.join(", "));
            report.wrong(&what, "使用较新的程序 / run the newer program");
        }
    }
    let (log, _) = logs.into_iter().next()?;
    match standing(log.db()).await {
        Ok(standing) => {
            report.ok(&format!("{name}: 数据库 / database"));
            let apart = SystemClock.now().as_micros() - standing.now.as_micros();
            Some(Seen { context, log, standing, apart })
        }
        Err(error) => {
            report.failed(&format!("{name}: 数据库 / database"), &error, LAG);
            None
        }
    }
}

/// This machine's clock less the database's, in microseconds.
pub(super) fn clocks(report: &mut Report, apart: i64) {
    let ms = apart / 1_000;
    let what = format!("时钟 / clocks: 与数据库相差 / apart from the database by {ms} ms");
    if apart.abs() > APART {
        report.warn(&what, "校准两台机器的时钟 / set the clocks of both machines (NTP)");
    } else {
        report.ok(&what);
    }
}

fn topics(settings: &Settings, context: &str) -> Topics {
    let prefix = settings.kafka.as_ref().map(|kafka| kafka.prefix.clone()).unwrap_or_default();
    Topics { prefix, node: settings.node.name.clone(), context: context.to_owned() }
}

fn followers(
    report: &mut Report,
    Seen { context, standing, .. }: &Seen,
    settings: &Settings,
    heads: &HashMap<&str, u64>,
) {
    let is_embedded = settings.kafka.is_none();
    let mut sources: HashMap<String, u64> = heads
        .iter()
        .map(|(name, head)| {
            let topics = topics(settings, name);
            (if is_embedded { topics.embedded() } else { topics.events() }, *head)
        })
        .collect();
    sources.extend(heads.get(context.name).map(|head| ("log".to_owned(), *head)));
    let mut all_well = true;
    for one in &standing.followers {
        let name = format!("{}: {} ← {}", context.name, one.follower, one.source);
        let Some(head) = sources.get(&one.source) else {
            if is_embedded && !one.source.ends_with("without Kafka") {
                let what = format!(
                    "{name}: 曾使用 Kafka / it has read a topic, and the settings name no Kafka"
                );
                report.warn(&what, "恢复 kafka 设置 / name Kafka again: docs/decisions/0014");
                all_well = false;
            }
            continue;
        };
        let behind = head.saturating_sub(one.position);
        if behind > BEHIND {
            report.warn(&format!("{name}: 落后 / {behind} positions behind"), LAG);
        } else if !one.is_held {
            report.warn(&format!("{name}: 无进程处理 / no process follows"), NOBODY);
        } else {
            continue;
        }
        all_well = false;
    }
    if all_well {
        report.ok(&format!("{}: 跟随者 / followers", context.name));
    }
}

fn parked(report: &mut Report, Seen { context, standing, .. }: &Seen) {
    for (follower, state, count) in &standing.parked {
        let what =
            format!("{}: {follower}: 搁置 / {count} events are parked, {state}", context.name);
        let advice = format!("onenet dlq list {}: docs/runbooks/poison.md", context.name);
        if state == "poisoned" {
            report.wrong(&what, &advice);
        } else {
            report.warn(&what, &advice);
        }
    }
}

fn leases(report: &mut Report, Seen { context, standing, .. }: &Seen, settings: &Settings) {
    for (lease, is_held) in &standing.leases {
        let is_used = settings.kafka.is_some() || lease != "relay";
        if is_used && !is_held {
            let what = format!("{}: {lease}: 无进程持有 / no process does it", context.name);
            report.warn(&what, NOBODY);
        }
    }
}

async fn kafka(report: &mut Report, Seen { context, log, .. }: &Seen, settings: &Settings) {
    let name = context.name;
    if let Err(error) = check_topics(context, settings).await {
        let advice = "缺少主题时 / where a topic is missing: onenet migrate; 否则 / else docs/runbooks/restoring.md";
        report.failed(&format!("{name}: 主题 / topics"), &error, advice);
        return;
    }
    report.ok(&format!("{name}: 主题 / topics"));
    let examined = match tools(context, settings).await {
        Ok((_, Some(cluster), topics)) => examine(log, &cluster, &topics, |_| {}).await,
        Ok((_, None, _)) => return,
        Err(error) => return report.failed(name, &error, LAG),
    };
    let examined = match examined {
        Ok(examined) => examined,
        Err(error) => return report.failed(&format!("{name}: Kafka"), &error, LAG),
    };
    let (head, published) = (examined.head.number, examined.published.map_or(0, |at| at.number));
    let what = format!("{name}: 转发 / relay: 日志 / log {head}, 已发布 / published {published}");
    match examined.finding {
        Finding::Agree if head.saturating_sub(published) > BEHIND => report.warn(&what, LAG),
        Finding::Agree => report.ok(&what),
        Finding::Tail(_) | Finding::NoteLost | Finding::Gap(_) | Finding::Fork(_) => report.wrong(
            &format!("{what}: 不一致 / they disagree"),
            "停止全部进程 / stop every process, then onenet recover: docs/runbooks/restoring.md",
        ),
    }
}
