use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use onenet_eventstore::{
    HandleError,
    sqlx::{self, Arguments as _, PgConnection, postgres::PgArguments},
};
use onenet_kernel::{Corrupt, Recorded};
use onenet_proto::enterprise::v1::{
    Division, DivisionKind, DivisionRegistered, EnterpriseProposed, EnterpriseRegistered,
    EnterpriseState, EnterpriseView, KeyEnterpriseDesignated, KeySupervision, Organisation,
    OrganisationRegistered,
};
use prost::Message as _;

use super::payload;
use crate::view::decode;

/// The views of enterprises as the register keeps them, by USCC: encoded again as soon as an event has changed them.
/// Kept decoded to the end of a page, they would have left the processor's caches by then.
pub(super) type Views = HashMap<String, Bytes>;

/// Of the enterprises that these events may change.
pub(super) async fn read_views(
    tx: &mut PgConnection,
    events: &[&Recorded],
) -> Result<Views, HandleError> {
    if events.is_empty() {
        return Ok(Views::new());
    }
    let subjects: Vec<&str> = events.iter().map(|event| &*event.key.subject).collect();
    let rows: Vec<(String, Vec<u8>)> =
        sqlx::query_as("select uscc, view from enterprises where uscc = any($1) for update")
            .bind(subjects)
            .fetch_all(tx)
            .await?;
    Ok(rows.into_iter().map(|(uscc, view)| (uscc, view.into())).collect())
}

/// What events make of the register.
#[derive(Default)]
pub(super) struct Rows {
    divisions: Vec<Division>,
    organisations: Vec<Organisation>,
    /// Enterprises that have no row yet, and those that have one; bound already, so that it is done while the
    /// database writes those before.
    entered: Option<PgArguments>,
    changed: Option<PgArguments>,
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
    is_new: bool,
    is_registered: bool,
    is_key: bool,
    view: Bytes,
}

impl Rows {
    /// Of these events, after which the enterprises are what they become.
    pub(super) fn make(views: &mut Views, events: &[&Recorded]) -> Result<Self, HandleError> {
        let mut rows = Self::default();
        // in the order of their subjects
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
                    let view = views.entry(subject.to_owned()).or_default();
                    let is_new = touched
                        .get(subject)
                        .map_or(view.is_empty(), |before: &EnterpriseRow| before.is_new);
                    touched.insert(subject, change(view, is_new, event)?);
                }
            }
        }
        let (entered, changed): (Vec<_>, Vec<_>) = touched.values().partition(|row| row.is_new);
        rows.entered = bound(&entered)?;
        rows.changed = bound(&changed)?;
        Ok(rows)
    }

    pub(super) async fn write(self, tx: &mut PgConnection) -> Result<(), HandleError> {
        for division in &self.divisions {
            keep_division(tx, division).await?;
        }
        for organisation in &self.organisations {
            keep_organisation(tx, organisation).await?;
        }
        for (statement, rows) in [(ENTER, self.entered), (CHANGE, self.changed)] {
            if let Some(rows) = rows {
                sqlx::query_with(statement, rows).execute(&mut *tx).await?;
            }
        }
        Ok(())
    }
}

/// What an event makes of a view, which is empty where there is none yet.
fn change<'e>(
    kept: &mut Bytes,
    is_new: bool,
    event: &'e Recorded,
) -> Result<EnterpriseRow<'e>, Corrupt> {
    let mut view = decode::<EnterpriseView>(kept)?;
    apply(&mut view, event)?;
    view.version = event.version.0;
    *kept = view.encode_to_vec().into();
    Ok(EnterpriseRow {
        newest: event,
        is_new,
        is_registered: view.state() == EnterpriseState::Registered,
        is_key: view.key_supervision.is_some(),
        view: kept.clone(),
    })
}

/// What the statement for these rows takes, if there are any.
fn bound(rows: &[&EnterpriseRow<'_>]) -> Result<Option<PgArguments>, HandleError> {
    if rows.is_empty() {
        return Ok(None);
    }
    let keys = rows.iter().map(|row| &row.newest.key);
    let mut arguments = PgArguments::default();
    let add = || {
        arguments.add(keys.clone().map(|key| &*key.subject).collect::<Vec<&str>>())?;
        arguments.add(keys.clone().map(|key| &*key.division).collect::<Vec<&str>>())?;
        arguments.add(keys.map(|key| &*key.industry).collect::<Vec<&str>>())?;
        arguments.add(rows.iter().map(|row| row.is_registered).collect::<Vec<bool>>())?;
        arguments.add(rows.iter().map(|row| row.is_key).collect::<Vec<bool>>())?;
        arguments.add(rows.iter().map(|row| &*row.view).collect::<Vec<&[u8]>>())
    };
    add().map_err(sqlx::Error::Encode)?;
    Ok(Some(arguments))
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
