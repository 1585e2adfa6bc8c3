//! A listener beside those of clients, with routes of its own: for operators and scrapers. It has a thread of its own, so
//! that what it does costs the clients nothing, and the same entrance as they have.

use std::{io, net::TcpListener, os::unix::net::UnixListener, sync::Arc};

use actix::Addr;
use actix_http::Protocol;
use actix_rt::net::{TcpStream, UnixStream};
use actix_web::{
    App, HttpResponse,
    dev::{Server, ServerHandle, fn_service},
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use app_server_actors::{start::Actors, store::Store};

use super::{
    Capacity, Door, Site, Transport, admission::admit, peer::Entrance, probes, proxies::TrustedProxies, start::service,
};
use crate::settings;

/// Name of the listener in the library's messages.
const NAME: &str = "operators";

/// Connections above the bound, for probes and refusals.
const RESERVE: usize = 4;

/// A bound socket.
pub enum SideSocket {
    /// A Unix socket, for this user.
    Unix(UnixListener),
    /// A TCP listener, and the rules for its clients.
    Tcp(TcpListener, Arc<Door>),
}

/// A running listener. Its thread ends with [`Self::stop`].
pub struct SideListener {
    handle: ServerHandle,
}

impl SideListener {
    /// Serves `routes` on `socket`, and the probes. A request that fits none of them is answered 404. Requests from web
    /// pages are refused, but for those that this listener itself has served.
    ///
    /// # Errors
    /// The operating system refused.
    pub fn start(
        socket: SideSocket,
        (actors, store): (&Actors, &Arc<Addr<Store>>),
        settings: &settings::Http,
        connections: usize,
        routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let (transport, proxies) = match &socket {
            SideSocket::Unix(_) => (Transport::Unix, TrustedProxies::default()),
            SideSocket::Tcp(_, door) => (Transport::Pages(door.clone()), door.proxies().clone()),
        };
        let capacity = Capacity { connections, reserve: RESERVE, last_descriptors: None };
        let entrance = Arc::new(Entrance::new(settings, &capacity, proxies));
        let site = web::Data::new(Site {
            actors: actors.clone(),
            needed_store: settings.readiness_needs_store.then(|| store.clone()),
            transport,
            websocket_frame_bytes: 0,
            request_head_bytes: settings.request_head_bytes,
        });
        let app = move || {
            App::new()
                .app_data(site.clone())
                .service(probes::healthz())
                .service(probes::readyz())
                .configure(routes.clone())
                .default_service(web::to(HttpResponse::NotFound))
                .wrap(from_fn(admit))
        };
        let server = Server::build()
            .workers(1)
            .max_concurrent_connections(capacity.connections + 2 * capacity.reserve)
            .disable_signals();
        let server = match socket {
            // Never `bind_uds`: it deletes the file at the path, and nobody is met at the entrance.
            SideSocket::Unix(listener) => server.listen_uds(NAME, listener, move || {
                let service = service(app.clone(), entrance.clone());
                fn_service(move |stream: UnixStream| service.clone().serve((stream, Protocol::Http1, None)))
            })?,
            SideSocket::Tcp(listener, _) => server.listen(NAME, listener, move || {
                let service = service(app.clone(), entrance.clone());
                fn_service(move |stream: TcpStream| {
                    let address = stream.peer_addr().ok();
                    service.clone().serve((stream, Protocol::Http1, address))
                })
            })?,
        }
        .run();
        let handle = server.handle();
        actix_rt::spawn(server);
        Ok(Self { handle })
    }

    /// Stops accepting and drops the connections.
    pub async fn stop(&self) {
        self.handle.pause().await;
        self.handle.stop(false).await;
    }
}
