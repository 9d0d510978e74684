use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use onenet_chassis::{
    day::SystemClock,
    testing::{papers::grant_terms, uscc},
};
use onenet_kernel::{Clock as _, Timestamp};
use onenet_proto::{
    common::v1::Receipt,
    exchange::v1::{
        GiveGrantRequest, GrantTerms, ListGrantsRequest, RevokeGrantRequest,
        exchange_service_client::ExchangeServiceClient,
    },
};
use tonic::Status;

use crate::{
    ask::{answered, timed},
    asker::Asker,
    officer::key,
    rights::{Felt, Grant, Scope},
    seen::Context,
};

/// How long running streams may take to feel a change that the node knows; and what a busy machine adds.
const FELT_WITHIN: Duration = Duration::from_secs(3);
/// Milliseconds for which a grant is in force, and for which none is: long enough that it can be told which.
const GIVEN: Range<u64> = 4_000..9_000;
const REVOKED: Range<u64> = 6_000..12_000;

/// The authority that gives an agency a grant, revokes it, and gives it again.
pub(crate) struct Province {
    asker: Asker,
    agency: u32,
    /// What it gives, one of these each time.
    scopes: Vec<Scope>,
    given: Arc<Grants>,
}

/// The grants of an agency as their authority knows them.
#[derive(Default)]
pub(crate) struct Grants(Mutex<Vec<Term>>);

/// When something was asked for, and when it was seen to have come.
#[derive(Clone, Copy)]
struct Seen {
    from: Timestamp,
    known: Option<Timestamp>,
}

#[derive(Clone)]
struct Term {
    scope: Scope,
    given: Seen,
    revoked: Option<Seen>,
}

/// A time in which the database was not there as it should be: a change of rights cannot be read in it.
pub(crate) type Disturbance = (Timestamp, Timestamp);

impl Grants {
    /// When each change was felt, where these times do not count.
    pub(crate) fn felt(&self, disturbed: &[Disturbance]) -> Vec<Grant> {
        let felt = |seen: Seen| {
            let until = seen.known.map_or(NEVER, |known| felt_after(known, disturbed));
            Felt { from: seen.from, until }
        };
        let terms = self.with(|terms| terms.clone());
        let grants = terms.into_iter().map(|Term { scope, given, revoked }| Grant {
            scope,
            given: felt(given),
            revoked: revoked.map(felt),
        });
        grants.collect()
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<Term>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

const NEVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// The end of so much undisturbed time after it.
fn felt_after(known: Timestamp, disturbed: &[Disturbance]) -> Timestamp {
    let mut left = micros(FELT_WITHIN);
    let mut at = known.as_micros();
    for (from, until) in disturbed.iter().map(|(a, b)| (a.as_micros(), b.as_micros())) {
        if until <= at {
            continue;
        }
        if from >= at + left {
            break;
        }
        left -= (from - at).max(0);
        at = until;
    }
    Timestamp::from_micros(at + left)
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

impl Province {
    pub(crate) fn new(asker: Asker, agency: u32, scopes: Vec<Scope>, given: Arc<Grants>) -> Self {
        Self { asker, agency, scopes, given }
    }

    /// Until it is told to stop.
    pub(crate) async fn run(mut self) {
        while self.give_and_revoke().await.is_some() {}
    }

    async fn give_and_revoke(&mut self) -> Option<()> {
        let from = SystemClock.now();
        let given = Seen { from, known: None };
        let scope = self.asker.chance.choice(&self.scopes).cloned()?;
        let terms = terms_of(&scope);
        self.given.with(|terms| terms.push(Term { scope, given, revoked: None }));
        let give = GiveGrantRequest {
            agency: uscc(self.agency),
            terms: Some(terms),
            ..GiveGrantRequest::default()
        };
        let receipt = self.asker.insist(give).await?;
        let known = Some(self.known(&receipt).await?);
        self.last(|term| term.given = Seen { from, known });
        self.stand(GIVEN).await?;

        let from = SystemClock.now();
        self.last(|term| term.revoked = Some(Seen { from, known: None }));
        let (grant_id, reason) = (key(&receipt), "用途变更".to_owned());
        let revoke = RevokeGrantRequest { grant_id, reason, ..RevokeGrantRequest::default() };
        let receipt = self.asker.insist(revoke).await?;
        let known = Some(self.known(&receipt).await?);
        self.last(|term| term.revoked = Some(Seen { from, known }));
        self.stand(REVOKED).await
    }

    fn last(&self, change: impl FnOnce(&mut Term)) {
        self.given.with(|terms| terms.last_mut().map(change));
    }

    async fn stand(&mut self, millis: Range<u64>) -> Option<()> {
        let time = Duration::from_millis(self.asker.chance.u64(millis));
        self.asker.pause(time).await
    }

    /// When the node's own list of grants was seen to be as fresh as a change of them.
    async fn known(&self, changed: &Receipt) -> Option<Timestamp> {
        while self.list(changed).await.is_err() {
            self.asker.before_again().await?;
        }
        Some(SystemClock.now())
    }

    async fn list(&self, changed: &Receipt) -> Result<(), Status> {
        let channel = self.asker.caller.channel(Context::Exchange)?;
        let (fresh_as, agency) = (vec![changed.clone()], Some(uscc(self.agency)));
        let ask = ListGrantsRequest { fresh_as, agency, ..ListGrantsRequest::default() };
        answered(ExchangeServiceClient::new(channel).list_grants(timed(ask))).await.map(drop)
    }
}

fn terms_of(scope: &Scope) -> GrantTerms {
    let Scope { event_types, subtree, industries, .. } = scope.clone();
    let whole = grant_terms(&[]);
    let subtree = subtree.unwrap_or(whole.subtree);
    GrantTerms { event_types, subtree, industries, ..whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_felt_after_so_much_time_in_which_the_database_was_there() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        assert_eq!(felt_after(at(10), &[]), at(13));
        assert_eq!(felt_after(at(10), &[(at(1), at(9)), (at(14), at(20))]), at(13));
        assert_eq!(felt_after(at(10), &[(at(9), at(15))]), at(18));
        assert_eq!(felt_after(at(10), &[(at(11), at(15)), (at(16), at(20))]), at(21));
    }
}
