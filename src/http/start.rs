//! The HTTP server around the actors.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    os::unix::net::UnixListener,
    rc::Rc,
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix_http::{HttpService, Protocol};
use actix_rt::{
    net::{TcpStream, UnixStream},
    task::JoinHandle,
};
use actix_service::map_config;
use actix_web::{
    dev::{AppConfig, Server, ServerHandle, Service, ServiceFactory as _, fn_service},
    http::KeepAlive,
    web,
};
use app_server_actors::start::{Actors, ActorsParts};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
};

use super::{
    Door, Site, Transport, app, capacity::Capacity, peer::Entrance, proxies::TrustedProxies, service::OnDemand,
};
use crate::settings;

/// A bound socket for HTTP.
pub enum Sockets {
    /// The Unix control socket.
    Unix(UnixListener),
    /// The TCP listener and the rules for its clients.
    Tcp(TcpListener, Arc<Door>),
}

/// Name of the listener in the library's messages.
const NAME: &str = "clients";

/// A running HTTP server and the actors in it.
pub struct HttpServer {
    actors: Actors,
    handle: ServerHandle,
    running: JoinHandle<io::Result<()>>,
}

impl HttpServer {
    /// Serves `sockets`. The actors start on the arbiter of the first worker, where the connections live: a message to
    /// another arbiter would cost more than a whole request.
    pub async fn start(sockets: Sockets, parts: ActorsParts, settings: &settings::Http) -> io::Result<Self> {
        let transport = match &sockets {
            Sockets::Unix(_) => Transport::Unix,
            Sockets::Tcp(_, door) => Transport::Tcp(door.clone()),
        };
        let websocket_frame_bytes = parts.limits.websocket_frame_bytes;
        let request_head_bytes = settings.request_head_bytes;
        let capacity = Capacity::of(settings);
        let proxies = match &transport {
            Transport::Tcp(door) => door.proxies().clone(),
            Transport::Unix => TrustedProxies::default(),
        };
        let entrance = Arc::new(Entrance::new(settings, &capacity, proxies));
        let needed_store = settings.readiness_needs_store.then(|| parts.store.clone());
        let (tell, mut started) = mpsc::channel(1);
        let only = Arc::new(OnceLock::new());
        // Called by each worker at its start.
        let site = move || {
            let actors: &Actors = only.get_or_init(|| {
                let actors = Actors::start(parts.clone());
                // There is room: this is the only message, and the receiver is waiting for it.
                let _ = tell.try_send(actors.clone());
                actors
            });
            let (actors, needed_store, transport) = (actors.clone(), needed_store.clone(), transport.clone());
            web::Data::new(Site { actors, needed_store, transport, websocket_frame_bytes, request_head_bytes })
        };

        let server = Server::build()
            .workers(settings.workers)
            // Never reached, because the reserve limits itself; the library would leave connections without an answer.
            .max_concurrent_connections(capacity.connections + 2 * capacity.reserve)
            .disable_signals();
        let server = match sockets {
            // Never `bind_uds`: it deletes the file at the path.
            Sockets::Unix(listener) => server.listen_uds(NAME, listener, move || {
                let service = service(site(), entrance.clone());
                fn_service(move |stream: UnixStream| service.clone().serve((stream, Protocol::Http1, None)))
            })?,
            Sockets::Tcp(listener, _) => server.listen(NAME, listener, move || {
                let service = service(site(), entrance.clone());
                fn_service(move |stream: TcpStream| {
                    // Small messages do not wait for each other. It only fails if the peer is gone already.
                    let _ = stream.set_nodelay(true);
                    let address = stream.peer_addr().ok();
                    service.clone().serve((stream, Protocol::Http1, address))
                })
            })?,
        }
        .run();

        let handle = server.handle();
        let mut running = actix_rt::spawn(server);
        tokio::select! {
            Some(actors) = started.recv() => Ok(Self { actors, handle, running }),
            ended = &mut running => Err(ended.map_or_else(io::Error::other, |ended| ended.err().unwrap_or_else(stopped))),
        }
    }

    /// The actors of this server.
    pub fn actors(&self) -> &Actors {
        &self.actors
    }

    /// Resolves when the server ends by itself.
    pub async fn ended(&mut self) -> io::Error {
        match (&mut self.running).await {
            Ok(Err(error)) => error,
            Ok(Ok(())) => stopped(),
            Err(error) => io::Error::other(error),
        }
    }

    /// Stops accepting and drops the remaining connections, even those whose peers do not read.
    pub async fn stop(&self) {
        // Done first; otherwise the accepting thread finds no worker for a new connection and logs an error.
        self.handle.pause().await;
        self.handle.stop(false).await;
    }
}

/// A connection that was accepted, as the HTTP library takes it.
type Accepted<Stream> = (Stream, Protocol, Option<SocketAddr>);

/// What serves the connections of one worker.
fn service<Stream>(
    site: web::Data<Site>,
    entrance: Arc<Entrance>,
) -> Rc<OnDemand<impl Service<Accepted<Stream>, Response = ()> + 'static>>
where
    Stream: AsyncRead + AsyncWrite + Unpin + 'static,
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
            .finish(map_config(app(site.clone()), |()| AppConfig::default()))
            .new_service(())
    })
}

fn stopped() -> io::Error {
    io::Error::other("the HTTP server stopped by itself")
}
