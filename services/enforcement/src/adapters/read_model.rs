//! Cases and clues as they stand, folded from the own log, and the queries they answer.

pub(crate) mod clue;

use onenet_chassis::{
    Refusal, Scope,
    view::{self, Paging},
};
use onenet_eventstore::{Db, DbError, HandleError, Handler, sqlx, sqlx::PgConnection};
use onenet_kernel::{Aggregate as _, Corrupt, Recorded, WireEvent as _};
use onenet_proto::{
    common::v1::Page,
    enforcement::v1::{CaseState, CaseView, Party},
};
use onenet_standards::Uscc;
use prost::Message as _;

use crate::domain::{CaseEvent, Clue};

/// Folds the events of the own log into views.
pub(crate) struct ReadModel;

impl Handler for ReadModel {
    fn name(&self) -> &'static str {
        "read_model"
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        if event.stream.category() == Clue::CATEGORY {
            return clue::handle(tx, event).await;
        }
        let case_id = event.stream.key();
        let mut view = match CaseEvent::decode(&event.event_type, &event.payload)? {
            CaseEvent::CaseOpened { case_id, organ, party, filed_on, cause } => CaseView {
                case_id: case_id.to_string(),
                state: CaseState::Open.into(),
                organ: organ.to_string(),
                party: Some((&party).into()),
                filed_on: filed_on.to_string(),
                cause,
                ..CaseView::default()
            },
            CaseEvent::PenaltyDecided { penalty, .. } => CaseView {
                state: CaseState::Decided.into(),
                penalty: Some((&penalty).into()),
                ..kept(tx, event, case_id).await?
            },
            CaseEvent::PenaltyTookEffect { effective_on, .. } => CaseView {
                state: CaseState::InEffect.into(),
                effective_on: Some(effective_on.to_string()),
                ..kept(tx, event, case_id).await?
            },
        };
        view.version = event.version.0;
        keep(tx, &view).await
    }
}

async fn kept(
    tx: &mut PgConnection,
    event: &Recorded,
    case_id: &str,
) -> Result<CaseView, HandleError> {
    let bytes: Option<Vec<u8>> =
        sqlx::query_scalar("select view from cases where case_id = $1 for update")
            .bind(case_id)
            .fetch_optional(tx)
            .await?;
    let bytes = bytes.ok_or_else(|| Corrupt::new(&event.event_type, "its case was not opened"))?;
    Ok(view::decode(&bytes)?)
}

async fn keep(tx: &mut PgConnection, view: &CaseView) -> Result<(), HandleError> {
    let Party { uscc, division, industry, .. } = view.party.clone().unwrap_or_default();
    sqlx::query(
        "insert into cases (case_id, party, organ, division, industry, state, view)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (case_id) do update set state = excluded.state, view = excluded.view",
    )
    .bind(&view.case_id)
    .bind(uscc)
    .bind(&view.organ)
    .bind(division)
    .bind(industry)
    .bind(view.state)
    .bind(view.encode_to_vec())
    .execute(tx)
    .await?;
    Ok(())
}

/// What a list of cases is narrowed to.
pub(crate) struct CaseFilter {
    pub(crate) party: Option<Uscc>,
    pub(crate) organ: Option<Uscc>,
    pub(crate) state: Option<CaseState>,
}

pub(crate) async fn case(db: &Db, case_id: &str) -> Result<Option<CaseView>, DbError> {
    view::one(db, "select view from cases where case_id = $1", case_id).await
}

pub(crate) async fn cases(
    db: &Db,
    paging: &Paging,
    scope: &Scope,
    filter: &CaseFilter,
) -> Result<(Vec<CaseView>, Page), Refusal> {
    let rows = sqlx::query_as(
        "select case_id, view from cases
         where case_id > $1
            and ($2::text[] is null or division = any($2))
            and (cardinality($3::text[]) = 0
                or exists (select from unnest($3) prefix where starts_with(industry, prefix)))
            and ($4::text is null or party = $4)
            and ($5::text is null or party = $5)
            and ($6::text is null or organ = $6)
            and ($7::integer is null or state = $7)
         order by case_id limit $8",
    )
    .bind(&paging.after)
    .bind(scope.divisions())
    .bind(scope.industries())
    .bind(scope.subject())
    .bind(filter.party.as_ref().map(Uscc::as_str))
    .bind(filter.organ.as_ref().map(Uscc::as_str))
    .bind(filter.state.map(i32::from))
    .bind(paging.fetch())
    .fetch_all(&mut *db.reader().await?)
    .await
    .map_err(DbError::while_("listing cases"))?;
    paging.page(rows)
}
