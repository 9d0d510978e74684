//! Major hazards and hidden dangers as they stand, folded from the own log, and the queries they answer.

pub(crate) mod hidden_danger;

use onenet_chassis::{
    Refusal, Scope,
    view::{self, Paging},
};
use onenet_eventstore::{Db, DbError, HandleError, Handler, sqlx, sqlx::PgConnection};
use onenet_kernel::{Aggregate as _, Corrupt, Recorded, WireEvent as _};
use onenet_proto::{
    common::v1::Page,
    hazard::v1::{FilingState, MajorHazardLevel, MajorHazardView},
};
use onenet_standards::Uscc;
use prost::Message as _;

use crate::domain::{HiddenDanger, MajorHazardEvent};

/// Folds the events of the own log into views.
pub(crate) struct ReadModel;

impl Handler for ReadModel {
    fn name(&self) -> &'static str {
        "read_model"
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        if event.stream.category() == HiddenDanger::CATEGORY {
            return hidden_danger::handle(tx, event).await;
        }
        let mut view = match MajorHazardEvent::decode(&event.event_type, &event.payload)? {
            MajorHazardEvent::MajorHazardIdentified {
                hazard_id,
                enterprise,
                division,
                industry,
                unit,
                assessment,
                identified_by,
                on_behalf,
            } => MajorHazardView {
                hazard_id: hazard_id.to_string(),
                enterprise: enterprise.to_string(),
                division,
                industry,
                unit: Some((&unit).into()),
                assessment: Some((&*assessment).into()),
                identified_by: identified_by.to_string(),
                on_behalf: on_behalf.as_ref().map(Into::into),
                filing_state: FilingState::Unfiled.into(),
                ..MajorHazardView::default()
            },
            MajorHazardEvent::MajorHazardFiled { filing, .. } => MajorHazardView {
                filing_state: FilingState::Filed.into(),
                filing: Some((&filing).into()),
                ..kept(tx, event).await?
            },
        };
        view.version = event.version.0;
        keep(tx, &view).await
    }
}

async fn kept(tx: &mut PgConnection, event: &Recorded) -> Result<MajorHazardView, HandleError> {
    let bytes: Option<Vec<u8>> =
        sqlx::query_scalar("select view from major_hazards where hazard_id = $1 for update")
            .bind(event.stream.key())
            .fetch_optional(tx)
            .await?;
    let unknown = || Corrupt::new(&event.event_type, "its major hazard was not identified");
    Ok(view::decode(&bytes.ok_or_else(unknown)?)?)
}

async fn keep(tx: &mut PgConnection, view: &MajorHazardView) -> Result<(), HandleError> {
    let level = view.assessment.as_ref().map(|assessment| assessment.level).unwrap_or_default();
    sqlx::query(
        "insert into major_hazards
            (hazard_id, enterprise, division, industry, level, filing_state, view)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (hazard_id) do update set level = excluded.level,
            filing_state = excluded.filing_state, view = excluded.view",
    )
    .bind(&view.hazard_id)
    .bind(&view.enterprise)
    .bind(&view.division)
    .bind(&view.industry)
    .bind(level)
    .bind(view.filing_state)
    .bind(view.encode_to_vec())
    .execute(tx)
    .await?;
    Ok(())
}

/// What a list of major hazards is narrowed to.
pub(crate) struct MajorHazardFilter {
    pub(crate) enterprise: Option<Uscc>,
    pub(crate) industry: Option<String>,
    pub(crate) level: Option<MajorHazardLevel>,
    pub(crate) filing_state: Option<FilingState>,
}

pub(crate) async fn major_hazard(db: &Db, id: &str) -> Result<Option<MajorHazardView>, DbError> {
    view::one(db, "select view from major_hazards where hazard_id = $1", id).await
}

pub(crate) async fn major_hazards(
    db: &Db,
    paging: &Paging,
    scope: &Scope,
    filter: &MajorHazardFilter,
) -> Result<(Vec<MajorHazardView>, Page), Refusal> {
    let rows = sqlx::query_as(
        "select hazard_id, view from major_hazards
         where hazard_id > $1
            and ($2::text[] is null or division = any($2))
            and (cardinality($3::text[]) = 0
                or exists (select from unnest($3) prefix where starts_with(industry, prefix)))
            and ($4::text is null or enterprise = $4)
            and ($5::text is null or enterprise = $5)
            and ($6::text is null or starts_with(industry, $6))
            and ($7::integer is null or level = $7)
            and ($8::integer is null or filing_state = $8)
         order by hazard_id limit $9",
    )
    .bind(&paging.after)
    .bind(scope.divisions())
    .bind(scope.industries())
    .bind(scope.subject())
    .bind(filter.enterprise.as_ref().map(Uscc::as_str))
    .bind(&filter.industry)
    .bind(filter.level.map(i32::from))
    .bind(filter.filing_state.map(i32::from))
    .bind(paging.fetch())
    .fetch_all(&mut *db.reader().await?)
    .await
    .map_err(DbError::while_("listing major hazards"))?;
    paging.page(rows)
}
