//! What is known about a client before its first byte is read.

use std::{
    any::Any,
    cell::Cell,
    io,
    net::IpAddr,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use actix_rt::task::JoinHandle;
use actix_web::{dev::Extensions, rt::net::TcpStream};
use rustix::process::geteuid;
use tokio::{
    net::UnixStream,
    time::{Instant, sleep_until},
};

use super::crowd::{Crowd, Seat};
use crate::{auth::PeerNetwork, settings};

/// What a peer is told that has too many connections, before it has asked for anything.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 10\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 60\r\n\r\n\
    too many connections from this address; close some and retry";

/// A client that may connect. A request without one is refused.
pub struct Peer {
    /// Shared with the watch.
    kill: Rc<Cell<Option<OwnedFd>>>,
    last_request: Rc<Cell<Instant>>,
    watch: JoinHandle<()>,
    tcp: Option<TcpPeer>,
}

/// What is known of a client over TCP.
pub struct TcpPeer {
    /// Whom limits per peer count it as.
    pub network: PeerNetwork,
    /// The address of this machine that it has connected to.
    pub reached: IpAddr,
    /// Given back when the connection ends.
    _seat: Seat,
}

/// Why a connection is dropped before its first byte is read.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("its user {0} is neither the owner of this server nor root")]
    OtherUser(u32),
    #[error("its user cannot be told: {0}")]
    UnknownUser(io::Error),
    #[error("its address cannot be told: {0}")]
    UnknownAddress(io::Error),
    #[error("its address has too many connections open")]
    TooMany,
    #[error("no file descriptor is left for it: {0}")]
    NoDescriptor(io::Error),
}

/// What every new connection is looked at with.
pub struct Entrance {
    crowd: Arc<Crowd>,
    /// How long a connection may go without completing a request.
    patience: Duration,
}

impl Entrance {
    /// The entrance of a listener; all its workers share it.
    pub fn new(settings: &settings::Http) -> Self {
        Self {
            crowd: Crowd::new(settings.max_connections_per_address),
            patience: settings.keep_alive() + settings.client_request_timeout(),
        }
    }

    /// Looks at a new connection; what it learns becomes the connection's data. One that may not be here is shut down.
    pub fn meet(&self, connection: &dyn Any, data: &mut Extensions) {
        let (peer, socket) = if let Some(stream) = connection.downcast_ref::<UnixStream>() {
            (check_user(stream).and_then(|()| Peer::new(stream.as_fd(), None, self.patience)), stream.as_fd())
        } else if let Some(stream) = connection.downcast_ref::<TcpStream>() {
            let peer = TcpPeer::of(stream, &self.crowd);
            (peer.and_then(|peer| Peer::new(stream.as_fd(), Some(peer), self.patience)), stream.as_fd())
        } else {
            return;
        };
        match peer {
            Ok(peer) => {
                data.insert(peer);
            }
            Err(refused) => {
                // Whoever floods the listener shall not flood the log as well.
                let level = if matches!(refused, Refused::TooMany) { log::Level::Debug } else { log::Level::Warn };
                log::log!(level, "refused a connection: {refused}");
                shut_down(socket);
            }
        }
    }
}

impl Peer {
    fn new(socket: BorrowedFd<'_>, tcp: Option<TcpPeer>, patience: Duration) -> Result<Self, Refused> {
        let kill = socket.try_clone_to_owned().map_err(Refused::NoDescriptor)?;
        let kill = Rc::new(Cell::new(Some(kill)));
        let last_request = Rc::new(Cell::new(Instant::now()));
        let watch = actix_rt::spawn(watch(kill.clone(), last_request.clone(), patience));
        Ok(Self { kill, last_request, watch, tcp })
    }

    /// A second descriptor of the socket, by which it can be cut even while its own actor is not polled. There is
    /// one for each connection, for its only upgrade; from then on the router watches it.
    pub fn take_kill(&self) -> Option<OwnedFd> {
        self.watch.abort();
        self.kill.take()
    }

