use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use onenet_chassis::{config::Settings, open_log, view::decode};
use onenet_eventstore::{DbError, PgLog, is_incomplete, sqlx, wait_until_handled};
use onenet_proto::credit::v1::{
    BlacklistEntry, BlacklistRecord, Listing, ListingLevel, Measure, MeasureEffect, MeasureField,
    SubjectKind, blacklist_record::State,
};
use serde_json::Value;

use super::lines::{Field, Lines};
use crate::cli::{ExportTo, complain};

/// How long the read model may take to catch up with the log.
const CURRENT_WITHIN: Duration = Duration::from_secs(10);
/// The follower that keeps the list.
const FOLLOWER: &str = "read_model";

/// Every measure in force, from the context's read model: it is there with and without Kafka.
pub(super) async fn export(settings: &Settings, to: &ExportTo) -> Result<()> {
    let log = open_log(settings, "credit").await?;
    is_current(&log).await?;
    let mut lines = Lines::begin(to)?;
    let mut count = 0;
    for (subject, view) in records(&log).await? {
        let record: BlacklistRecord =
            decode(&view).with_context(|| format!("reading the entry of {subject}"))?;
        let Some(State::Entry(entry)) = record.state else { continue };
        for fields in rows(&entry) {
            lines.write(&fields)?;
            count += 1;
        }
    }
    lines.flush()?;
    complain(&format!("已导出 {count} 项措施 / measures were written"));
    Ok(())
}

/// A list that leaves somebody out, or keeps somebody on it, is worse than none.
async fn is_current(log: &PgLog) -> Result<()> {
    let head = log.head().await?;
    let is_handled = wait_until_handled(log.db(), FOLLOWER, head, CURRENT_WITHIN).await?;
    ensure!(
        !is_incomplete(log.db(), &[FOLLOWER], None).await?,
        "名单不完整 / the list is incomplete, events are parked: onenet dlq list credit; \
         docs/runbooks/poison.md"
    );
    let head = head.number;
    ensure!(
        is_handled,
        "名单滞后 / the list is behind: it has not reached {head}; docs/runbooks/lag.md"
    );
    complain(&format!("至少截至位置 / at least as of position {head}"));
    Ok(())
}

/// All of them at one moment.
async fn records(log: &PgLog) -> Result<Vec<(String, Vec<u8>)>, DbError> {
    sqlx::query_as("select subject, view from blacklist order by subject")
        .fetch_all(&mut *log.db().reader().await?)
        .await
        .map_err(DbError::while_("reading the blacklist"))
}

/// One for each measure; a listing without measures has one all the same.
fn rows(entry: &BlacklistEntry) -> Vec<Vec<Field>> {
    let mut rows = Vec::new();
    for listing in &entry.in_force {
        rows.extend(listing.measures.iter().map(|measure| row(entry, listing, Some(measure))));
        if listing.measures.is_empty() {
            rows.push(row(entry, listing, None));
        }
    }
    rows
}

fn row(entry: &BlacklistEntry, listing: &Listing, measure: Option<&Measure>) -> Vec<Field> {
    let text = |text: &str| Value::from(text);
    let of = |part: fn(&Measure) -> &str| measure.map_or(Value::Null, |m| part(m).into());
    vec![
        ("subject", "主体 / subject", text(&entry.subject)),
        ("name", "名称 / name", text(&entry.name)),
        ("kind", "主体类别 / kind", text(kind(entry.kind()))),
        ("listing_id", "列入标识 / listing", text(&listing.listing_id)),
        ("level", "名单类别 / level", text(level(listing.level()))),
        ("rule_set", "规则 / rule set", text(&listing.rule_set)),
        ("trigger", "列入情形 / trigger", text(&listing.trigger)),
        ("penalty_organ", "处罚机关 / penalty organ", text(&listing.penalty_organ)),
        (
            "penalty_document_number",
            "处罚文号 / penalty document",
            text(&listing.penalty_document_number),
        ),
        ("decision_organ", "列入机关 / decision organ", text(&listing.decision_organ)),
        (
            "decision_document_number",
            "列入文号 / decision document",
            text(&listing.decision_document_number),
        ),
        ("decided_on", "决定日期 / decided on", text(&listing.decided_on)),
        ("listed_on", "列入日期 / listed on", text(&listing.listed_on)),
        ("expires_on", "期满次日 / first day after the term", text(&listing.expires_on)),
        ("field", "惩戒领域 / field", of(|measure| field(measure.field()))),
        ("effect", "惩戒方式 / effect", of(|measure| effect(measure.effect()))),
        ("legal_basis", "法律依据 / legal basis", of(|measure| &measure.legal_basis)),
        ("executing_organ", "执行机关 / executing organ", of(|measure| &measure.executing_organ)),
    ]
}

fn kind(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Unspecified => "",
        SubjectKind::Unit => "生产经营单位",
        SubjectKind::Institution => "安全评价、认证、检测、检验机构",
    }
}

fn level(level: ListingLevel) -> &'static str {
    match level {
        ListingLevel::Unspecified => "",
        ListingLevel::SeriouslyDishonest => "严重失信主体",
    }
}

fn field(field: MeasureField) -> &'static str {
    match field {
        MeasureField::Unspecified => "",
        MeasureField::Financing => "企业投融资",
        MeasureField::GovernmentProcurement => "政府采购",
        MeasureField::Tendering => "工程招投标",
        MeasureField::StateLand => "国有土地出让",
        MeasureField::Honours => "荣誉授予",
        MeasureField::Qualification => "资质审核",
    }
}

fn effect(effect: MeasureEffect) -> &'static str {
    match effect {
        MeasureEffect::Unspecified => "",
        MeasureEffect::Restrict => "限制",
        MeasureEffect::Forbid => "禁止",
    }
}
