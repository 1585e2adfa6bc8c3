//! Every path but the probes becomes a WebSocket, or says why not.

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, http::Method, http::StatusCode, http::header, web};
use actix_web_actors::ws;
use app_server_actors::connection::websocket;

use super::{Peer, Site, Transport};

/// Tells clients of the Unix socket how large a message may be before they must send it in fragments.
const MAX_FRAME_HEADER: &str = "x-codex-websocket-max-unfragmented-message-bytes";

/// By this path the reference program's daemon manager asks a server that it manages to end.
const MANAGED_SHUTDOWN: &str = "/daemon/shutdown";

/// Upgrades the request, or answers it with the status and text of the reference program.
pub async fn upgrade(request: HttpRequest, payload: web::Payload, site: web::Data<Site>) -> HttpResponse {
    let handshake = check(&request).and_then(|()| shake_hands(&request, &site));
    let mut response = match handshake {
        Ok(response) => response,
        Err(refusal) => return refusal,
    };
    match request.conn_data::<Peer>().and_then(Peer::take_kill) {
        Some(kill) => websocket::serve(response.take(), payload, &site.hub, kill),
        None => HttpResponse::Forbidden().finish(),
    }
}

/// The order of the checks is the reference program's.
fn check(request: &HttpRequest) -> Result<(), HttpResponse> {
    let headers = request.headers();
    let says = |name, value: &str| {
        headers.get(name).and_then(|it| it.to_str().ok()).is_some_and(|it| it.trim().eq_ignore_ascii_case(value))
    };
    if request.method() != Method::GET {
        let mut refusal = HttpResponse::MethodNotAllowed();
        return Err(refusal.insert_header((header::ALLOW, "GET")).body("Request method must be `GET`"));
    }
    let text = if !request.head().upgrade() {
        "Connection header did not include 'upgrade'"
    } else if !says(header::UPGRADE, "websocket") {
        "`Upgrade` header did not include 'websocket'"
    } else if !headers.contains_key(header::SEC_WEBSOCKET_KEY) {
        "`Sec-WebSocket-Key` header missing"
    } else if !says(header::SEC_WEBSOCKET_VERSION, "13") {
        "`Sec-WebSocket-Version` header did not include '13'"
    } else {
        return Ok(());
    };
    // RFC 6455 section 4.4: a refusal names the version that would do.
    Err(HttpResponse::BadRequest().insert_header((header::SEC_WEBSOCKET_VERSION, "13")).body(text))
}

fn shake_hands(request: &HttpRequest, site: &Site) -> Result<HttpResponseBuilder, HttpResponse> {
    if site.transport == Transport::Unix && request.path() == MANAGED_SHUTDOWN {
        return Err(HttpResponse::Forbidden().body("unmanaged server"));
    }
    let mut response = ws::handshake(request).map_err(|error| {
        let mut refusal = HttpResponse::build(StatusCode::BAD_REQUEST);
        refusal.body(error.to_string())
    })?;
    if site.transport == Transport::Unix {
        response.insert_header((MAX_FRAME_HEADER, site.websocket_frame_bytes));
    }
    Ok(response)
}
