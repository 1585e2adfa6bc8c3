//! The HTTP server around the actors.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    os::unix::net::UnixListener,
    rc::Rc,
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix::Addr;
use actix_http::{HttpService, Protocol};
use actix_rt::{
    Arbiter, ArbiterHandle,
    net::{TcpStream, UnixStream},
    task::JoinHandle,
};
use actix_service::map_config;
use actix_web::{
    App,
    body::MessageBody,
    dev::{AppConfig, Server, ServerHandle, Service, ServiceFactory, ServiceRequest, ServiceResponse, fn_service},
    http::KeepAlive,
    web,
};
use app_server_actors::{
    start::{Actors, ActorsParts},
    store::Store,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{Door, Site, Transport, app, capacity::Capacity, peer::Entrance, service::OnDemand};
use crate::settings;

/// The bound sockets for HTTP.
pub struct Sockets {
    /// Unix sockets, for this user.
    pub unix: Vec<UnixListener>,
    /// TCP listeners.
    pub tcp: Vec<TcpListener>,
    /// The rules for clients on TCP.
    pub door: Arc<Door>,
}

/// Name of the listener in the library's messages.
const NAME: &str = "clients";

/// How long the accepting thread needs to stop at least, and how long connections that it has accepted may take to become
/// clients' at most.
const SETTLE_LEAST: Duration = Duration::from_millis(50);
const SETTLE_MOST: Duration = Duration::from_secs(1);

/// A running HTTP server and the actors in it.
pub struct HttpServer {
    actors: Actors,
    arbiter: ArbiterHandle,
    entrance: Arc<Entrance>,
    handle: ServerHandle,
    running: JoinHandle<io::Result<()>>,
}

impl HttpServer {
    /// Serves `sockets`. The actors start on the arbiter of the first worker, where the connections live: a message to
    /// another arbiter would cost more than a whole request.
    pub async fn start(sockets: Sockets, parts: ActorsParts, settings: &settings::Http) -> io::Result<Self> {
        let Sockets { unix, tcp, door } = sockets;
        let capacity = Capacity::of(settings);
        // One for all listeners: they share the bounds of connections.
        let entrance = Arc::new(Entrance::new(settings, &capacity, door.proxies().clone()));
        let (tell, mut started) = mpsc::channel(1);
        let sites = Arc::new(Sites {
            websocket_frame_bytes: parts.limits.websocket_frame_bytes,
            request_head_bytes: settings.request_head_bytes,
            needed_store: settings.readiness_needs_store.then(|| parts.store.clone()),
            parts,
            only: OnceLock::new(),
            tell,
        });

        let mut server = Server::build()
            .workers(settings.workers)
            // Never reached, because the reserve limits itself; the library would leave connections without an answer.
            .max_concurrent_connections(capacity.connections + 2 * capacity.reserve)
            .disable_signals();
        // The closures are called by each worker at its start.
        for listener in unix {
            let (sites, entrance) = (sites.clone(), entrance.clone());
            // Never `bind_uds`: it deletes the file at the path.
            server = server.listen_uds(NAME, listener, move || {
                let site = sites.site(Transport::Unix);
                let service = service(move || app(site.clone()), entrance.clone());
                fn_service(move |stream: UnixStream| service.clone().serve((stream, Protocol::Http1, None)))
            })?;
        }
        for listener in tcp {
            let (sites, entrance, door) = (sites.clone(), entrance.clone(), door.clone());
            server = server.listen(NAME, listener, move || {
                let site = sites.site(Transport::Tcp(door.clone()));
                let service = service(move || app(site.clone()), entrance.clone());
                fn_service(move |stream: TcpStream| {
                    // Small messages do not wait for each other. It only fails if the peer is gone already.
                    let _ = stream.set_nodelay(true);
                    let address = stream.peer_addr().ok();
                    service.clone().serve((stream, Protocol::Http1, address))
                })
            })?;
        }
        let server = server.run();

        let handle = server.handle();
        let mut running = actix_rt::spawn(server);
        tokio::select! {
            Some((actors, arbiter)) = started.recv() => Ok(Self { actors, arbiter, entrance, handle, running }),
            ended = &mut running => Err(ended.map_or_else(io::Error::other, |ended| ended.err().unwrap_or_else(stopped))),
        }
    }

    /// The actors of this server.
    pub fn actors(&self) -> &Actors {
        &self.actors
    }

    /// The arbiter on which the actors live, and the connections of the first worker.
    pub fn arbiter(&self) -> &ArbiterHandle {
        &self.arbiter
    }

    /// Resolves when the server ends by itself.
    pub async fn ended(&mut self) -> io::Error {
        match (&mut self.running).await {
            Ok(Err(error)) => error,
            Ok(Ok(())) => stopped(),
            Err(error) => io::Error::other(error),
        }
    }

    /// Stops accepting: who connects from now on waits in the queue of a socket. Returns when those that were accepted
    /// before have become clients, or after [`SETTLE_MOST`].
    pub async fn pause(&self) {
        self.handle.pause().await;
        // The library says so before its thread has done it.
        sleep(SETTLE_LEAST).await;
        let settled = async {
            while self.entrance.waiting() > 0 {
                sleep(SETTLE_LEAST).await;
            }
        };
        // A connection that is kept alive for probes may be among them.
        let _ = timeout(SETTLE_MOST, settled).await;
    }

    /// Stops accepting and drops the remaining connections, even those whose peers do not read.
    pub async fn stop(&self) {
        // Done first; otherwise the accepting thread finds no worker for a new connection and logs an error.
        self.handle.pause().await;
        self.handle.stop(false).await;
    }
}

/// Makes the state of the routes for each worker and listener.
struct Sites {
    parts: ActorsParts,
    needed_store: Option<Arc<Addr<Store>>>,
    websocket_frame_bytes: usize,
    request_head_bytes: usize,
    only: OnceLock<Actors>,
    /// Takes the actors when they have started.
    tell: mpsc::Sender<(Actors, ArbiterHandle)>,
}

impl Sites {
    /// The first worker that asks starts the actors.
    fn site(&self, transport: Transport) -> web::Data<Site> {
        let actors = self.only.get_or_init(|| {
            let actors = Actors::start(self.parts.clone());
            // There is room: this is the only message, and the receiver is waiting for it.
            let _ = self.tell.try_send((actors.clone(), Arbiter::current()));
            actors
        });
        web::Data::new(Site {
            actors: actors.clone(),
            needed_store: self.needed_store.clone(),
            transport,
            websocket_frame_bytes: self.websocket_frame_bytes,
            request_head_bytes: self.request_head_bytes,
        })
    }
}

/// A connection that was accepted, as the HTTP library takes it.
pub(super) type Accepted<Stream> = (Stream, Protocol, Option<SocketAddr>);

/// What serves the connections of one worker, by what `app` makes.
pub(super) fn service<Stream, Routes, Body>(
    app: impl Fn() -> App<Routes> + 'static,
    entrance: Arc<Entrance>,
) -> Rc<OnDemand<impl Service<Accepted<Stream>, Response = ()> + 'static>>
where
    Stream: AsyncRead + AsyncWrite + Unpin + 'static,
    Routes: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<Body>,
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
    Body: MessageBody + 'static,
{
    OnDemand::new(move || {
        let entrance = entrance.clone();
        HttpService::build()
            // The entrance limits these times: the library would judge before it reads what has arrived.
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            // Otherwise every finished WebSocket would be kept for a while.
            .client_disconnect_timeout(Duration::ZERO)
            .on_connect_ext(move |stream: &Stream, data| entrance.meet(stream, data))
            .finish(map_config(app(), |()| AppConfig::default()))
            .new_service(())
    })
}

fn stopped() -> io::Error {
    io::Error::other("the HTTP server stopped by itself")
}
