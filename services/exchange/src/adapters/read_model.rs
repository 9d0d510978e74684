//! Agencies and grants as they stand.

use onenet_chassis::{
    Refusal, Scope,
    register::payload,
    view::{Paging, decode},
};
use onenet_eventstore::{Db, DbError, HandleError, Handler, sqlx, sqlx::PgConnection};
use onenet_kernel::{Corrupt, Recorded};
use onenet_proto::{
    common::v1::Page,
    exchange::v1::{
        Agency, AgencyCertificatesReplaced, AgencyRegistered, GrantGiven, GrantRevoked, GrantView,
    },
};
use prost::Message as _;
use uuid::Uuid;

use super::wire::{AGENCY_CERTIFICATES_REPLACED, AGENCY_REGISTERED, GRANT_GIVEN, GRANT_REVOKED};

/// Keeps agencies and grants from the own log.
pub(crate) struct ReadModel;

impl Handler for ReadModel {
    fn name(&self) -> &'static str {
        "read_model"
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        match event.event_type.as_str() {
            AGENCY_REGISTERED => {
                let agency = payload::<AgencyRegistered>(event)?.agency.unwrap_or_default();
                keep_agency(tx, &agency).await?;
            }
            AGENCY_CERTIFICATES_REPLACED => {
                let replaced: AgencyCertificatesReplaced = payload(event)?;
                let bytes: Vec<u8> =
                    sqlx::query_scalar("select view from agencies where uscc = $1")
                        .bind(&replaced.agency)
                        .fetch_one(&mut *tx)
                        .await?;
                let certificate_sha256 = replaced.certificate_sha256;
                keep_agency(tx, &Agency { certificate_sha256, ..decode(&bytes)? }).await?;
            }
            GRANT_GIVEN => {
                let grant = payload::<GrantGiven>(event)?.grant;
                let view = GrantView { grant, revocation: None, version: event.version.0 };
                keep_grant(tx, &view).await?;
            }
            GRANT_REVOKED => {
                let revoked: GrantRevoked = payload(event)?;
                let bytes: Vec<u8> =
                    sqlx::query_scalar("select view from grants where grant_id = $1")
                        .bind(id(event, &revoked.grant_id)?)
                        .fetch_one(&mut *tx)
                        .await?;
                let mut view: GrantView = decode(&bytes)?;
                (view.revocation, view.version) = (revoked.revocation, event.version.0);
                keep_grant(tx, &view).await?;
            }
            _ => return Err(Corrupt::unknown_type(&event.event_type).into()),
        }
        Ok(())
    }
}

fn id(event: &Recorded, text: &str) -> Result<Uuid, Corrupt> {
    text.parse().map_err(|error| Corrupt::new(&event.event_type, error))
}

async fn keep_agency(tx: &mut PgConnection, agency: &Agency) -> Result<(), HandleError> {
    sqlx::query(
        "insert into agencies (uscc, view) values ($1, $2)
         on conflict (uscc) do update set view = excluded.view",
    )
    .bind(&agency.uscc)
    .bind(agency.encode_to_vec())
    .execute(tx)
    .await?;
    Ok(())
}

async fn keep_grant(tx: &mut PgConnection, view: &GrantView) -> Result<(), HandleError> {
    let grant = view.grant.clone().unwrap_or_default();
    let subtree = grant.terms.map(|terms| terms.subtree).unwrap_or_default();
    sqlx::query(
        "insert into grants (grant_id, agency, subtree, is_revoked, view)
         values ($1::text::uuid, $2, $3, $4, $5)
         on conflict (grant_id) do update set is_revoked = excluded.is_revoked,
            view = excluded.view",
    )
    .bind(&grant.grant_id)
    .bind(&grant.agency)
    .bind(subtree)
    .bind(view.revocation.is_some())
    .bind(view.encode_to_vec())
    .execute(tx)
    .await?;
    Ok(())
}

/// Grants of an area, or of one agency.
pub(crate) async fn grants(
    db: &Db,
    paging: &Paging,
    scope: &Scope,
    agency: Option<&str>,
) -> Result<(Vec<GrantView>, Page), Refusal> {
    let rows = sqlx::query_as(
        "select grant_id::text, view from grants
         where grant_id::text > $1
            and ($2::text[] is null or subtree = any($2))
            and ($3::text is null or agency = $3)
            and ($4::text is null or agency = $4)
         order by grant_id::text limit $5",
    )
    .bind(&paging.after)
    .bind(scope.divisions())
    .bind(scope.subject())
    .bind(agency)
    .bind(paging.fetch())
    .fetch_all(&mut *db.reader().await?)
    .await
    .map_err(DbError::while_("listing grants"))?;
    paging.page(rows)
}
