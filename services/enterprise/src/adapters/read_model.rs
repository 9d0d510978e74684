//! Lists of the register; single entries are read through `onenet_chassis::register`.

use onenet_chassis::{Refusal, Scope, view::Paging};
use onenet_eventstore::{Db, DbError, sqlx};
use onenet_proto::{
    common::v1::Page,
    enterprise::v1::{Division, EnterpriseState, EnterpriseView, Organisation},
};

/// What a list of enterprises is narrowed to.
pub(crate) struct EnterpriseFilter {
    pub(crate) industry: Option<String>,
    pub(crate) key_only: bool,
    pub(crate) state: Option<EnterpriseState>,
}

pub(crate) async fn divisions(
    db: &Db,
    paging: &Paging,
    codes: Option<&[String]>,
) -> Result<(Vec<Division>, Page), Refusal> {
    let rows = sqlx::query_as(
        "select code, view from divisions
         where code > $1 and ($2::text[] is null or code = any($2)) order by code limit $3",
    )
    .bind(&paging.after)
    .bind(codes)
    .bind(paging.fetch())
    .fetch_all(&mut *db.reader().await?)
    .await
    .map_err(DbError::while_("listing divisions"))?;
    paging.page(rows)
}

pub(crate) async fn organisations(
    db: &Db,
    paging: &Paging,
    codes: Option<&[String]>,
) -> Result<(Vec<Organisation>, Page), Refusal> {
    let rows = sqlx::query_as(
        "select uscc, view from organisations
         where uscc > $1 and ($2::text[] is null or division = any($2)) order by uscc limit $3",
    )
    .bind(&paging.after)
    .bind(codes)
    .bind(paging.fetch())
    .fetch_all(&mut *db.reader().await?)
    .await
    .map_err(DbError::while_("listing organisations"))?;
    paging.page(rows)
}

pub(crate) async fn enterprises(
    db: &Db,
    paging: &Paging,
    scope: &Scope,
    filter: &EnterpriseFilter,
) -> Result<(Vec<EnterpriseView>, Page), Refusal> {
    let is_registered = filter.state.map(|state| state == EnterpriseState::Registered);
    let rows = sqlx::query_as(
        "select uscc, view from enterprises
         where uscc > $1
            and ($2::text[] is null or division = any($2))
            and (cardinality($3::text[]) = 0
                or exists (select from unnest($3) prefix where starts_with(industry, prefix)))
            and ($4::text is null or uscc = $4)
            and ($5::text is null or starts_with(industry, $5))
            and (not $6 or is_key)
            and ($7::boolean is null or is_registered = $7)
         order by uscc limit $8",
    )
    .bind(&paging.after)
    .bind(scope.divisions())
    .bind(scope.industries())
    .bind(scope.subject())
    .bind(&filter.industry)
    .bind(filter.key_only)
    .bind(is_registered)
    .bind(paging.fetch())
    .fetch_all(&mut *db.reader().await?)
    .await
    .map_err(DbError::while_("listing enterprises"))?;
    paging.page(rows)
}
