//! The HTTP answers of the listeners. Requests are checked in this order:
//!
//! 1. any request with an `Origin` header → 403: a web page must not reach the agent of whoever looks at it
//! 2. too long a head → 431; over TCP, a `Host` that is not this machine or listed → 421
//! 3. on a connection above a limit, anything but a probe → 503
//! 4. `/readyz`, `/healthz` → 200, 503 (GET and HEAD; 405 for other methods)
//! 5. on a Unix socket `/metrics` → what the server counts
//! 6. everything else → a WebSocket, on any path; over TCP only for clients that [`crate::auth`] lets in (401, 429)
//!
//! Connections above a limit get one answer and are closed (see [`reserve`]).

pub mod admission;
mod capacity;
mod crowd;
mod door;
mod handshake;
mod host;
pub(crate) mod metrics;
mod peer;
mod probes;
mod proxies;
mod refusal;
mod reserve;
mod service;
pub mod side;
mod start;
mod upgrade;

use std::sync::Arc;

use actix::Addr;
use actix_web::{
    App, Error, HttpRequest,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::from_fn,
    web,
};
use app_server_actors::{
    protocol::scope::{Scope, Scopes},
    start::Actors,
    store::Store,
};

pub use self::{
    capacity::Capacity,
    door::{Door, InvalidDoor},
    handshake::check_upgrade,
    host::{HostRule, InvalidHost},
    peer::{Entrance, Peer, tcp_stream},
    proxies::{InvalidProxy, TrustedProxies},
    refusal::Refusal,
    start::{HttpServer, Sockets},
};

/// State shared by the routes.
pub(crate) struct Site {
    actors: Actors,
    /// The store, where this server is ready only while changes can be saved.
    needed_store: Option<Arc<Addr<Store>>>,
    transport: Transport,
    /// Largest accepted frame, in bytes.
    websocket_frame_bytes: usize,
    /// Longest accepted request head, in bytes.
    request_head_bytes: usize,
}

impl Site {
    /// The actors.
    pub(crate) fn actors(&self) -> &Actors {
        &self.actors
    }

    /// Whether a token is needed to look.
    pub(crate) fn asks_for_tokens(&self) -> bool {
        match &self.transport {
            Transport::Unix => false,
            Transport::Tcp(door) | Transport::Pages(door) => door.asks_for_tokens(),
        }
    }

    /// What whoever sent `request` may do here: everything on a Unix socket, on TCP what the token allows, and to look where
    /// no token is asked for.
    pub(crate) fn scopes(&self, request: &HttpRequest) -> Result<Scopes, Refusal> {
        let door = match &self.transport {
            Transport::Unix => return Ok(Scopes::ALL),
            Transport::Tcp(door) | Transport::Pages(door) => door,
        };
        if !door.asks_for_tokens() {
            return Ok([Scope::Observe].into_iter().collect());
        }
        let peer = request.conn_data::<Peer>().and_then(Peer::tcp).ok_or(Refusal::UnknownPeer)?;
        let pass = door.admit(request.head(), peer).inspect_err(|refusal| self.count(refusal))?;
        Ok(pass.scopes)
    }

    /// Counts who was not let in.
    fn count(&self, refusal: &Refusal) {
        if let Refusal::Denied(denial) = refusal {
            self.actors.hub().metrics().denials.add(denial.label());
        }
    }
}

/// The bounds of connections.
#[derive(Clone)]
enum Transport {
    Unix,
    Tcp(Arc<Door>),
    /// TCP, with pages of our own that may ask us.
    Pages(Arc<Door>),
}

fn app(
    site: web::Data<Site>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .app_data(site)
        .service(probes::healthz())
        .service(probes::readyz())
        .service(metrics::for_owner())
        .default_service(web::to(upgrade::upgrade))
        .wrap(from_fn(admission::admit))
}

#[cfg(test)]
mod tests;
