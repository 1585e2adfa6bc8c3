//! Facts about a client before its first byte is read.

use std::{
    any::Any,
    cell::{Cell, OnceCell},
    io,
    net::IpAddr,
    os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd},
    rc::Rc,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use actix_rt::task::JoinHandle;
use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{dev::Extensions, rt::net::TcpStream};
use command_launcher::is_in_our_namespace;
use rustix::process::geteuid;
use tokio::{
    net::UnixStream,
    time::{Instant, sleep, sleep_until},
};

use super::{
    capacity::Capacity,
    crowd::{Crowd, Full, PeerSeat, Seat},
    proxies::TrustedProxies,
    reserve::{CutHandle, Place, Reserve, cut, give_up, shut_down},
};
use crate::{auth::PeerNetwork, settings};

/// Time to read what has arrived, before a peer is judged by it.
const READ_FIRST: Duration = Duration::from_millis(100);

/// A client that may connect. A request on a connection without one is refused.
pub struct Peer {
    cut: CutHandle,
    /// When it completed the head of its latest request.
    last_request: Rc<Cell<Option<Instant>>>,
    watch: JoinHandle<()>,
    tcp: Option<TcpPeer>,
    /// Where it is, for people.
    address: String,
    standing: Standing,
    /// Counted by [`Entrance::waiting`].
    waits: Cell<Option<Weak<()>>>,
    /// The guard of the client behind a proxy.
    counted: OnceCell<PeerSeat>,
}

/// Facts about a client on TCP.
pub struct TcpPeer {
    /// Address of the peer.
    pub address: IpAddr,
    /// Whether it is a trusted proxy; its clients are counted when their requests arrive.
    pub is_proxy: bool,
    /// Our address that it has reached.
    pub reached: IpAddr,
}

/// The guard that counts a connection until it ends.
enum Standing {
    Guest(Seat),
    Reserve(#[expect(dead_code, reason = "held for its drop")] Place, Full),
}

/// Why a connection is dropped before its first byte is read.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("its user {0} is neither the owner of this server nor root")]
    OtherUser(u32),
    #[error("its user cannot be determined: {0}")]
    UnknownUser(io::Error),
    #[error("it is in another user namespace than this server, as confined commands are")]
    Confined,
    #[error("whether it is a confined command cannot be determined: {0}")]
    UnknownNamespace(io::Error),
    #[error("its address cannot be determined: {0}")]
    UnknownAddress(io::Error),
}

/// State for checking new connections.
pub struct Entrance {
    crowd: Arc<Crowd>,
    reserve: Arc<Reserve>,
    proxies: TrustedProxies,
    /// Descriptors with at least this number belong to the reserve.
    last_descriptors: Option<usize>,
    patience: Patience,
    /// The same for connections of the reserve.
    reserve_patience: Patience,
    /// Holds a weak reference for each connection that has not become a client's yet.
    waiting: Arc<()>,
}

/// How long a peer may take to complete the head of a request.
#[derive(Clone, Copy)]
struct Patience {
    /// From the start of the connection.
    first: Duration,
    /// From the request before.
    next: Duration,
}

impl Entrance {
    /// Creates the entrance of a listener with bounds `capacity`, shared by all its workers.
    pub fn new(settings: &settings::Http, capacity: &Capacity, proxies: TrustedProxies) -> Self {
        let head = settings.client_request_timeout_seconds.duration();
        Self {
            crowd: Crowd::new(capacity.connections, settings.max_connections_per_address),
            reserve: Reserve::new(capacity.reserve),
            proxies,
            last_descriptors: capacity.last_descriptors,
            patience: Patience { first: head, next: settings.keep_alive_seconds.duration() + head },
            reserve_patience: Patience { first: head, next: head },
            waiting: Arc::default(),
        }
    }

    /// How many connections have not become clients' yet: they wait for a request or for its answer.
    pub fn waiting(&self) -> usize {
        Arc::weak_count(&self.waiting)
    }

