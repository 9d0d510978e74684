use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::civil::Date;
use onenet_chassis::view::decode;
use onenet_eventstore::{Db, DbError, sqlx};
use onenet_kernel::Corrupt;
use onenet_proto::exchange::v1::{Agency, GrantView};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{domain::Grant, feed::FeedEvent};

/// How soon a change of grants or divisions is felt by running streams.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Steps to the top of the division tree: no tree of the field is deeper.
const MOST_LEVELS: usize = 10;

/// What rights are judged by, in memory: divisions by jurisdiction, agencies, grants.
#[derive(Debug, Default)]
pub struct Snapshot {
    parents: HashMap<String, Option<String>>,
    /// The certificates each may connect with.
    agencies: HashMap<String, HashSet<String>>,
    grants: HashMap<String, Vec<Grant>>,
    mark: String,
}

impl Snapshot {
    /// Of divisions with the one above each, agencies with their certificates, and grants that were not revoked.
    pub fn new(
        divisions: impl IntoIterator<Item = (String, Option<String>)>,
        agencies: impl IntoIterator<Item = (String, HashSet<String>)>,
        given: impl IntoIterator<Item = Grant>,
    ) -> Self {
        let (parents, agencies) = (divisions.into_iter().collect(), agencies.into_iter().collect());
        let mut grants: HashMap<String, Vec<Grant>> = HashMap::new();
        for grant in given {
            grants.entry(grant.agency.to_string()).or_default().push(grant);
        }
        Self { parents, agencies, grants, mark: String::new() }
    }

    /// The division and all above it by jurisdiction, if it is known.
    #[must_use]
    pub fn chain(&self, code: &str) -> Option<Vec<String>> {
        let mut chain = vec![self.parents.get_key_value(code)?.0.clone()];
        while chain.len() < MOST_LEVELS {
            let above = chain.last().and_then(|code| self.parents.get(code));
            let Some(Some(parent)) = above else { break };
            chain.push(parent.clone());
        }
        Some(chain)
    }

    /// The grants that an agency may use on a day.
    pub fn in_force(&self, subscriber: &str, today: Date) -> impl Iterator<Item = &Grant> {
        let grants = self.grants.get(subscriber).map(Vec::as_slice).unwrap_or_default();
        grants.iter().filter(move |grant| grant.terms.covers(today))
    }

    /// How many grants may be used on a day.
    #[must_use]
    pub fn all_in_force(&self, today: Date) -> usize {
        let grants = self.grants.values().flatten();
        grants.filter(|grant| grant.terms.covers(today)).count()
    }

    /// Whether somebody may go on with the certificate it came with; only agencies' are registered.
    #[must_use]
    pub fn accepts(&self, subscriber: &str, certificate_sha256: &str) -> bool {
        let registered = self.agencies.get(subscriber);
        registered.is_none_or(|certificates| certificates.contains(certificate_sha256))
    }

    /// Whether an event may be sent: by a grant, or because it is about the subscriber itself.
    #[must_use]
    pub fn may_receive(&self, subscriber: &str, event: &FeedEvent, today: Date) -> bool {
        event.is_shared
            && (event.subject == subscriber
                || self.in_force(subscriber, today).any(|grant| opens(grant, event)))
    }
}

/// Whether a grant lets an event pass, on a day it is in force.
pub(super) fn opens(grant: &Grant, event: &FeedEvent) -> bool {
    let terms = &grant.terms;
    let is_own_industry = |prefix: &String| event.industry.starts_with(prefix.as_str());
    terms.event_types.contains(&event.event_type)
        && event.chain.contains(&terms.subtree)
        && (terms.industries.is_empty() || terms.industries.iter().any(is_own_industry))
}

/// Keeps the newest snapshot for everybody who judges.
#[derive(Clone)]
pub struct Directory {
    db: Db,
    newest: Arc<watch::Sender<Arc<Snapshot>>>,
}

