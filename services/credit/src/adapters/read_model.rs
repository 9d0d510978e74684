//! Credit cases, judgements and the blacklist as they stand, folded from the own log, and the queries
//! they answer.

mod fold;

use onenet_chassis::{
    Refusal, Scope,
    view::{self, Paging},
};
use onenet_eventstore::{Db, DbError, HandleError, Handler, sqlx, sqlx::PgConnection};
use onenet_kernel::{Aggregate as _, Corrupt, Recorded, WireEvent as _};
use onenet_proto::{
    common::v1::Page,
    credit::v1::{
        BlacklistRecord, CreditCaseState, CreditCaseView, GetPenaltyJudgementResponse, Subject,
    },
};
use onenet_standards::Uscc;
use prost::Message as _;

use crate::{
    adapters::wire::blacklist,
    domain::{DishonestSubjectEvent as Event, ListingReader},
};

/// Folds the events of subjects into their views.
pub(crate) struct ReadModel;

impl Handler for ReadModel {
    fn name(&self) -> &'static str {
        "read_model"
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        if event.stream.category() == ListingReader::CATEGORY {
            return Ok(());
        }
        let decoded = Event::decode(&event.event_type, &event.payload)?;
        keep_cases(tx, event, &decoded).await?;
        if let Some((penalty_case_id, judgement)) = fold::judgement(&decoded) {
            keep_judgement(tx, &event.key.subject, &penalty_case_id, &judgement).await?;
        }
        if let Some(record) = blacklist::record(&decoded, event.position) {
            keep_record(tx, &record).await?;
        }
        Ok(())
    }
}

/// Writes every case of the subject, since each shows the version of the subject's stream.
async fn keep_cases(
    tx: &mut PgConnection,
    event: &Recorded,
    decoded: &Event,
) -> Result<(), HandleError> {
    let rows: Vec<Vec<u8>> =
        sqlx::query_scalar("select view from credit_cases where subject = $1 for update")
            .bind(&event.key.subject)
            .fetch_all(&mut *tx)
            .await?;
    let mut cases: Vec<CreditCaseView> =
        rows.iter().map(|bytes| view::decode(bytes)).collect::<Result<_, _>>()?;
    if let Some(opened) = fold::opened(decoded) {
        cases.retain(|case| case.credit_case_id != opened.credit_case_id);
        cases.push(opened);
    } else if let Some(credit_case_id) = fold::case_of(decoded) {
        let own = cases.iter_mut().find(|case| case.credit_case_id == credit_case_id);
        let unknown = || Corrupt::new(&event.event_type, "its case was not opened");
        fold::change(own.ok_or_else(unknown)?, decoded);
    }
    for mut case in cases {
        case.version = event.version.0;
        keep_case(tx, &case).await?;
    }
    Ok(())
}

async fn keep_case(tx: &mut PgConnection, case: &CreditCaseView) -> Result<(), HandleError> {
    let Subject { uscc, division, industry, .. } = case.subject.clone().unwrap_or_default();
    let organ = case.penalty.as_ref().map(|penalty| penalty.organ.as_str()).unwrap_or_default();
    sqlx::query(
        "insert into credit_cases (credit_case_id, subject, organ, division, industry, state, view)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (credit_case_id) do update set state = excluded.state, view = excluded.view",
    )
    .bind(&case.credit_case_id)
    .bind(uscc)
    .bind(organ)
    .bind(division)
    .bind(industry)
    .bind(case.state)
    .bind(case.encode_to_vec())
    .execute(tx)
    .await?;
    Ok(())
}

async fn keep_judgement(
    tx: &mut PgConnection,
    subject: &str,
    penalty_case_id: &str,
    judgement: &GetPenaltyJudgementResponse,
) -> Result<(), HandleError> {
    sqlx::query(
        "insert into penalty_judgements (penalty_case_id, subject, view) values ($1, $2, $3)
         on conflict (penalty_case_id) do update set view = excluded.view",
    )
    .bind(penalty_case_id)
    .bind(subject)
    .bind(judgement.encode_to_vec())
    .execute(tx)
    .await?;
    Ok(())
}

async fn keep_record(tx: &mut PgConnection, record: &BlacklistRecord) -> Result<(), HandleError> {
    sqlx::query(
        "insert into blacklist (subject, view) values ($1, $2)
         on conflict (subject) do update set view = excluded.view",
    )
    .bind(&record.subject)
    .bind(record.encode_to_vec())
    .execute(tx)
    .await?;
    Ok(())
}

/// What a list of credit cases is narrowed to.
pub(crate) struct CreditCaseFilter {
    pub(crate) subject: Option<Uscc>,
    pub(crate) organ: Option<Uscc>,
    pub(crate) state: Option<CreditCaseState>,
}

pub(crate) async fn credit_case(db: &Db, id: &str) -> Result<Option<CreditCaseView>, DbError> {
    view::one(db, "select view from credit_cases where credit_case_id = $1", id).await
}

pub(crate) async fn blacklist_record(
    db: &Db,
    subject: &str,
) -> Result<Option<BlacklistRecord>, DbError> {
    view::one(db, "select view from blacklist where subject = $1", subject).await
}

/// What became of a penalty, and whose it was.
pub(crate) async fn judgement(
    db: &Db,
    penalty_case_id: &str,
) -> Result<Option<(String, GetPenaltyJudgementResponse)>, Refusal> {
    let row: Option<(String, Vec<u8>)> =
        sqlx::query_as("select subject, view from penalty_judgements where penalty_case_id = $1")
            .bind(penalty_case_id)
            .fetch_optional(&mut *db.reader().await?)
            .await
            .map_err(DbError::while_("reading what became of a penalty"))?;
    let Some((subject, bytes)) = row else { return Ok(None) };
    Ok(Some((subject, view::decode(&bytes)?)))
}

pub(crate) async fn credit_cases(
    db: &Db,
    paging: &Paging,
    scope: &Scope,
    filter: &CreditCaseFilter,
) -> Result<(Vec<CreditCaseView>, Page), Refusal> {
    let rows = sqlx::query_as(
        "select credit_case_id, view from credit_cases
         where credit_case_id > $1
            and ($2::text[] is null or division = any($2))
            and (cardinality($3::text[]) = 0
                or exists (select from unnest($3) prefix where starts_with(industry, prefix)))
            and ($4::text is null or subject = $4)
            and ($5::text is null or subject = $5)
            and ($6::text is null or organ = $6)
            and ($7::integer is null or state = $7)
         order by credit_case_id limit $8",
    )
    .bind(&paging.after)
    .bind(scope.divisions())
    .bind(scope.industries())
    .bind(scope.subject())
    .bind(filter.subject.as_ref().map(Uscc::as_str))
    .bind(filter.organ.as_ref().map(Uscc::as_str))
    .bind(filter.state.map(i32::from))
    .bind(paging.fetch())
    .fetch_all(&mut *db.reader().await?)
    .await
    .map_err(DbError::while_("listing credit cases"))?;
    paging.page(rows)
}