    /// Checks a new connection and stores the facts in its data. A connection that is refused is shut down.
    pub fn meet(&self, connection: &dyn Any, data: &mut Extensions) {
        let (peer, socket) = if let Some(stream) = connection.downcast_ref::<UnixStream>() {
            let process = stream.peer_cred().ok().and_then(|peer| peer.pid());
            let address = process.map_or_else(|| "unix socket".to_owned(), |process| format!("process {process}"));
            (check_user(stream).map(|()| self.place(stream.as_fd(), None, address)), stream.as_fd())
        } else if let Some(stream) = tcp_stream(connection) {
            let address = stream.peer_addr().map_or_else(|_| "unknown address".to_owned(), |it| it.to_string());
            let peer = TcpPeer::of(stream, &self.proxies).map(|tcp| self.place(stream.as_fd(), Some(tcp), address));
            (peer, stream.as_fd())
        } else {
            return;
        };
        match peer {
            Ok(peer) => {
                data.insert(peer);
            }
            Err(refused) => {
                log::warn!("refused a connection: {refused}");
                shut_down(socket);
            }
        }
    }

    /// Counts a connection as a client's or, above the limits, as one of the reserve.
    fn place(&self, socket: BorrowedFd<'_>, tcp: Option<TcpPeer>, address: String) -> Peer {
        let number = usize::try_from(socket.as_raw_fd()).unwrap_or_default();
        let seat = match self.last_descriptors {
            Some(last) if number >= last => Err(Full::Files),
            _ => self.crowd.seat(tcp.as_ref().filter(|tcp| !tcp.is_proxy).map(|tcp| PeerNetwork::of(tcp.address))),
        };
        let handle = socket.try_clone_to_owned().ok();
        // A connection that cannot be disconnected is not served.
        let seat = if handle.is_some() { seat } else { Err(Full::Files) };
        let handle = Arc::new(Mutex::new(handle));
        let (standing, patience) = match seat {
            Ok(seat) => (Standing::Guest(seat), self.patience),
            Err(full) => (Standing::Reserve(self.reserve.place(handle.clone()), full), self.reserve_patience),
        };
        let waits = Cell::new(Some(Arc::downgrade(&self.waiting)));
        Peer::new(handle, tcp, address, standing, patience, waits)
    }
}

impl Peer {
    fn new(
        cut: CutHandle,
        tcp: Option<TcpPeer>,
        address: String,
        standing: Standing,
        patience: Patience,
        waits: Cell<Option<Weak<()>>>,
    ) -> Self {
        let last_request = Rc::<Cell<_>>::default();
        let watch = actix_rt::spawn(watch(cut.clone(), last_request.clone(), patience));
        Self { cut, last_request, watch, tcp, address, standing, waits, counted: OnceCell::new() }
    }

