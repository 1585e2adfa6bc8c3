//! How many connections are open, in all and of each peer.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::auth::PeerNetwork;

/// Counts the open connections over all workers.
pub struct Crowd {
    most: usize,
    most_per_peer: usize,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    taken: usize,
    by_peer: HashMap<PeerNetwork, usize>,
}

/// The place of one connection, given back when dropped.
pub struct Seat {
    crowd: Arc<Crowd>,
    _of_peer: Option<PeerSeat>,
}

/// The place of one connection among those of its peer, given back when dropped.
pub struct PeerSeat {
    crowd: Arc<Crowd>,
    peer: PeerNetwork,
}

/// Why there is no place for another connection. Each is told to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// All places are taken.
    #[error("the server has as many connections as http.max_connections allows; close some and retry")]
    Server,
    /// The peer has taken all that it may have.
    #[error("too many connections from this address; close some and retry")]
    Peer,
    /// The process may open no more files.
    #[error("the server may open no more files; close some connections and retry, or raise its limit (ulimit -n)")]
    Files,
}

impl Crowd {
    /// Allows `most` connections, and `most_per_peer` of them to each peer.
    pub fn new(most: usize, most_per_peer: usize) -> Arc<Self> {
        Arc::new(Self { most, most_per_peer, seats: Mutex::default() })
    }

    /// A place for a connection; of `peer`, if it is counted as one of a peer.
    ///
    /// # Errors
    /// All places are taken, or all that this peer may have.
    pub fn seat(self: &Arc<Self>, peer: Option<PeerNetwork>) -> Result<Seat, Full> {
        let of_peer = peer.map(|peer| self.peer_seat(peer)).transpose()?;
        let mut seats = self.lock();
        if seats.taken >= self.most {
            // Not while the lock is held, which it takes as well.
            drop(seats);
            return Err(Full::Server);
        }
        seats.taken += 1;
        drop(seats);
        Ok(Seat { crowd: self.clone(), _of_peer: of_peer })
    }

    fn peer_seat(self: &Arc<Self>, peer: PeerNetwork) -> Result<PeerSeat, Full> {
        let mut seats = self.lock();
        let taken = seats.by_peer.entry(peer).or_default();
        if *taken >= self.most_per_peer {
            return Err(Full::Peer);
        }
        *taken += 1;
        Ok(PeerSeat { crowd: self.clone(), peer })
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Counts the connection as one of `peer` as well.
    ///
    /// # Errors
    /// The peer has all that it may have.
    pub fn of_peer(&self, peer: PeerNetwork) -> Result<PeerSeat, Full> {
        self.crowd.peer_seat(peer)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.crowd.lock().taken -= 1;
    }
}

impl Drop for PeerSeat {
    fn drop(&mut self) {
        if let Entry::Occupied(mut taken) = self.crowd.lock().by_peer.entry(self.peer) {
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

    fn peer(number: u8) -> Option<PeerNetwork> {
        Some(PeerNetwork::of([192, 0, 2, number].into()))
    }

    #[test]
    fn each_peer_has_its_places_and_gives_them_back() {
        let crowd = Crowd::new(10, 2);
        let one = crowd.seat(peer(1)).unwrap();
        let through_a_proxy = crowd.seat(None).unwrap();
        let _two = through_a_proxy.of_peer(peer(1).unwrap()).unwrap();
        assert_eq!(crowd.seat(peer(1)).err(), Some(Full::Peer));
        let other = crowd.seat(peer(2)).unwrap();
        drop(one);
        assert!(crowd.seat(peer(1)).is_ok());
        drop(other);
        assert_eq!(crowd.lock().by_peer.len(), 1, "who is gone is forgotten");
    }

    #[test]
    fn there_are_only_so_many_places_in_all() {
        let crowd = Crowd::new(2, 2);
        let _one = crowd.seat(peer(1)).unwrap();
        let two = crowd.seat(None).unwrap();
        assert_eq!(crowd.seat(peer(2)).err(), Some(Full::Server));
        assert_eq!(crowd.lock().by_peer.len(), 1, "who found no place is not counted");
        drop(two);
        assert!(crowd.seat(peer(2)).is_ok());
    }
}
