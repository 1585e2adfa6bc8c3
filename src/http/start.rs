//! The HTTP server around the actors.

use std::{
    io,
    net::TcpListener,
    os::unix::net::UnixListener,
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix_rt::task::JoinHandle;
use actix_web::{dev::ServerHandle, http::KeepAlive, web};
use app_server_actors::start::{Actors, ActorsParts};
use tokio::sync::mpsc;

use super::{Door, Site, Transport, app, capacity::Capacity, peer::Entrance, proxies::TrustedProxies};
use crate::settings;

/// A bound socket for HTTP.
pub enum Sockets {
    /// The Unix control socket.
    Unix(UnixListener),
    /// The TCP listener and the rules for its clients.
    Tcp(TcpListener, Arc<Door>),
}

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
        let entrance = Entrance::new(settings, &capacity, proxies);
        let needed_store = settings.readiness_needs_store.then(|| parts.store.clone());
        let (tell, mut started) = mpsc::channel(1);
        let only = Arc::new(OnceLock::new());
        let make_app = move || {
            let actors: &Actors = only.get_or_init(|| {
                let actors = Actors::start(parts.clone());
                // There is room: this is the only message, and the receiver is waiting for it.
                let _ = tell.try_send(actors.clone());
                actors
            });
            let (actors, needed_store, transport) = (actors.clone(), needed_store.clone(), transport.clone());
            app(web::Data::new(Site { actors, needed_store, transport, websocket_frame_bytes, request_head_bytes }))
        };

        let server = actix_web::HttpServer::new(make_app)
            .workers(settings.workers)
            // Never reached, because the reserve limits itself; the library would leave connections without an answer.
            .max_connections(capacity.connections + 2 * capacity.reserve)
            .keep_alive(KeepAlive::Timeout(settings.keep_alive_seconds.duration()))
            .client_request_timeout(settings.client_request_timeout_seconds.duration())
            // The default would keep every finished WebSocket for a second.
            .client_disconnect_timeout(Duration::ZERO)
            .tcp_nodelay(true)
            .disable_signals()
            .on_connect(move |connection, data| entrance.meet(connection, data));
        let server = match sockets {
            // Never `bind_uds`: it deletes the file at the path and does not run `on_connect`.
            Sockets::Unix(listener) => server.listen_uds(listener)?,
            Sockets::Tcp(listener, _) => server.listen(listener)?,
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

fn stopped() -> io::Error {
    io::Error::other("the HTTP server stopped by itself")
}