    /// The client has completed the head of a request.
    pub fn renew(&self) {
        self.last_request.set(Instant::now());
    }

    /// What is known of a client over TCP.
    pub fn tcp(&self) -> Option<&TcpPeer> {
        self.tcp.as_ref()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl TcpPeer {
    fn of(stream: &TcpStream, crowd: &Arc<Crowd>) -> Result<Self, Refused> {
        let network = PeerNetwork::of(stream.peer_addr().map_err(Refused::UnknownAddress)?.ip());
        let reached = stream.local_addr().map_err(Refused::UnknownAddress)?.ip();
        let Some(seat) = crowd.seat(network) else {
            // A new socket has room for this. Who does not get to see it sees the connection end.
            let _ = stream.try_write(BUSY);
            return Err(Refused::TooMany);
        };
        Ok(Self { network, reached, _seat: seat })
    }
}

/// Cuts a connection that completes no request. The HTTP library limits the time for the head of the first request
/// only: after one probe, a peer could send the next head a byte at a time for ever.
async fn watch(kill: Rc<Cell<Option<OwnedFd>>>, last_request: Rc<Cell<Instant>>, patience: Duration) {
    let mut deadline = last_request.get() + patience;
    while Instant::now() < deadline {
        sleep_until(deadline).await;
        deadline = last_request.get() + patience;
    }
    if let Some(socket) = kill.take() {
        shut_down(socket.as_fd());
    }
}

fn shut_down(socket: BorrowedFd<'_>) {
    // It fails only when the peer has gone already.
    let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Both);
}

/// The mode of the socket file keeps other users out on most systems; the kernel's word on the peer does on all.
fn check_user(stream: &UnixStream) -> Result<(), Refused> {
    let credentials = stream.peer_cred().map_err(Refused::UnknownUser)?;
    let user = credentials.uid();
    log::debug!(user, process = credentials.pid().unwrap_or_default(); "a client connects");
    if may_connect(user) { Ok(()) } else { Err(Refused::OtherUser(user)) }
}

fn may_connect(user: u32) -> bool {
    user == 0 || user == geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entrance(patience: Duration) -> Entrance {
        Entrance { crowd: Crowd::new(1), patience }
    }

    #[actix_rt::test]
    async fn our_own_connection_gets_one_kill_handle() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let mut data = Extensions::new();
        entrance(Duration::from_secs(60)).meet(&ours, &mut data);
        let peer = data.get::<Peer>().unwrap();
        assert!(peer.take_kill().is_some());
        assert!(peer.take_kill().is_none());
    }

    #[test]
    fn only_the_owner_and_root_may_connect() {
        let me = geteuid().as_raw();
        assert!(may_connect(me) && may_connect(0));
        assert!(!may_connect(me + 1));
    }

    #[test]
    fn a_connection_of_unknown_kind_gets_no_data() {
        let mut data = Extensions::new();
        entrance(Duration::ZERO).meet(&"not a socket", &mut data);
        assert!(data.get::<Peer>().is_none());
    }

    #[test]
    fn the_refusal_is_as_long_as_it_says() {
        let text = std::str::from_utf8(BUSY).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
    }

    #[actix_rt::test]
    async fn a_connection_without_requests_is_cut() {
        use tokio::io::AsyncReadExt as _;
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut data = Extensions::new();
        entrance(Duration::from_millis(50)).meet(&ours, &mut data);
        let read = tokio::time::timeout(Duration::from_secs(60), theirs.read_u8()).await.unwrap();
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[actix_rt::test]
    async fn a_connection_that_became_a_websocket_is_not_watched() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut data = Extensions::new();
        entrance(Duration::from_millis(10)).meet(&ours, &mut data);
        let _kill = data.get::<Peer>().unwrap().take_kill().unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let error = theirs.try_read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "the connection is still open");
    }
}
