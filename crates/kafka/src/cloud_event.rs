use std::{collections::HashMap, str::FromStr};

use bytes::Bytes;
use onenet_kernel::{
    Actor, Digest, Issuer, Key, Origin, Position, Recorded, StreamId, Timestamp, Version,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use crate::{Record, Topics};

/// A record is not an event of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("header {header} is {problem}")]
pub struct MalformedEvent {
    /// Which.
    pub header: &'static str,
    /// `missing`, or `malformed`.
    pub problem: &'static str,
}

/// The event as a CloudEvent 1.0 in Kafka's binary mode: attributes in `ce_*` headers, its stored
/// bytes as the value. What is absent has no header.
#[must_use]
pub fn encode(topics: &Topics, event: &Recorded) -> Record {
    let mut headers = vec![
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", event.event_id.to_string()),
        ("ce_source", topics.source()),
        ("ce_type", event.event_type.clone()),
        ("ce_subject", event.key.subject.clone()),
        ("ce_time", event.occurred_at.to_string()),
        ("content-type", "application/protobuf".to_owned()),
        ("ce_streamid", event.stream.to_string()),
        ("ce_streamversion", event.version.to_string()),
        ("ce_logid", event.position.log_id.to_string()),
        ("ce_logepoch", event.position.epoch.to_string()),
        ("ce_logposition", event.position.number.to_string()),
        ("ce_division", event.key.division.clone()),
        ("ce_industry", event.key.industry.clone()),
        ("ce_recordedat", event.recorded_at.to_string()),
        ("ce_issuer", event.issuer.to_string()),
        ("ce_commandid", event.command_id.to_string()),
        ("ce_ordinal", event.ordinal.to_string()),
        ("ce_digest", hex::encode(event.digest)),
        ("ce_leaf", hex::encode(event.leaf)),
        ("ce_correlationid", event.correlation_id.to_string()),
        ("ce_actor", event.actor.organisation.clone()),
        ("ce_rulesversion", event.rules_version.clone()),
        ("ce_traceparent", event.traceparent.clone()),
    ];
    headers.extend(event.causation_id.map(|id| ("ce_causationid", id.to_string())));
    headers.extend(event.actor.person.clone().map(|person| ("ce_actorperson", person)));
    if let Some(Origin { node, position }) = &event.origin {
        headers.extend([
            ("ce_originnode", node.clone()),
            ("ce_originlogid", position.log_id.to_string()),
            ("ce_originepoch", position.epoch.to_string()),
            ("ce_originposition", position.number.to_string()),
        ]);
    }
    Record {
        topic: topics.events(),
        key: event.key.subject.clone(),
        headers,
        value: Some(event.payload.clone()),
    }
}

/// The event that [`encode`] made a record of, to the microsecond.
pub fn decode<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    value: Bytes,
) -> Result<Recorded, MalformedEvent> {
    let headers = Headers(headers.into_iter().collect());
    headers.says("ce_specversion", "1.0")?;
    headers.says("content-type", "application/protobuf")?;
    headers.get("ce_source")?;
    Ok(Recorded {
        position: Position {
            log_id: headers.parse("ce_logid")?,
            epoch: headers.parse("ce_logepoch")?,
            number: headers.parse("ce_logposition")?,
        },
        stream: StreamId::from_stored(headers.text("ce_streamid")?),
        version: Version(headers.parse("ce_streamversion")?),
        event_id: headers.parse("ce_id")?,
        event_type: headers.text("ce_type")?,
        payload: value,
        key: Key {
            subject: headers.text("ce_subject")?,
            division: headers.text("ce_division")?,
            industry: headers.text("ce_industry")?,
        },
        occurred_at: headers.instant("ce_time")?,
        recorded_at: headers.instant("ce_recordedat")?,
        issuer: Issuer::from_stored(headers.text("ce_issuer")?),
        command_id: headers.parse("ce_commandid")?,
        ordinal: headers.parse("ce_ordinal")?,
        digest: headers.digest("ce_digest")?,
        actor: Actor {
            organisation: headers.text("ce_actor")?,
            person: headers.0.get("ce_actorperson").map(|person| (*person).to_owned()),
        },
        correlation_id: headers.parse("ce_correlationid")?,
        causation_id: headers.optional("ce_causationid")?,
        rules_version: headers.text("ce_rulesversion")?,
        traceparent: headers.text("ce_traceparent")?,
        origin: headers.origin()?,
        leaf: headers.digest("ce_leaf")?,
    })
}

struct Headers<'a>(HashMap<&'a str, &'a str>);

