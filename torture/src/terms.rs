//! What an authority gives and takes back, and when everybody has to have felt it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use onenet_chassis::day::SystemClock;
use onenet_kernel::{Clock as _, Timestamp};

use crate::{
    rights::{Certificate, Felt, Grant, Scope},
    scopes::{FROM_THE_BEGINNING, steady_grant},
    seen::Agency,
};

/// How long running streams may take to feel a change that the node knows; and what a busy machine adds.
const FELT_WITHIN: Duration = Duration::from_secs(3);
const NEVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// What both agencies may use, as their authority knows it.
pub(crate) struct Rights {
    /// Of the agency whose grants change.
    pub(crate) grants: Terms<Scope>,
    /// Of the one whose certificates are replaced.
    pub(crate) certificates: Terms<usize>,
}

/// What was given, one after the other.
pub(crate) struct Terms<T>(Mutex<Vec<Term<T>>>);

/// When something was asked for, and when it was seen to have come.
#[derive(Clone, Copy)]
struct Seen {
    from: Timestamp,
    known: Option<Timestamp>,
}

#[derive(Clone)]
struct Term<T> {
    what: T,
    given: Seen,
    revoked: Option<Seen>,
}

/// A time in which the database was not there as it should be: a change of rights cannot be read in it.
pub(crate) type Disturbance = (Timestamp, Timestamp);

impl Default for Rights {
    /// Before anything else happens there is no grant, and the first certificate.
    fn default() -> Self {
        let Felt { from, until } = FROM_THE_BEGINNING;
        let given = Seen { from, known: Some(until) };
        let first = Term { what: 0, given, revoked: None };
        Self { grants: Terms(Mutex::default()), certificates: Terms(Mutex::new(vec![first])) }
    }
}

impl Rights {
    /// What an agency might have and come with, where these times do not count.
    pub(crate) fn of(
        &self,
        agency: Agency,
        disturbed: &[Disturbance],
    ) -> (Vec<Grant>, Vec<Certificate>) {
        let certificate = |(number, given, replaced)| Certificate { number, given, replaced };
        match agency {
            Agency::Steady => {
                let certificates = self.certificates.felt(disturbed);
                (vec![steady_grant()], certificates.into_iter().map(certificate).collect())
            }
            Agency::Changing => {
                let grants = self.grants.felt(disturbed).into_iter();
                let grants = grants.map(|(scope, given, revoked)| Grant { scope, given, revoked });
                (grants.collect(), vec![certificate((0, FROM_THE_BEGINNING, None))])
            }
        }
    }
}

impl Seen {
    fn asked() -> Self {
        Self { from: SystemClock.now(), known: None }
    }

    /// By everybody, where these times do not count.
    fn felt(self, disturbed: &[Disturbance]) -> Felt {
        let until = self.known.map_or(NEVER, |known| felt_after(known, disturbed));
        Felt { from: self.from, until }
    }
}

impl<T: Clone> Terms<T> {
    /// It is about to be asked for.
    pub(crate) fn give(&self, what: T) {
        self.with(|terms| terms.push(Term { what, given: Seen::asked(), revoked: None }));
    }

    /// What was given last is known to the node.
    pub(crate) fn given(&self) {
        let known = Some(SystemClock.now());
        self.with(|terms| {
            if let Some(term) = terms.last_mut() {
                term.given.known = known;
            }
        });
    }

    /// What is as told is about to be taken back.
    pub(crate) fn revoke(&self, is_it: impl Fn(&T) -> bool) {
        self.with(|terms| {
            if let Some(term) = terms.iter_mut().rev().find(|term| is_it(&term.what)) {
                term.revoked = Some(Seen::asked());
            }
        });
    }

    /// Whatever was taken back is known to the node.
    pub(crate) fn revoked(&self) {
        let now = SystemClock.now();
        self.with(|terms| {
            for revoked in terms.iter_mut().filter_map(|term| term.revoked.as_mut()) {
                revoked.known.get_or_insert(now);
            }
        });
    }

    /// Each with when its beginning and its end were felt, where these times do not count.
    pub(crate) fn felt(&self, disturbed: &[Disturbance]) -> Vec<(T, Felt, Option<Felt>)> {
        let felt = |Term { what, given, revoked }: Term<T>| {
            (what, given.felt(disturbed), revoked.map(|revoked| revoked.felt(disturbed)))
        };
        self.with(|terms| terms.clone()).into_iter().map(felt).collect()
    }

    fn with<R>(&self, work: impl FnOnce(&mut Vec<Term<T>>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

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
