use onenet_eventstore::{HandleError, Handler, sqlx::PgConnection};
use onenet_kernel::{Recorded, Version};

use super::rows::{Rows, Views, read_views};

/// Events of which the rows are written by one statement: 200 kB at the most times, which the server takes
/// without asking its system for memory.
const TOGETHER: usize = 250;

/// Keeps the register: a follower of the enterprise topic, in the enterprise context of its own log.
pub struct KeepRegister;

impl KeepRegister {
    /// The follower's name; frozen, checkpoints are kept under it.
    pub const NAME: &'static str = "register";
    /// The streams whose receipts it can be waited for.
    pub const CATEGORIES: &'static [&'static str] = &["division", "organisation", "enterprise"];
}

impl Handler for KeepRegister {
    // an import brings its enterprises to every context at once: a page of them is few statements
    const WHOLE_BATCHES: bool = true;

    fn name(&self) -> &'static str {
        Self::NAME
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        let known = read_views(tx, &[event]).await?;
        keep(tx, known, &[event], TOGETHER).await
    }

    async fn handle_all(
        &self,
        tx: &mut PgConnection,
        events: &[&Recorded],
    ) -> Result<(), HandleError> {
        // what begins with one of them has no row yet. Where it has, since another history was told
        // before a database was restored, that refuses them together, and each is handled by itself
        let later: Vec<&Recorded> =
            events.iter().filter(|event| event.version > Version(1)).copied().collect();
        let known = read_views(tx, &later).await?;
        keep(tx, known, events, TOGETHER).await
    }
}

/// The database writes the rows of `together` events while those of the next are made.
async fn keep(
    tx: &mut PgConnection,
    mut views: Views,
    events: &[&Recorded],
    together: usize,
) -> Result<(), HandleError> {
    let mut ready = Rows::default();
    for next in events.chunks(together) {
        let making = async { Rows::make(&mut views, next) };
        let (written, next) = tokio::join!(biased; ready.write(tx), making);
        written?;
        ready = next?;
    }
    tokio::join!(biased; ready.write(tx), async { drop(views) }).0
}

#[cfg(test)]
mod tests {
    use onenet_eventstore::{
        PgLog, sqlx,
        testing::{Scratch, cause, new_id},
    };
    use onenet_kernel::{EventStore as _, Key, NewEvent, StreamId, Version};
    use onenet_proto::enterprise::v1::{
        Enterprise, EnterpriseProposed, EnterpriseRegistered, KeyEnterpriseDesignated,
    };
    use prost::Message as _;

    use super::*;
    use crate::tools::REGISTER;

    type Row = (String, String, bool, bool, Vec<u8>);

    const FIRST: &str = "91410100MA0000001A";
    const SECOND: &str = "91410100MA0000002B";

    fn event(subject: &str, name: &str, industry: &str, payload: Vec<u8>) -> NewEvent {
        let (subject, division) = (subject.to_owned(), "410102".to_owned());
        NewEvent {
            event_type: format!("onenet.enterprise.v1.{name}").into(),
            payload: payload.into(),
            key: Key { subject, division, industry: industry.to_owned() },
        }
    }

    fn plant(uscc: &str) -> Enterprise {
        Enterprise { uscc: uscc.to_owned(), ..Enterprise::default() }
    }

    /// The first is proposed, registered elsewhere in its industry, and designated; the second, between
    /// these, is registered.
    async fn story(log: &PgLog) -> Vec<Recorded> {
        let proposed =
            EnterpriseProposed { enterprise: Some(plant(FIRST)), proposed_by: "a".to_owned() };
        let registered = |uscc, proposed_by| EnterpriseRegistered {
            enterprise: Some(plant(uscc)),
            registered_by: "b".to_owned(),
            proposed_by,
        };
        let designated =
            KeyEnterpriseDesignated { designated_by: "c".to_owned(), ..Default::default() };
        let first = registered(FIRST, Some("a".to_owned())).encode_to_vec();
        let steps = [
            (0, event(FIRST, "EnterpriseProposed", "2611", proposed.encode_to_vec())),
            (1, event(FIRST, "EnterpriseRegistered", "2614", first)),
            (
                0,
                event(
                    SECOND,
                    "EnterpriseRegistered",
                    "2614",
                    registered(SECOND, None).encode_to_vec(),
                ),
            ),
            (2, event(FIRST, "KeyEnterpriseDesignated", "2614", designated.encode_to_vec())),
        ];
        for (version, event) in steps {
            let stream = StreamId::new("enterprise", &event.key.subject);
            log.append(&stream, Version(version), &cause(new_id()), vec![event]).await.unwrap();
        }
        log.read(0, 10).await.unwrap()
    }

    /// A register that is empty, beside a log with the story.
    async fn told() -> (Scratch, PgLog, Vec<Recorded>) {
        let scratch = Scratch::create(onenet_devservers::shared_postgres().unwrap()).await.unwrap();
        let steps = [("_register_migrations", REGISTER)];
        let log = scratch.log("enterprise", &steps).await.unwrap();
        let events = story(&log).await;
        (scratch, log, events)
    }

    async fn rows(connection: &mut PgConnection) -> Vec<Row> {
        sqlx::query_as(
            "select uscc, industry, is_registered, is_key, view from enterprises order by uscc",
        )
        .fetch_all(connection)
        .await
        .unwrap()
    }

    #[tokio::test]
    async fn a_page_of_events_leaves_what_each_by_itself_leaves() {
        let (_scratch, log, events) = told().await;
        let mut connection = log.db().reader().await.unwrap();
        for event in &events {
            KeepRegister.handle(&mut connection, event).await.unwrap();
        }
        let one_by_one = rows(&mut connection).await;
        let (uscc, industry, is_registered, is_key, _) = &one_by_one[0];
        assert_eq!((&**uscc, &**industry, is_registered, is_key), (FIRST, "2614", &true, &true));

        // the first of them has left its row before, or is among them
        for (before, together) in [(1, TOGETHER), (1, 2), (1, 1), (0, TOGETHER), (0, 1)] {
            sqlx::query("delete from enterprises").execute(&mut *connection).await.unwrap();
            for event in &events[..before] {
                KeepRegister.handle(&mut connection, event).await.unwrap();
            }
            let rest: Vec<&Recorded> = events[before..].iter().collect();
            let known = read_views(&mut connection, &rest).await.unwrap();
            keep(&mut connection, known, &rest, together).await.unwrap();
            assert_eq!(rows(&mut connection).await, one_by_one, "{together} after {before}");
        }
    }

    #[tokio::test]
    async fn a_stream_that_begins_anew_is_refused_with_others_and_kept_by_itself() {
        let (_scratch, log, events) = told().await;
        let all: Vec<&Recorded> = events.iter().collect();
        let mut connection = log.db().reader().await.unwrap();
        KeepRegister.handle_all(&mut connection, &all).await.unwrap();
        let once = rows(&mut connection).await;

        let again = KeepRegister.handle_all(&mut connection, &all).await;
        assert!(matches!(again, Err(HandleError::Poison(_))), "{again:?}");
        for event in all {
            KeepRegister.handle(&mut connection, event).await.unwrap();
        }
        assert_eq!(rows(&mut connection).await, once);
    }
}