impl Directory {
    /// Empty until it is first read.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db, newest: Arc::new(watch::Sender::default()) }
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.newest.borrow())
    }

    /// Hears of each new snapshot.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.newest.subscribe()
    }

    /// Reads anew whenever the followers behind it have moved on, until `stop`.
    pub async fn keep(&self, stop: &CancellationToken) {
        loop {
            if let Err(error) = self.read_if_changed().await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "rights are judged by what was read before");
            }
            if stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
                return;
            }
        }
    }

    async fn read_if_changed(&self) -> Result<(), DbError> {
        if self.mark().await? != self.newest.borrow().mark {
            self.read().await?;
        }
        Ok(())
    }

    /// Reads now: for an event whose division came after the last look.
    pub async fn read(&self) -> Result<(), DbError> {
        // before the rest: what moves on meanwhile is read once more
        let mark = self.mark().await?;
        let doing = || DbError::while_("reading who may receive what");
        let mut connection = self.db.reader().await?;
        let reading = async {
            let divisions: Vec<(String, Option<String>)> =
                sqlx::query_as("select code, jurisdiction_parent from divisions")
                    .fetch_all(&mut *connection)
                    .await?;
            let agencies: Vec<(String, Vec<u8>)> =
                sqlx::query_as("select uscc, view from agencies")
                    .fetch_all(&mut *connection)
                    .await?;
            let views: Vec<Vec<u8>> =
                sqlx::query_scalar("select view from grants where not is_revoked")
                    .fetch_all(&mut *connection)
                    .await?;
            Ok((divisions, agencies, views))
        };
        let (divisions, agencies, views) = self.db.answered(reading).await.map_err(doing())?;
        let grants: Result<Vec<Grant>, _> = views.iter().map(|bytes| grant(bytes)).collect();
        let grants = grants.map_err(|error| doing()(sqlx::Error::Decode(error)))?;
        let certificates = |(uscc, bytes): (String, Vec<u8>)| {
            let agency: Agency = decode(&bytes)?;
            Ok((uscc, agency.certificate_sha256.into_iter().collect()))
        };
        let agencies: Result<Vec<_>, Corrupt> = agencies.into_iter().map(certificates).collect();
        let agencies =
            agencies.map_err(|corrupt| doing()(sqlx::Error::Decode(Box::new(corrupt))))?;
        let snapshot = Snapshot { mark, ..Snapshot::new(divisions, agencies, grants) };
        self.newest.send_replace(Arc::new(snapshot));
        Ok(())
    }

    /// Grows with every event the followers behind the snapshot have handled.
    async fn mark(&self) -> Result<String, DbError> {
        let query = sqlx::query_scalar(
            "select coalesce(string_agg(concat_ws(' ', source, partition, log_epoch, position), ','
                order by source, partition), '')
             from checkpoints where follower in ('register', 'read_model')",
        );
        self.db
            .answered(query.fetch_one(&mut *self.db.reader().await?))
            .await
            .map_err(DbError::while_("asking whether rights have changed"))
    }
}

/// A grant from its stored view.
pub(super) fn grant(bytes: &[u8]) -> Result<Grant, Box<dyn std::error::Error + Send + Sync>> {
    let view: GrantView = decode(bytes)?;
    Ok(view.grant.unwrap_or_default().try_into()?)
}

#[cfg(test)]
mod tests {
    use onenet_eventstore::testing::{Scratch, half_open::strandable};

    use super::*;

    /// A connection that says nothing more is given up: rights must not stay as they were for good.
    #[tokio::test]
    async fn rights_are_read_anew_after_a_connection_that_says_nothing_more() {
        let scratch = Scratch::create(onenet_devservers::shared_postgres().unwrap()).await.unwrap();
        scratch.log("feed", &[]).await.unwrap();
        let mut owner = scratch.owner("feed").await.unwrap();
        let mut run = async |statements: &'static str| {
            sqlx::raw_sql(statements).execute(&mut owner).await.unwrap();
        };
        run("create table divisions (code text, jurisdiction_parent text);
             create table agencies (uscc text, view bytea);
             create table grants (view bytea, is_revoked boolean);
             insert into divisions values ('41', null);
             insert into checkpoints (follower, source, partition, owner, epoch, until, position)
                values ('register', 'log', 0, gen_random_uuid(), 1, '-infinity', 1);
             grant all on divisions, agencies, grants to onenet_test")
        .await;
        let (settings, strand) = strandable(scratch.settings("feed")).await.unwrap();
        let directory = Directory::new(Db::connect(&settings).await.unwrap());
        let (mut changes, stop) = (directory.changes(), CancellationToken::new());
        tokio::spawn(async move { directory.keep(&stop).await });
        changes.wait_for(|snapshot| snapshot.chain("41").is_some()).await.unwrap();
        until_it_rests(&scratch).await;
        strand.send(()).unwrap();
        run("insert into divisions values ('4101', '41'); update checkpoints set position = 2")
            .await;
        let knows_more = changes.wait_for(|snapshot| snapshot.chain("4101").is_some());
        let read = tokio::time::timeout(Duration::from_secs(20), knows_more).await;
        read.expect("they are read").unwrap();
    }

    /// Until the connection is back in its pool, between two looks.
    async fn until_it_rests(scratch: &Scratch) {
        let mut owner = scratch.owner("feed").await.unwrap();
        let rests = "select exists (select from pg_stat_activity
            where datname = current_database() and application_name = 'onenet feed'
                and state = 'idle' and state_change < clock_timestamp() - interval '50 ms')";
        let resting = async {
            while !sqlx::query_scalar::<_, bool>(rests).fetch_one(&mut owner).await.unwrap() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), resting).await.expect("it rests");
    }
}
