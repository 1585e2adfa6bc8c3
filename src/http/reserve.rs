//! The reserve: connections above every limit, on which probes are answered and everybody else is told why not. A
//! connection of the reserve gets one answer and is closed. When the reserve is taken, the connection that has been in
//! it for longest gives way: whoever asks at once is answered, however many say nothing.

use std::{
    collections::VecDeque,
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::net::{SendFlags, Shutdown, send, shutdown};

/// What a connection is told that gives way before it has asked for anything.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 10\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 49\r\n\r\n\
    the server has too many connections; retry later\n";

/// A second descriptor of a connection's socket, by which it can be cut from anywhere, once.
pub type CutHandle = Arc<Mutex<Option<OwnedFd>>>;

/// Cuts the connection, unless its handle was taken for something else.
pub fn cut(handle: &CutHandle) {
    if let Some(socket) = handle.lock().unwrap_or_else(PoisonError::into_inner).take() {
        shut_down(&socket);
    }
}

/// Ends both directions of `socket`.
pub fn shut_down(socket: impl AsFd) {
    // It fails only when the peer has gone already.
    let _ = shutdown(socket, Shutdown::Both);
}

/// Tells the peer of `socket` that there is no room, and ends the connection.
fn turn_away(socket: impl AsFd) {
    // A socket on which nothing was sent has room for this. Who does not get to see it sees the connection end.
    let _ = send(&socket, BUSY, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    shut_down(socket);
}

/// The connections of the reserve, the oldest one first.
pub struct Reserve {
    most: usize,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    last: u64,
    taken: VecDeque<(u64, CutHandle)>,
}

/// The place of one connection in the reserve, given back when dropped.
pub struct Place {
    reserve: Arc<Reserve>,
    number: u64,
}

impl Reserve {
    /// A reserve of `most` connections.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, places: Mutex::default() })
    }

    /// A place for the connection that `handle` cuts; the oldest one gives way where there is none.
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
