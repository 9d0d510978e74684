use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use onenet_eventstore::{HandleError, sqlx, sqlx::PgConnection};
use onenet_kernel::{Corrupt, Recorded};
use onenet_proto::enterprise::v1::{
    Division, DivisionKind, DivisionRegistered, EnterpriseProposed, EnterpriseRegistered,
    EnterpriseState, EnterpriseView, KeyEnterpriseDesignated, KeySupervision, Organisation,
    OrganisationRegistered,
};
use prost::Message as _;

use super::payload;
use crate::view::decode;

/// The enterprises that these events may change, as they are.
pub(super) async fn read_enterprises(
    tx: &mut PgConnection,
    events: &[&Recorded],
) -> Result<HashMap<String, EnterpriseView>, HandleError> {
    if events.is_empty() {
        return Ok(HashMap::new());
    }
    let subjects: Vec<&str> = events.iter().map(|event| &*event.key.subject).collect();
    let rows: Vec<(String, Vec<u8>)> =
        sqlx::query_as("select uscc, view from enterprises where uscc = any($1) for update")
            .bind(subjects)
            .fetch_all(tx)
            .await?;
    let mut enterprises = HashMap::new();
    for (uscc, view) in rows {
        enterprises.insert(uscc, decode(&view)?);
    }
    Ok(enterprises)
}

/// What events make of the register.
#[derive(Default)]
pub(super) struct Rows<'e> {
    divisions: Vec<Division>,
    organisations: Vec<Organisation>,
    /// Those that have no row yet, and those that have one; in the order of their subjects.
    entered: Vec<EnterpriseRow<'e>>,
    changed: Vec<EnterpriseRow<'e>>,
}

/// There is no row of any of them, or all are refused: `on conflict` would cost a third of the insert. Arrays
/// are unnested in a select list, which needs no copy of them as a table.
const ENTER: &str =
    "insert into enterprises (uscc, division, industry, is_registered, is_key, view)
    select unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::boolean[]),
        unnest($5::boolean[]), unnest($6::bytea[])";
const CHANGE: &str = "update enterprises e set division = n.division, industry = n.industry,
        is_registered = n.is_registered, is_key = n.is_key, view = n.view
    from (select unnest($1::text[]) as uscc, unnest($2::text[]) as division,
        unnest($3::text[]) as industry, unnest($4::boolean[]) as is_registered,
        unnest($5::boolean[]) as is_key, unnest($6::bytea[]) as view) n
    where e.uscc = n.uscc";

struct EnterpriseRow<'e> {
    newest: &'e Recorded,
    is_registered: bool,
    is_key: bool,
    view: Vec<u8>,
}

impl<'e> Rows<'e> {
    /// Of these events, after which the enterprises are what they become.
    pub(super) fn make(
        enterprises: &mut HashMap<String, EnterpriseView>,
        events: &[&'e Recorded],
    ) -> Result<Self, HandleError> {
        let mut rows = Self::default();
        // with the newest event of each, and whether it has no row yet
        let mut touched = BTreeMap::new();
        for &event in events {
            match event.event_type.strip_prefix("onenet.enterprise.v1.") {
                Some("DivisionRegistered") => {
                    let division = payload::<DivisionRegistered>(event)?.division;
                    rows.divisions.push(division.unwrap_or_default());
                }
                Some("OrganisationRegistered") => {
                    let organisation = payload::<OrganisationRegistered>(event)?.organisation;
                    rows.organisations.push(organisation.unwrap_or_default());
                }
                _ => {
                    let subject = &*event.key.subject;
                    let entry = enterprises.entry(subject.to_owned());
                    let is_new = matches!(entry, Entry::Vacant(_));
                    let view = entry.or_default();
                    apply(view, event)?;
                    view.version = event.version.0;
                    touched.entry(subject).or_insert((event, is_new)).0 = event;
                }
            }
        }
        for (subject, (newest, is_new)) in touched {
            let Some(view) = enterprises.get(subject) else { continue };
            let among = if is_new { &mut rows.entered } else { &mut rows.changed };
            among.push(EnterpriseRow::new(newest, view));
        }
        Ok(rows)
    }

    pub(super) async fn write(self, tx: &mut PgConnection) -> Result<(), HandleError> {
        for division in &self.divisions {
            keep_division(tx, division).await?;
        }
        for organisation in &self.organisations {
            keep_organisation(tx, organisation).await?;
        }
        write_enterprises(tx, ENTER, &self.entered).await?;
        write_enterprises(tx, CHANGE, &self.changed).await
    }
}

impl<'e> EnterpriseRow<'e> {
    fn new(newest: &'e Recorded, view: &EnterpriseView) -> Self {
        Self {
            newest,
            is_registered: view.state() == EnterpriseState::Registered,
            is_key: view.key_supervision.is_some(),
            view: view.encode_to_vec(),
        }
    }
}

async fn write_enterprises(
    tx: &mut PgConnection,
    statement: &'static str,
    rows: &[EnterpriseRow<'_>],
) -> Result<(), HandleError> {
    if rows.is_empty() {
        return Ok(());
    }
    let keys = rows.iter().map(|row| &row.newest.key);
    sqlx::query(statement)
        .bind(keys.clone().map(|key| &*key.subject).collect::<Vec<&str>>())
        .bind(keys.clone().map(|key| &*key.division).collect::<Vec<&str>>())
        .bind(keys.map(|key| &*key.industry).collect::<Vec<&str>>())
        .bind(rows.iter().map(|row| row.is_registered).collect::<Vec<bool>>())
        .bind(rows.iter().map(|row| row.is_key).collect::<Vec<bool>>())
        .bind(rows.iter().map(|row| &*row.view).collect::<Vec<&[u8]>>())
        .execute(tx)
        .await?;
    Ok(())
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
