use std::collections::{BTreeMap, HashMap};

use onenet_eventstore::{HandleError, Handler, sqlx, sqlx::PgConnection};
use onenet_kernel::{Corrupt, Recorded};
use onenet_proto::enterprise::v1::{
    Division, DivisionKind, DivisionRegistered, EnterpriseProposed, EnterpriseRegistered,
    EnterpriseState, EnterpriseView, KeyEnterpriseDesignated, KeySupervision, Organisation,
    OrganisationRegistered,
};
use prost::Message as _;

use super::payload;
use crate::view::decode;

/// Keeps the register: a follower of the enterprise topic, in the enterprise context of its own log.
pub struct KeepRegister;

impl KeepRegister {
    /// The follower's name; frozen, checkpoints are kept under it.
    pub const NAME: &'static str = "register";
    /// The streams whose receipts it can be waited for.
    pub const CATEGORIES: &'static [&'static str] = &["division", "organisation", "enterprise"];
}

impl Handler for KeepRegister {
    // an import brings its enterprises to every context at once: a page of them is two statements
    const WHOLE_BATCHES: bool = true;

    fn name(&self) -> &'static str {
        Self::NAME
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        self.handle_all(tx, &[event]).await
    }

    async fn handle_all(
        &self,
        tx: &mut PgConnection,
        events: &[&Recorded],
    ) -> Result<(), HandleError> {
        let mut enterprises = Enterprises::read(tx, events).await?;
        for event in events {
            match event.event_type.strip_prefix("onenet.enterprise.v1.") {
                Some("DivisionRegistered") => {
                    let division = payload::<DivisionRegistered>(event)?.division;
                    keep_division(tx, &division.unwrap_or_default()).await?;
                }
                Some("OrganisationRegistered") => {
                    let organisation = payload::<OrganisationRegistered>(event)?.organisation;
                    keep_organisation(tx, &organisation.unwrap_or_default()).await?;
                }
                _ => enterprises.change(event)?,
            }
        }
        enterprises.write(tx).await
    }
}

async fn keep_division(tx: &mut PgConnection, division: &Division) -> Result<(), HandleError> {
    sqlx::query(
        "insert into divisions (code, jurisdiction_parent, is_placeholder, view)
         values ($1, $2, $3, $4)
         on conflict (code) do update set jurisdiction_parent = excluded.jurisdiction_parent,
            is_placeholder = excluded.is_placeholder, view = excluded.view",
    )
    .bind(&division.code)
    .bind(&division.jurisdiction_parent)
    .bind(division.kind() == DivisionKind::Placeholder)
    .bind(division.encode_to_vec())
    .execute(tx)
    .await?;
    Ok(())
}

async fn keep_organisation(
    tx: &mut PgConnection,
    organisation: &Organisation,
) -> Result<(), HandleError> {
    sqlx::query(
        "insert into organisations (uscc, division, view) values ($1, $2, $3)
         on conflict (uscc) do update set division = excluded.division, view = excluded.view",
    )
    .bind(&organisation.uscc)
    .bind(&organisation.division)
    .bind(organisation.encode_to_vec())
    .execute(tx)
    .await?;
    Ok(())
}

/// Rows of enterprises, as events change them.
struct Enterprises<'e> {
    before: HashMap<String, EnterpriseView>,
    /// By subject, with the newest event of each.
    changed: BTreeMap<&'e str, (&'e Recorded, EnterpriseView)>,
}

