//! The reserve: connections above all limits, on which probes are answered and other requests are refused with a
//! reason. Such a connection receives one answer and is closed. When the reserve is full, its oldest connection is
//! closed for a new one, so that a peer that sends its request at once is answered however many silent peers there are.

use std::{
    collections::VecDeque,
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::net::{SendFlags, Shutdown, send, shutdown};

/// The answer to a connection that is closed before it has sent a request.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 10\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 49\r\n\r\n\
    the server has too many connections; retry later\n";

/// The answer to a connection that has not completed the head of its first request in time.
const SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 62\r\n\r\n\
    the head of the request did not arrive in time; connect again\n";

/// A duplicate of a socket's descriptor, to disconnect it once from anywhere.
pub type CutHandle = Arc<Mutex<Option<OwnedFd>>>;

/// Disconnects, unless the handle was taken for something else.
pub fn cut(handle: &CutHandle) {
    if let Some(socket) = take(handle) {
        shut_down(&socket);
    }
}

/// The same for a peer that was too slow with its first request, which is told so.
pub fn give_up(handle: &CutHandle) {
    if let Some(socket) = take(handle) {
        answer(&socket, SLOW);
        shut_down(&socket);
    }
}

fn take(handle: &CutHandle) -> Option<OwnedFd> {
    handle.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Shuts down both directions of `socket`.
pub fn shut_down(socket: impl AsFd) {
    // It only fails if the peer is gone already.
    let _ = shutdown(socket, Shutdown::Both);
}

/// Refuses the peer of `socket` and shuts down the connection.
fn turn_away(socket: impl AsFd) {
    answer(&socket, BUSY);
    shut_down(socket);
}

/// The first bytes on this socket. Its buffer has room for them; if the peer misses them, it still sees the end of the
/// connection.
fn answer(socket: impl AsFd, bytes: &[u8]) {
    let _ = send(socket, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
}

/// The connections of the reserve, oldest first.
pub struct Reserve {
    most: usize,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    last: u64,
    taken: VecDeque<(u64, CutHandle)>,
}

/// A guard: keeps one connection in the reserve until it is dropped.
pub struct Place {
    reserve: Arc<Reserve>,
    number: u64,
}

impl Reserve {
    /// Creates a reserve of `most` connections.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, places: Mutex::default() })
    }

    /// Adds the connection of `handle`. If the reserve is full, the oldest one is closed.
    pub fn place(self: &Arc<Self>, handle: CutHandle) -> Place {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.taken.len() >= self.most
            && let Some((_, oldest)) = places.taken.pop_front()
            && let Some(socket) = oldest.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            turn_away(&socket);
        }
        places.last += 1;
        let number = places.last;
        places.taken.push_back((number, handle));
        Place { reserve: self.clone(), number }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.reserve.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.taken.retain(|(number, _)| *number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read as _, os::unix::net::UnixStream};

    use super::*;

    fn connection() -> (CutHandle, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        (Arc::new(Mutex::new(Some(ours.into()))), theirs)
    }

    #[test]
    fn the_oldest_one_gives_way_and_is_told_why() {
        let reserve = Reserve::new(2);
        let [mut first, mut second, mut third, mut fourth] = [(); 4].map(|()| connection());
        let _first = reserve.place(first.0);
        let leaving = reserve.place(second.0.clone());
        drop(leaving);
        let _second = reserve.place(second.0);
        let _third = reserve.place(third.0);
        let mut told = Vec::new();
        first.1.read_to_end(&mut told).unwrap();
        assert_eq!(told, BUSY);
        let _fourth = reserve.place(fourth.0);
        assert!(second.1.read_to_end(&mut told).is_ok());
        for rest in [&mut third.1, &mut fourth.1] {
            assert!(rest.read(&mut [0]).is_err(), "it is still open");
        }
        assert_eq!(reserve.places.lock().unwrap().taken.len(), 2);
    }

    #[test]
    fn the_refusal_is_as_long_as_it_says() {
        let text = std::str::from_utf8(BUSY).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
    }
}
