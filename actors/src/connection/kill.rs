//! Disconnecting a peer that does not read.
//!
//! A WebSocket actor runs inside its response body and is polled only while the peer reads, so a message cannot end it
//! (law 6). Shutting down its socket from outside makes the next write fail, and everything is dropped.

use std::os::fd::OwnedFd;

use tokio_util::sync::CancellationToken;

/// Ends one connection from outside; held by the router.
#[derive(Debug)]
pub enum Kill {
    /// A duplicate of the socket's descriptor; costs one descriptor per connection.
    Socket(OwnedFd),
    /// For wires without a socket: their actor is always polled and watches this token.
    Token(CancellationToken),
}

impl Kill {
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
