use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use onenet_chassis::{config::Settings, day, tools};
use onenet_eventstore::{PgLog, ReadAhead};
use onenet_kafka::{Topics, encode};
use onenet_kernel::{Recorded, Timestamp};
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value;

use super::lines::{Field, Lines};
use crate::{
    cli::{ExportEvents, complain},
    contexts,
};

/// Events read at once.
const PAGE: u32 = 1_000;
/// Positions between two lines of progress.
const TELL_EVERY: u64 = 100_000;

/// The attributes that become columns, in their order, with their headings. The names are those that an
/// event has on Kafka (`ce_<name>`).
const COLUMNS: [(&str, &str); 22] = [
    ("logposition", "位置 / position"),
    ("specversion", "规范版本 / specversion"),
    ("id", "事件标识 / id"),
    ("source", "来源 / source"),
    ("type", "类型 / type"),
    ("subject", "主体 / subject"),
    ("time", "发生时间 / time"),
    ("recordedat", "记录时间 / recorded at"),
    ("division", "区划 / division"),
    ("industry", "行业 / industry"),
    ("actor", "经办单位 / actor"),
    ("streamid", "事件流 / stream"),
    ("streamversion", "流版本 / version"),
    ("logid", "日志标识 / log"),
    ("logepoch", "日志纪元 / epoch"),
    ("issuer", "命令来源 / issuer"),
    ("commandid", "命令标识 / command"),
    ("ordinal", "命令内序号 / ordinal"),
    ("correlationid", "关联标识 / correlation"),
    ("causationid", "起因标识 / causation"),
    ("rulesversion", "规则版本 / rules"),
    ("leaf", "指纹 / leaf"),
];

/// A context's events from the first that is wanted to the last.
pub(super) async fn export(settings: &Settings, wanted: &ExportEvents) -> Result<()> {
    let pool =
        DescriptorPool::decode(onenet_proto::DESCRIPTORS).context("reading the contracts")?;
    for context in contexts::chosen(Some(&wanted.context))? {
        let (log, _, topics) = tools(&context, settings).await?;
        let (mut above, upto) = range(&log, wanted).await?;
        let mut lines = match wanted.after {
            0 => Lines::begin(&wanted.to)?,
            after => Lines::resume(&wanted.to, after)?,
        };
        let (mut count, mut told) = (0, above);
        let mut pages = ReadAhead::new(log, PAGE);
        while above < upto {
            let page = pages.read(above).await?;
            let Some(last) = page.last() else { break };
            above = last.position.number;
            for event in page.iter().filter(|event| event.position.number <= upto) {
                lines.write(&fields(&topics, event, &pool))?;
                count += 1;
            }
            if above >= told + TELL_EVERY {
                told = above;
                lines.flush()?;
                complain(&format!("{}: {above}", context.name));
            }
        }
        lines.flush()?;
        complain(&format!(
            "{}: 已导出 {count} 个事件 / events were written, 至位置 / up to position {}",
            context.name,
            above.min(upto)
        ));
    }
    Ok(())
}

/// Above which position and up to which, as positions and days ask.
async fn range(log: &PgLog, wanted: &ExportEvents) -> Result<(u64, u64)> {
    let head = log.head().await?.number;
    let (mut above, mut upto) = (wanted.after, wanted.upto.min(head));
    if let Some(day) = wanted.from_day {
        above = above.max(before(log, day::start(day), head).await?);
    }
    if let Some(next) = wanted.to_day.and_then(|day| day.tomorrow().ok()) {
        upto = upto.min(before(log, day::start(next), head).await?);
    }
    Ok((above, upto))
}

/// How many events were recorded before a moment: times never run backwards in a log, and positions have
/// no gap, so the place is found by halving.
async fn before(log: &PgLog, moment: Timestamp, head: u64) -> Result<u64> {
    let (mut low, mut high) = (0, head);
    while low < high {
        let middle = low + (high - low) / 2;
        let is_before =
            log.read(middle, 1).await?.first().is_some_and(|event| event.recorded_at < moment);
        if is_before {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

fn fields(topics: &Topics, event: &Recorded, pool: &DescriptorPool) -> Vec<Field> {
    let headers = encode(topics, event).headers;
    let attribute = |name: &str| {
        let mut headers = headers.iter();
        let found = headers.find(|(header, _)| header.strip_prefix("ce_") == Some(name));
        found.map_or(Value::Null, |(_, value)| value.clone().into())
    };
    let mut fields: Vec<Field> =
        COLUMNS.iter().map(|&(name, heading)| (name, heading, attribute(name))).collect();
    let (data, bytes, media) = match readable(event, pool) {
        Some(data) => (data, Value::Null, "application/json"),
        // a type of a newer version: nothing of it is left out
        None => (Value::Null, STANDARD.encode(&event.payload).into(), "application/protobuf"),
    };
    fields.extend([
        ("datacontenttype", "内容格式 / content type", media.into()),
        ("data", "内容 / data", data),
        ("data_base64", "未能解读的内容 / content not readable (base64)", bytes),
    ]);
    fields
}

/// The payload in the JSON form of protobuf, where this version knows its type.
fn readable(event: &Recorded, pool: &DescriptorPool) -> Option<Value> {
    let descriptor = pool.get_message_by_name(&event.event_type)?;
    let message = DynamicMessage::decode(descriptor, event.payload.clone()).ok()?;
    serde_json::to_value(message).ok()
}