impl<'e> Enterprises<'e> {
    /// The rows that these events may change.
    async fn read(tx: &mut PgConnection, events: &[&'e Recorded]) -> Result<Self, HandleError> {
        let subjects: Vec<&str> = events.iter().map(|event| &*event.key.subject).collect();
        let rows: Vec<(String, Vec<u8>)> =
            sqlx::query_as("select uscc, view from enterprises where uscc = any($1) for update")
                .bind(subjects)
                .fetch_all(tx)
                .await?;
        let mut before = HashMap::new();
        for (uscc, view) in rows {
            before.insert(uscc, decode(&view)?);
        }
        Ok(Self { before, changed: BTreeMap::new() })
    }

    fn change(&mut self, event: &'e Recorded) -> Result<(), Corrupt> {
        let subject = &*event.key.subject;
        let before = || (event, self.before.remove(subject).unwrap_or_default());
        let (newest, view) = self.changed.entry(subject).or_insert_with(before);
        apply(view, event)?;
        view.version = event.version.0;
        *newest = event;
        Ok(())
    }

    async fn write(self, tx: &mut PgConnection) -> Result<(), HandleError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let (newest, views): (Vec<&Recorded>, Vec<EnterpriseView>) =
            self.changed.into_values().unzip();
        let keys = newest.iter().map(|event| &event.key);
        let is_registered = |view: &EnterpriseView| view.state() == EnterpriseState::Registered;
        sqlx::query(
            "insert into enterprises (uscc, division, industry, is_registered, is_key, view)
             select * from unnest($1::text[], $2::text[], $3::text[], $4::boolean[],
                $5::boolean[], $6::bytea[])
             on conflict (uscc) do update set division = excluded.division,
                industry = excluded.industry, is_registered = excluded.is_registered,
                is_key = excluded.is_key, view = excluded.view",
        )
        .bind(keys.clone().map(|key| &*key.subject).collect::<Vec<&str>>())
        .bind(keys.clone().map(|key| &*key.division).collect::<Vec<&str>>())
        .bind(keys.map(|key| &*key.industry).collect::<Vec<&str>>())
        .bind(views.iter().map(is_registered).collect::<Vec<bool>>())
        .bind(views.iter().map(|view| view.key_supervision.is_some()).collect::<Vec<bool>>())
        .bind(views.iter().map(EnterpriseView::encode_to_vec).collect::<Vec<Vec<u8>>>())
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// What an event makes of an enterprise.
fn apply(view: &mut EnterpriseView, event: &Recorded) -> Result<(), Corrupt> {
    match event.event_type.strip_prefix("onenet.enterprise.v1.") {
        Some("EnterpriseProposed") => {
            let fact: EnterpriseProposed = payload(event)?;
            view.enterprise = fact.enterprise;
            view.proposed_by = Some(fact.proposed_by);
            view.set_state(EnterpriseState::Proposed);
        }
        Some("EnterpriseRegistered") => {
            let fact: EnterpriseRegistered = payload(event)?;
            view.enterprise = fact.enterprise;
            view.registered_by = Some(fact.registered_by);
            view.proposed_by = fact.proposed_by;
            view.set_state(EnterpriseState::Registered);
        }
        Some("KeyEnterpriseDesignated") => {
            let fact: KeyEnterpriseDesignated = payload(event)?;
            let (designated_by, basis) = (fact.designated_by, fact.basis);
            view.key_supervision = Some(KeySupervision { designated_by, basis });
        }
        _ => return Err(Corrupt::unknown_type(&event.event_type)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use onenet_eventstore::{
        PgLog,
        testing::{Scratch, cause, new_id},
    };
    use onenet_kernel::{EventStore as _, Key, NewEvent, StreamId, Version};
    use onenet_proto::enterprise::v1::Enterprise;

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
        let scratch = Scratch::create(onenet_devservers::shared_postgres().unwrap()).await.unwrap();
        let steps = [("_register_migrations", REGISTER)];
        let log = scratch.log("enterprise", &steps).await.unwrap();
        let events = story(&log).await;
        let mut connection = log.db().reader().await.unwrap();
        for event in &events {
            KeepRegister.handle(&mut connection, event).await.unwrap();
        }
        let one_by_one = rows(&mut connection).await;
        let (uscc, industry, is_registered, is_key, _) = &one_by_one[0];
        assert_eq!((&**uscc, &**industry, is_registered, is_key), (FIRST, "2614", &true, &true));

        sqlx::query("delete from enterprises").execute(&mut *connection).await.unwrap();
        KeepRegister.handle(&mut connection, &events[0]).await.unwrap();
        let rest: Vec<&Recorded> = events[1..].iter().collect();
        KeepRegister.handle_all(&mut connection, &rest).await.unwrap();
        assert_eq!(rows(&mut connection).await, one_by_one, "over a row that was there before");
    }
}
