//! Counts open connections, in total and per peer.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::auth::PeerNetwork;

/// Counts the open connections of all workers.
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

/// A guard: counts one connection until it is dropped.
pub struct Seat {
    crowd: Arc<Crowd>,
    _of_peer: Option<PeerSeat>,
}

/// A guard: counts one connection of a peer until it is dropped.
pub struct PeerSeat {
    crowd: Arc<Crowd>,
    peer: PeerNetwork,
}

/// Why another connection is refused. The client receives the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// There are too many connections.
    #[error("the server has as many connections as http.max_connections allows; close some and retry")]
    Server,
    /// The peer has too many connections.
    #[error("too many connections from this address; close some and retry")]
    Peer,
    /// The process has reached its limit of open files.
    #[error("the server may open no more files; close some connections and retry, or raise its limit (ulimit -n)")]
    Files,
}

impl Crowd {
    /// Creates a counter that allows `most` connections in total and `most_per_peer` per peer.
    pub fn new(most: usize, most_per_peer: usize) -> Arc<Self> {
        Arc::new(Self { most, most_per_peer, seats: Mutex::default() })
    }

    /// Counts a connection, and counts it for `peer` if there is one.
    ///
    /// # Errors
    /// There are too many connections, in total or of this peer.
    pub fn seat(self: &Arc<Self>, peer: Option<PeerNetwork>) -> Result<Seat, Full> {
        let of_peer = peer.map(|peer| self.peer_seat(peer)).transpose()?;
        let mut seats = self.lock();
        if seats.taken >= self.most {
            // Not under the lock, which it takes, too.
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
    /// Counts the connection for `peer`, too.
    ///
    /// # Errors
    /// The peer has too many connections.
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