    /// A duplicate of the socket's descriptor, to disconnect it even while its actor is not polled. There is one per
    /// connection for its only upgrade; from then on the router owns it.
    pub fn take_kill(&self) -> Option<OwnedFd> {
        self.watch.abort();
        self.waits.take();
        self.cut.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The client has completed the head of a request.
    pub fn renew(&self) {
        self.last_request.set(Some(Instant::now()));
    }

    /// Where it is, for people: address and port, or its process.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Facts about a client on TCP.
    pub fn tcp(&self) -> Option<&TcpPeer> {
        self.tcp.as_ref()
    }

    /// Counts this connection of a proxy for `client` until it ends.
    ///
    /// # Errors
    /// The client has too many connections.
    pub fn count_as(&self, client: PeerNetwork) -> Result<(), Full> {
        if let Standing::Guest(seat) = &self.standing {
            let seat = seat.of_peer(client)?;
            // There is at most one upgrade per connection, so the value was not set before.
            let _ = self.counted.set(seat);
        }
        Ok(())
    }

    /// Why this connection receives only one answer; `None` for a regular connection.
    pub fn full(&self) -> Option<Full> {
        match self.standing {
            Standing::Guest(_) => None,
            Standing::Reserve(_, full) => Some(full),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl TcpPeer {
    fn of(stream: &TcpStream, proxies: &TrustedProxies) -> Result<Self, Refused> {
        let address = stream.peer_addr().map_err(Refused::UnknownAddress)?.ip();
        let reached = stream.local_addr().map_err(Refused::UnknownAddress)?.ip();
        Ok(Self { address, is_proxy: proxies.include(address), reached })
    }
}

/// The socket of a connection over TCP, with or without TLS.
pub fn tcp_stream(connection: &dyn Any) -> Option<&TcpStream> {
    let encrypted = || Some(connection.downcast_ref::<TlsStream<TcpStream>>()?.get_ref().0);
    connection.downcast_ref().or_else(encrypted)
}

/// Disconnects a peer that completes no request.
async fn watch(handle: CutHandle, last_request: Rc<Cell<Option<Instant>>>, patience: Patience) {
    let opened = Instant::now();
    let deadline = || last_request.get().map_or(opened + patience.first, |last| last + patience.next);
    while Instant::now() < deadline() {
        sleep_until(deadline()).await;
        // If this process was stopped, what has arrived is still in the socket.
        sleep(READ_FIRST).await;
    }
    match last_request.get() {
        Some(_) => cut(&handle),
        None => give_up(&handle),
    }
}

/// The mode of the socket file keeps other users out on most systems; the peer credentials do on all. The user namespace
/// keeps out confined commands, whatever path they took to the socket.
fn check_user(stream: &UnixStream) -> Result<(), Refused> {
    let credentials = stream.peer_cred().map_err(Refused::UnknownUser)?;
    let user = credentials.uid();
    log::debug!(user, process = credentials.pid().unwrap_or_default(); "a client connects");
    if !may_connect(user) {
        return Err(Refused::OtherUser(user));
    }
    // Commands keep their user: whoever is somebody else is none of ours.
    if user != geteuid().as_raw() {
        return Ok(());
    }
    match is_in_our_namespace(stream, credentials.pid()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Refused::Confined),
        Err(error) => Err(Refused::UnknownNamespace(error)),
    }
}

fn may_connect(user: u32) -> bool {
    user == 0 || user == geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entrance(patience: Duration) -> Entrance {
        let patience = Patience { first: patience, next: patience };
        Entrance {
            waiting: Arc::default(),
            crowd: Crowd::new(1, 1),
            reserve: Reserve::new(1),
            proxies: TrustedProxies::default(),
            last_descriptors: None,
            patience,
            reserve_patience: patience,
        }
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

    #[actix_rt::test]
    async fn who_finds_no_place_belongs_to_the_reserve() {
        let mut entrance = entrance(Duration::from_secs(60));
        let meet = |entrance: &Entrance| {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let mut data = Extensions::new();
            entrance.meet(&ours, &mut data);
            let full = data.get::<Peer>().unwrap().full();
            (full, data, theirs)
        };
        let (guest, data, _theirs) = meet(&entrance);
        assert_eq!(guest, None);
        assert_eq!(meet(&entrance).0, Some(Full::Server));
        drop(data);
        assert_eq!(meet(&entrance).0, None);
        entrance.last_descriptors = Some(0);
        assert_eq!(meet(&entrance).0, Some(Full::Files));
    }

    #[actix_rt::test]
    async fn a_connection_without_requests_is_cut_with_a_word_unless_it_had_one() {
        use tokio::io::AsyncReadExt as _;
        for (requests, told) in [(0, "HTTP/1.1 408 Request Timeout\r\n"), (1, "")] {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            let mut data = Extensions::new();
            entrance(Duration::from_millis(50)).meet(&ours, &mut data);
            (0..requests).for_each(|_| data.get::<Peer>().unwrap().renew());
            let mut read = String::new();
            let reading = theirs.read_to_string(&mut read);
            tokio::time::timeout(Duration::from_secs(60), reading).await.unwrap().unwrap();
            assert!(read.starts_with(told) && read.is_empty() == told.is_empty(), "{read}");
        }
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
