use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections at once, those that still shake hands among them; more wait in the system's queue.
const CONNECTIONS: usize = 10_000;
/// One address has at most a quarter of them, so that no single peer keeps the others out. A gateway in front
/// of many callers stays far below: each of its connections carries a thousand calls.
const SHARE: usize = 4;
/// Files that are no connection of a caller: logs, databases, brokers, certificates.
const OTHER_FILES: u64 = 512;

/// Places for connections, counted by the address that they come from.
pub(super) struct Places {
    free: Arc<Semaphore>,
    per_address: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// Held by a connection for as long as it lives.
pub(super) struct Place {
    places: Arc<Places>,
    address: IpAddr,
    _free: OwnedSemaphorePermit,
}

impl Places {
    /// As many as this process may open files for, its limit raised as far as it may be.
    pub(super) fn of_this_process() -> Arc<Self> {
        Self::new(connections(files()))
    }

    pub(super) fn new(connections: usize) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(connections));
        Arc::new(Self { free, per_address: connections.div_ceil(SHARE), taken: Mutex::default() })
    }

    /// Waits until there is one for somebody.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    /// Gives it to a peer, unless its address has its share.
    pub(super) fn take(
        self: &Arc<Self>,
        free: OwnedSemaphorePermit,
        peer: SocketAddr,
    ) -> Option<Place> {
        let address = peer.ip().to_canonical();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(address).or_default();
        if *count >= self.per_address {
            return None;
        }
        *count += 1;
        Some(Place { places: Arc::clone(self), address, _free: free })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

/// Files that this process may open. Shells hand down a limit of 1,024, made for programmes that use
/// `select`; what they permit beyond it is taken.
fn files() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if setrlimit(Resource::Nofile, most).is_ok() { limit.maximum } else { limit.current }
}

fn connections(files: Option<u64>) -> usize {
    let Some(files) = files else { return CONNECTIONS };
    let left = files.saturating_sub(OTHER_FILES).max(files / 2);
    usize::try_from(left).unwrap_or(CONNECTIONS).min(CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_address_keeps_no_other_out() {
        let places = Places::new(8);
        let take = async |peer: &str| {
            let free = places.free().await.unwrap();
            places.take(free, peer.parse().unwrap())
        };
        let one = take("10.0.0.1:1").await.unwrap();
        // the same machine, by the name it has on a socket of both families
        let two = take("[::ffff:10.0.0.1]:2").await.unwrap();
        assert!(take("10.0.0.1:3").await.is_none());
        assert!(take("10.0.0.2:3").await.is_some());
        drop(one);
        let three = take("10.0.0.1:3").await;
        assert!(three.is_some());
        drop((two, three));
        assert_eq!(places.free.available_permits(), 8);
        assert!(places.taken.lock().unwrap().is_empty());
    }

    #[test]
    fn connections_leave_files_for_the_rest() {
        assert_eq!(connections(None), CONNECTIONS);
        assert_eq!(connections(Some(1_000_000)), CONNECTIONS);
        assert_eq!(connections(Some(4_096)), 4_096 - 512);
        assert_eq!(connections(Some(256)), 128);
    }
}
