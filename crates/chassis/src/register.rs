//! What a context knows of divisions, organisations and enterprises, and of agencies where they call it.

mod agencies;
mod bodies;
mod keep;
mod recent;
mod rows;

use std::sync::Arc;

use onenet_eventstore::{Db, DbError, sqlx};
use onenet_kernel::{Corrupt, Recorded};
use onenet_proto::enterprise::v1::{
    Division, EnterpriseState, EnterpriseView, Organisation, OrganisationFunction,
};
use prost::Message;

use self::recent::Recent;
pub use self::{
    agencies::KeepAgencies,
    bodies::{covers, may_punish},
    keep::KeepRegister,
};
use crate::{
    AgencyStanding,
    view::{decode, one},
};

/// Reads the register of this context. What callers and divisions are may be a second old, unless a
/// call names receipts to be as fresh as.
#[derive(Clone)]
pub struct Register {
    db: Db,
    recent: Arc<RecentlyRead>,
}

/// What a caller is: its office, and what it is as an agency.
type Standing = (Option<Organisation>, Option<AgencyStanding>);

#[derive(Default)]
struct RecentlyRead {
    standings: Recent<(String, [u8; 32]), Standing>,
    divisions: Recent<String, Division>,
    chains: Recent<String, Vec<String>>,
}

impl Register {
    /// The register in the schema of `db`.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db, recent: Arc::default() }
    }

    /// Reads anew from now on, whatever was read a moment ago.
    pub(crate) fn look_again(&self) {
        self.recent.standings.forget();
        self.recent.divisions.forget();
        self.recent.chains.forget();
    }

    /// A division.
    pub async fn division(&self, code: &str) -> Result<Option<Division>, DbError> {
        let read = || one(&self.db, "select view from divisions where code = $1", code);
        self.recent.divisions.or_read(code.to_owned(), read).await
    }

    /// A public body.
    pub async fn organisation(&self, uscc: &str) -> Result<Option<Organisation>, DbError> {
        one(&self.db, "select view from organisations where uscc = $1", uscc).await
    }

    /// What a caller is: its office, and what it is as an agency with this certificate.
    pub(crate) async fn standing(
        &self,
        uscc: &str,
        certificate_sha256: &[u8; 32],
    ) -> Result<Standing, DbError> {
        let read = || async {
            let standing = self.read_standing(uscc, certificate_sha256).await?;
            Ok(Some(standing).filter(|standing| *standing != (None, None)))
        };
        let key = (uscc.to_owned(), *certificate_sha256);
        Ok(self.recent.standings.or_read(key, read).await?.unwrap_or_default())
    }

    async fn read_standing(
        &self,
        uscc: &str,
        certificate_sha256: &[u8; 32],
    ) -> Result<Standing, DbError> {
        let doing = || DbError::while_("reading what a caller is");
        let query = sqlx::query_as(
            "select o.view, a.division, $2 = any(a.certificates) from (select) caller
                left join organisations o on o.uscc = $1
                left join known_agencies a on a.uscc = $1",
        )
        .bind(uscc)
        .bind(certificate_sha256.as_slice());
        let (office, division, is_certificate_registered): (
            Option<Vec<u8>>,
            Option<String>,
            Option<bool>,
        ) = self
            .db
            .answered(query.fetch_one(&mut *self.db.reader().await?))
            .await
            .map_err(doing())?;
        let office = office.map(|bytes| decode(&bytes)).transpose();
        let office = office.map_err(|error| doing()(sqlx::Error::Decode(Box::new(error))))?;
        let agency = division.map(|division| {
            let is_certificate_registered = is_certificate_registered.unwrap_or_default();
            AgencyStanding { division, is_certificate_registered }
        });
        Ok((office, agency))
    }

    /// Public bodies of a division with one of these functions, in the order of their codes; none in
    /// a placeholder, which is never an authority.
    pub async fn bodies(
        &self,
        division: &str,
        functions: &[OrganisationFunction],
    ) -> Result<Vec<Organisation>, DbError> {
        let doing = || DbError::while_("reading the bodies of a division");
        let query = sqlx::query_scalar(
            "select o.view from organisations o
                join divisions d on d.code = o.division and not d.is_placeholder
             where o.division = $1 order by o.uscc",
        )
        .bind(division);
        let views: Vec<Vec<u8>> = self
            .db
            .answered(query.fetch_all(&mut *self.db.reader().await?))
            .await
            .map_err(doing())?;
        let bodies: Result<Vec<Organisation>, _> =
            views.iter().map(|bytes| decode(bytes)).collect();
        let mut bodies = bodies.map_err(|error| doing()(sqlx::Error::Decode(Box::new(error))))?;
        bodies.retain(|body| body.functions().any(|function| functions.contains(&function)));
        Ok(bodies)
    }

    /// An enterprise, registered or proposed.
    pub async fn enterprise(&self, uscc: &str) -> Result<Option<EnterpriseView>, DbError> {
        one(&self.db, "select view from enterprises where uscc = $1", uscc).await
    }

    /// A registered enterprise.
    pub async fn registered(
        &self,
        uscc: &str,
    ) -> Result<Option<onenet_proto::enterprise::v1::Enterprise>, DbError> {
        let view = self.enterprise(uscc).await?;
        Ok(view
            .filter(|view| view.state() == EnterpriseState::Registered)
            .and_then(|view| view.enterprise))
    }

    /// The division and all above it by jurisdiction, itself first; empty where it is not known.
    pub async fn chain(&self, code: &str) -> Result<Vec<String>, DbError> {
        let read = || async {
            let chain = self.read_chain(code).await?;
            Ok(Some(chain).filter(|chain| !chain.is_empty()))
        };
        Ok(self.recent.chains.or_read(code.to_owned(), read).await?.unwrap_or_default())
    }

    async fn read_chain(&self, code: &str) -> Result<Vec<String>, DbError> {
        let query = sqlx::query_scalar(
            "with recursive chain (code, parent, depth) as (
                select code, jurisdiction_parent, 0 from divisions where code = $1
                union all
                select d.code, d.jurisdiction_parent, depth + 1
                    from chain join divisions d on d.code = chain.parent where depth < 10)
             select code from chain order by depth",
        )
        .bind(code);
        self.db
            .answered(query.fetch_all(&mut *self.db.reader().await?))
            .await
            .map_err(DbError::while_("reading the divisions above one"))
    }

    /// The division and all below it by jurisdiction; empty where it is not known.
    pub async fn subtree(&self, code: &str) -> Result<Vec<String>, DbError> {
        let query = sqlx::query_scalar(
            "with recursive below (code) as (
                select code from divisions where code = $1
                union
                select d.code from below join divisions d on d.jurisdiction_parent = below.code)
             select code from below",
        )
        .bind(code);
        self.db
            .answered(query.fetch_all(&mut *self.db.reader().await?))
            .await
            .map_err(DbError::while_("reading the divisions below one"))
    }
}

/// The message an event carries.
pub fn payload<M: Message + Default>(event: &Recorded) -> Result<M, Corrupt> {
    M::decode(&*event.payload).map_err(|error| Corrupt::new(&event.event_type, error))
}
