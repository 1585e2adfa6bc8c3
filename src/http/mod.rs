//! What the listeners answer over HTTP. Requests are judged in this order:
//!
//! 1. any request with an `Origin` header → 403: a web page must not reach the agent of whoever looks at it
//! 2. `/readyz`, `/healthz` → 200, 503 (GET and HEAD; 405 for other methods)
//! 3. everything else → a WebSocket, on any path

mod peer;
mod probes;
mod refusal;
mod start;
mod upgrade;

use actix_web::{
    App, Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::header,
    middleware::{Next, from_fn},
    web,
};
use app_server_actors::hub::Hub;

pub use self::start::{HttpServer, Sockets};
use self::{peer::Peer, refusal::Refusal};

/// What the routes need to know.
struct Site {
    hub: Hub,
    transport: Transport,
    /// The largest frame that is taken, in bytes.
    websocket_frame_bytes: usize,
}

/// What is below HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Unix,
    Tcp,
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
        .wrap(from_fn(refuse_web_pages))
}

/// Browsers add `Origin` to every WebSocket request and to most others; no other client does.
async fn refuse_web_pages<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request.headers().contains_key(header::ORIGIN) {
        return Ok(request.into_response(HttpResponse::Forbidden().finish()).map_into_right_body());
    }
    next.call(request).await.map(ServiceResponse::map_into_left_body)
}

#[cfg(test)]
mod tests;
