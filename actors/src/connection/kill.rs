//! Cutting a connection whose peer does not read.
//!
//! A WebSocket actor lives inside its response body and is polled only while the peer reads, so it cannot be told to
//! end (law 6). Shutting its socket down from outside makes the next write fail, and everything is dropped.

use std::os::fd::OwnedFd;

use tokio_util::sync::CancellationToken;

/// The means to end one connection from outside; held by the router.
#[derive(Debug)]
pub enum Kill {
    /// A second descriptor of the peer's socket. Costs one descriptor per connection.
    Socket(OwnedFd),
    /// For wires without a socket: their actor is always polled and watches the token.
    Token(CancellationToken),
}

impl Kill {
    /// Ends the connection now. What is queued is lost. Harmless when the peer is gone already.
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
