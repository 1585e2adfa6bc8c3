//! The HTTP answers of the listeners. Requests are checked in this order:
//!
//! 1. any request with an `Origin` header → 403: a web page must not reach the agent of whoever looks at it
//! 2. too long a head → 431; over TCP, a `Host` that is not this machine or listed → 421
//! 3. on a connection above a limit, anything but a probe → 503
//! 4. `/readyz`, `/healthz` → 200, 503 (GET and HEAD; 405 for other methods)
//! 5. everything else → a WebSocket, on any path; over TCP only for clients that [`crate::auth`] lets in (401, 429)
//!
//! Connections above a limit get one answer and are closed (see [`reserve`]).

mod admission;
mod capacity;
mod crowd;
mod door;
mod host;
mod peer;
mod probes;
mod proxies;
mod refusal;
mod reserve;
mod service;
mod start;
mod upgrade;

use std::sync::Arc;

use actix::Addr;
use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::from_fn,
    web,
};
use app_server_actors::{start::Actors, store::Store};

pub use self::{
    capacity::Capacity,
    door::{Door, InvalidDoor},
    start::{HttpServer, Sockets},
};
use self::{peer::Peer, refusal::Refusal};

/// State shared by the routes.
struct Site {
    actors: Actors,
    /// The store, where this server is ready only while changes can be saved.
    needed_store: Option<Arc<Addr<Store>>>,
    transport: Transport,
    /// Largest accepted frame, in bytes.
    websocket_frame_bytes: usize,
    /// Longest accepted request head, in bytes.
    request_head_bytes: usize,
}

/// The bounds of connections.
#[derive(Clone)]
enum Transport {
    Unix,
    Tcp(Arc<Door>),
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
        .default_service(web::to(upgrade::upgrade))
        .wrap(from_fn(admission::admit))
}

#[cfg(test)]
mod tests;
