use onenet_chassis::{
    Refusal, Scope,
    view::{self, Paging},
};
use onenet_eventstore::{Db, DbError, HandleError, sqlx, sqlx::PgConnection};
use onenet_kernel::{Recorded, WireEvent as _};
use onenet_proto::{common::v1::Page, enforcement::v1::Clue};
use onenet_standards::Uscc;
use prost::Message as _;

use crate::domain::ClueEvent;

/// Keeps a clue as it was recorded.
pub(super) async fn handle(tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
    let ClueEvent::ClueRecorded { danger } = ClueEvent::decode(&event.event_type, &event.payload)?;
    let view: Clue = (&*danger).into();
    sqlx::query(
        "insert into clues (clue_id, enterprise, organ, division, industry, view)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (clue_id) do nothing",
    )
    .bind(&view.clue_id)
    .bind(&view.enterprise)
    .bind(&view.organ)
    .bind(&view.division)
    .bind(&view.industry)
    .bind(view.encode_to_vec())
    .execute(tx)
    .await?;
    Ok(())
}

/// What a list of clues is narrowed to.
pub(crate) struct ClueFilter {
    pub(crate) enterprise: Option<Uscc>,
    pub(crate) organ: Option<Uscc>,
}

pub(crate) async fn clue(db: &Db, clue_id: &str) -> Result<Option<Clue>, DbError> {
    view::one(db, "select view from clues where clue_id = $1", clue_id).await
}

pub(crate) async fn clues(
    db: &Db,
    paging: &Paging,
    scope: &Scope,
    filter: &ClueFilter,
) -> Result<(Vec<Clue>, Page), Refusal> {
    let rows = sqlx::query_as(
        "select clue_id, view from clues
         where clue_id > $1
            and ($2::text[] is null or division = any($2))
            and (cardinality($3::text[]) = 0
                or exists (select from unnest($3) prefix where starts_with(industry, prefix)))
            and ($4::text is null or enterprise = $4)
            and ($5::text is null or organ = $5)
         order by clue_id limit $6",
    )
    .bind(&paging.after)
    .bind(scope.divisions())
    .bind(scope.industries())
    .bind(filter.enterprise.as_ref().map(Uscc::as_str))
    .bind(filter.organ.as_ref().map(Uscc::as_str))
    .bind(paging.fetch())
    .fetch_all(&mut *db.reader().await?)
    .await
    .map_err(DbError::while_("listing clues"))?;
    paging.page(rows)
}
