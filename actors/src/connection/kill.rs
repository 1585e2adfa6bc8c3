//! Disconnecting a peer that does not read.
//!
//! A WebSocket actor runs inside its response body and is polled only while the peer reads, so a message cannot end it
//! (law 6). Shutting down its socket from outside makes the next write fail, and everything is dropped.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, getsockname};
use tokio_util::sync::CancellationToken;

/// Ends one connection from outside; held by the router and by the connection. Clones share it.
#[derive(Clone, Debug)]
pub enum Kill {
    /// A duplicate of the socket's descriptor; costs one descriptor per connection.
    Socket(Arc<OwnedFd>),
    /// For wires without a socket: their actor is always polled and watches this token.
    Token(CancellationToken),
}

impl Kill {
    /// Whether the peer's end of the socket is closed in both directions, so that nobody reads what is written.
    pub fn has_hung_up(&self) -> bool {
        let Self::Socket(socket) = self else { return false };
        let mut watched = [PollFd::new(&**socket, PollFlags::empty())];
        let polled = poll(&mut watched, Some(&Timespec::default()));
        polled.is_ok() && watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
    }

    /// Whether [`Self::has_hung_up`] needs something to be written first: over TCP a peer that is gone and one that has
    /// stopped sending look the same until it answers.
    pub fn learns_by_writing(&self) -> bool {
        match self {
            Self::Socket(socket) => {
                getsockname(socket).is_ok_and(|address| address.address_family() != AddressFamily::UNIX)
            }
            Self::Token(_) => false,
        }
    }

    /// Ends the connection at once. Queued messages are lost. Has no effect if the peer is already gone.
    pub fn cut(&self) {
        match self {
            Self::Socket(fd) => {
                if let Err(error) = rustix::net::shutdown(fd, rustix::net::Shutdown::Both) {
                    log::debug!("a connection to be cut was gone already: {error}");
                }
            }
            Self::Token(token) => token.cancel(),
        }
    }
}