impl Headers<'_> {
    fn get(&self, header: &'static str) -> Result<&str, MalformedEvent> {
        let missing = MalformedEvent { header, problem: "missing" };
        self.0.get(header).copied().ok_or(missing)
    }

    /// Another version or form may mean something else by the same names.
    fn says(&self, header: &'static str, needed: &str) -> Result<(), MalformedEvent> {
        if self.get(header)? == needed { Ok(()) } else { Err(malformed(header)) }
    }

    fn text(&self, header: &'static str) -> Result<String, MalformedEvent> {
        self.get(header).map(str::to_owned)
    }

    fn parse<T: FromStr>(&self, header: &'static str) -> Result<T, MalformedEvent> {
        self.get(header)?.parse().map_err(|_shape| malformed(header))
    }

    fn optional(&self, header: &'static str) -> Result<Option<Uuid>, MalformedEvent> {
        self.0.contains_key(header).then(|| self.parse(header)).transpose()
    }

    fn instant(&self, header: &'static str) -> Result<Timestamp, MalformedEvent> {
        let at = OffsetDateTime::parse(self.get(header)?, &Rfc3339);
        at.map(Timestamp::from_datetime).map_err(|_shape| malformed(header))
    }

    fn digest(&self, header: &'static str) -> Result<Digest, MalformedEvent> {
        let mut digest = Digest::default();
        hex::decode_to_slice(self.get(header)?, &mut digest).map_err(|_shape| malformed(header))?;
        Ok(digest)
    }

    fn origin(&self) -> Result<Option<Origin>, MalformedEvent> {
        let names = ["ce_originnode", "ce_originlogid", "ce_originepoch", "ce_originposition"];
        if !names.iter().any(|name| self.0.contains_key(name)) {
            return Ok(None);
        }
        let position = Position {
            log_id: self.parse("ce_originlogid")?,
            epoch: self.parse("ce_originepoch")?,
            number: self.parse("ce_originposition")?,
        };
        Ok(Some(Origin { node: self.text("ce_originnode")?, position }))
    }
}

fn malformed(header: &'static str) -> MalformedEvent {
    MalformedEvent { header, problem: "malformed" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn event() -> Recorded {
        let position = |number| Position { log_id: id(1), epoch: 2, number };
        Recorded {
            position: position(77),
            stream: StreamId::new("enterprise", "91230500MA1B3N1N2M"),
            version: Version(3),
            event_id: id(4),
            event_type: "onenet.enterprise.v1.EnterpriseRegistered".to_owned(),
            payload: Bytes::from_static(b"\x0a\x00"),
            key: Key {
                subject: "91230500MA1B3N1N2M".to_owned(),
                division: "410102".to_owned(),
                industry: "2614".to_owned(),
            },
            occurred_at: Timestamp::from_micros(1_790_000_000_000_001),
            recorded_at: Timestamp::from_micros(1_790_000_000_123_456),
            issuer: Issuer::organisation("11410000MB15291763"),
            command_id: id(5),
            ordinal: 1,
            digest: [6; 32],
            actor: Actor {
                organisation: "11410000MB15291763".to_owned(),
                person: Some("sealed".to_owned()),
            },
            correlation_id: id(7),
            causation_id: Some(id(8)),
            rules_version: "GB 18218-2018".to_owned(),
            traceparent: "00-11-22-01".to_owned(),
            origin: Some(Origin { node: "henan".to_owned(), position: position(9) }),
            leaf: [10; 32],
        }
    }

    fn topics() -> Topics {
        Topics { prefix: String::new(), node: "henan".to_owned(), context: "enterprise".to_owned() }
    }

    fn read(record: &Record) -> Result<Recorded, MalformedEvent> {
        let headers = record.headers.iter().map(|(name, value)| (*name, value.as_str()));
        decode(headers, record.value.clone().unwrap_or_default())
    }

    #[test]
    fn every_column_survives_present_or_absent() {
        let mut event = event();
        assert_eq!(read(&encode(&topics(), &event)).as_ref(), Ok(&event));
        (event.causation_id, event.actor.person, event.origin) = (None, None, None);
        assert_eq!(read(&encode(&topics(), &event)).as_ref(), Ok(&event));
    }

    #[test]
    fn each_missing_or_mangled_header_is_named() {
        let record = encode(&topics(), &event());
        let may_be_absent = ["ce_causationid", "ce_actorperson"];
        for (n, (header, _)) in record.headers.iter().enumerate() {
            if may_be_absent.contains(header) {
                continue;
            }
            let mut without = record.clone();
            without.headers.remove(n);
            assert_eq!(read(&without), Err(MalformedEvent { header, problem: "missing" }));
        }
        let mangled = ["ce_specversion", "ce_id", "ce_time", "ce_logposition", "ce_digest"];
        for header in mangled.into_iter().chain(["content-type", "ce_originepoch"]) {
            let mut mangled = record.clone();
            for (name, value) in &mut mangled.headers {
                if name == &header {
                    value.push('x');
                }
            }
            assert_eq!(read(&mangled), Err(MalformedEvent { header, problem: "malformed" }));
        }
    }
}
