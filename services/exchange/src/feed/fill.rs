use std::{collections::BTreeMap, time::Duration};

use futures::future::try_join_all;
use onenet_chassis::{Host, register::Register, trace};
use onenet_eventstore::{HandleError, Handler, PgLog, sqlx::PgConnection};
use onenet_kernel::{
    Cause, EventStore as _, Issuer, NewEvent, Origin, Recorded, StoreError, StreamId, Version,
};
use tokio::time::Instant;

/// Contexts whose events are in the feed, and the name each one's follower keeps its checkpoint under.
const CONTEXTS: [(&str, &str); 4] = [
    ("enterprise", "feed.enterprise"),
    ("hazard", "feed.hazard"),
    ("enforcement", "feed.enforcement"),
    ("credit", "feed.credit"),
];
/// How long a batch waits for the register to know its divisions, before its events are parked.
const REGISTER_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Fills the feed from one context's topic. The feed is an ordinary log: issuer `feed`, command id =
/// event id, stream = context and origin stream, expected version = origin version − 1. So a
/// repetition is known, and a record that was lost or reordered is a conflict.
pub struct Fill {
    context: &'static str,
    follower: &'static str,
    node: String,
    feed: PgLog,
    register: Register,
}

impl Fill {
    /// One for each context.
    #[must_use]
    pub fn of_every_context(feed: &PgLog, host: &Host) -> Vec<Self> {
        let fill = |&(context, follower)| Self {
            context,
            follower,
            node: host.settings.node.name.clone(),
            feed: feed.clone(),
            register: host.door.register().clone(),
        };
        CONTEXTS.iter().map(fill).collect()
    }

    /// The context that is followed.
    #[must_use]
    pub fn context(&self) -> &'static str {
        self.context
    }

    /// Who may receive an event follows from the division tree: an event of a division that is not
    /// known here yet would be withheld from everybody.
    async fn divisions_known(&self, events: &[&Recorded]) -> Result<(), HandleError> {
        let deadline = Instant::now() + REGISTER_WITHIN;
        let mut codes: Vec<&str> = events.iter().map(|event| &*event.key.division).collect();
        codes.sort_unstable();
        codes.dedup();
        for code in codes {
            while self.register.division(code).await?.is_none() {
                if Instant::now() >= deadline {
                    return Err(HandleError::NotYet(format!("division {code} is not known yet")));
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        Ok(())
    }

    async fn append(&self, event: &Recorded) -> Result<(), HandleError> {
        let stream = StreamId::from_stored(format!("{}/{}", self.context, event.stream));
        let here = trace::traceparent();
        let cause = Cause {
            issuer: Issuer::feed(),
            command_id: event.event_id,
            digest: event.leaf,
            actor: event.actor.clone(),
            correlation_id: event.correlation_id,
            causation_id: event.causation_id,
            occurred_at: event.occurred_at,
            rules_version: event.rules_version.clone(),
            traceparent: if here.is_empty() { event.traceparent.clone() } else { here },
            origin: Some(Origin { node: self.node.clone(), position: event.position }),
        };
        let repeated = NewEvent {
            event_type: event.event_type.clone().into(),
            payload: event.payload.clone(),
            key: event.key.clone(),
        };
        let before = Version(event.version.0.saturating_sub(1));
        match self.feed.append(&stream, before, &cause, vec![repeated]).await {
            Ok(_) => Ok(()),
            Err(StoreError::Conflict { actual }) => Err(HandleError::Poison(format!(
                "the feed holds {stream} up to version {actual}, and version {} came: a record was \
                 lost or reordered",
                event.version
            ))),
            Err(error @ (StoreError::Fault(_) | StoreError::Overloaded)) => {
                Err(HandleError::Fault(Box::new(error)))
            }
            Err(error) => Err(HandleError::Poison(error.to_string())),
        }
    }
}

impl Handler for Fill {
    const WHOLE_BATCHES: bool = true;

    fn name(&self) -> &'static str {
        self.follower
    }

    async fn handle(&self, _: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        self.divisions_known(&[event]).await?;
        self.append(event).await
    }

    /// Streams side by side, so that their commits are shared; each stream in its order.
    async fn handle_all(
        &self,
        _: &mut PgConnection,
        events: &[&Recorded],
    ) -> Result<(), HandleError> {
        self.divisions_known(events).await?;
        let mut streams: BTreeMap<&StreamId, Vec<&Recorded>> = BTreeMap::new();
        for event in events {
            streams.entry(&event.stream).or_default().push(event);
        }
        let appending = streams.into_values().map(async |events| {
            for event in events {
                self.append(event).await?;
            }
            Ok(())
        });
        try_join_all(appending).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use onenet_eventstore::testing::{Scratch, cause, event, new_id};

    use super::*;

    /// An event of another context as its topic hands it out, at a version of its stream.
    async fn recorded(origin: &PgLog, version: u64) -> Recorded {
        let stream = StreamId::new("case", "1");
        let command = cause(new_id());
        let events = vec![event("s", "x")];
        origin.append(&stream, Version(version - 1), &command, events).await.unwrap();
        origin.load(&stream, Version(version - 1)).await.unwrap().remove(0)
    }

    #[tokio::test]
    async fn a_repetition_is_known_and_a_lost_record_is_a_conflict() {
        let scratch = Scratch::create(onenet_devservers::shared_postgres().unwrap()).await.unwrap();
        let origin = scratch.log("origin", &[]).await.unwrap();
        let feed = scratch.log("feed", &[]).await.unwrap();
        let mut owner = scratch.owner("feed").await.unwrap();
        onenet_eventstore::sqlx::raw_sql(
            "create table divisions (code text, view bytea);
             insert into divisions values ('410102', ''); grant all on divisions to onenet_test",
        )
        .execute(&mut owner)
        .await
        .unwrap();
        let fill = Fill {
            context: "enforcement",
            follower: "feed.enforcement",
            node: "henan".to_owned(),
            feed: feed.clone(),
            register: Register::new(feed.db().clone()),
        };
        let (first, _lost, third) =
            (recorded(&origin, 1).await, recorded(&origin, 2).await, recorded(&origin, 3).await);
        let handle = async |event: &Recorded| {
            let mut connection = feed.db().reader().await.unwrap();
            fill.handle(&mut connection, event).await
        };
        handle(&first).await.unwrap();
        handle(&first).await.unwrap();
        let lost = handle(&third).await;
        assert!(matches!(lost, Err(HandleError::Poison(_))), "{lost:?}");
        assert_eq!(feed.head().await.unwrap().number, 1, "once, and nothing after the gap");
    }
}
