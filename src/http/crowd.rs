//! How many connections each peer has open.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

use crate::auth::PeerNetwork;

/// Counts the open connections of each TCP peer, over all workers.
pub struct Crowd {
    limit: usize,
    seats: Mutex<HashMap<PeerNetwork, usize>>,
}

/// The place of one connection, given back when dropped.
pub struct Seat {
    crowd: Arc<Crowd>,
    peer: PeerNetwork,
}

impl Crowd {
    /// Allows `limit` connections to each peer.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, seats: Mutex::default() })
    }

    /// A place for a connection of `peer`; `None` when it has as many as it may have.
    pub fn seat(self: &Arc<Self>, peer: PeerNetwork) -> Option<Seat> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = seats.entry(peer).or_default();
        if *taken >= self.limit {
            return None;
        }
        *taken += 1;
        Some(Seat { crowd: self.clone(), peer })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.crowd.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut taken) = seats.entry(self.peer) {
            *taken.get_mut() -= 1;
            if *taken.get() == 0 {
                taken.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_has_its_places_and_gives_them_back() {
        let crowd = Crowd::new(2);
        let peer = |number: u8| PeerNetwork::of([192, 0, 2, number].into());
        let one = crowd.seat(peer(1)).unwrap();
        let _two = crowd.seat(peer(1)).unwrap();
        assert!(crowd.seat(peer(1)).is_none());
        let other = crowd.seat(peer(2)).unwrap();
        drop(one);
        assert!(crowd.seat(peer(1)).is_some());
        drop(other);
        assert_eq!(crowd.seats.lock().unwrap().len(), 1, "who is gone is forgotten");
    }
}
