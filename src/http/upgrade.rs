//! Upgrades requests to WebSockets, on every path but the probes.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, Version, header},
    web,
};
use actix_web_actors::ws;
use app_server_actors::connection::{ConnectionOrigin, kill::Kill, websocket};

use super::{Peer, Refusal, Site, Transport};
use crate::auth::Pass;

/// Tells clients of the Unix socket above which size they must fragment a message.
const MAX_FRAME_HEADER: &str = "x-codex-websocket-max-unfragmented-message-bytes";

/// The path by which the reference program's daemon manager asks its server to end.
const MANAGED_SHUTDOWN: &str = "/daemon/shutdown";

/// Hands the connection to its WebSocket actor.
pub async fn upgrade(
    request: HttpRequest,
    payload: web::Payload,
    site: web::Data<Site>,
) -> Result<HttpResponse, Refusal> {
    check(&request)?;
    let peer = request.conn_data::<Peer>().ok_or(Refusal::UnknownPeer)?;
    let mut response = ws::handshake(&request)?;
    let (pass, origin) = match &site.transport {
        Transport::Tcp(door) | Transport::Pages(door) => {
            let tcp = peer.tcp().ok_or(Refusal::UnknownPeer)?;
            let pass = door.admit(request.head(), tcp).inspect_err(|refusal| site.count(refusal))?;
            if tcp.is_proxy {
                peer.count_as(door.client(request.head(), tcp))?;
            }
            (pass, ConnectionOrigin::Tcp)
        }
        Transport::Unix if request.path() == MANAGED_SHUTDOWN => return Err(Refusal::Unmanaged),
        Transport::Unix => {
            response.insert_header((MAX_FRAME_HEADER, site.websocket_frame_bytes));
            (Pass::UNLIMITED, ConnectionOrigin::UnixSocket)
        }
    };
    let kill = peer.take_kill().ok_or(Refusal::UnknownPeer)?;
    let (kill, address) = (Kill::Socket(Arc::new(kill)), peer.address().to_owned());
    Ok(websocket::serve(response, payload, site.actors.hub(), kill, pass, (origin, address)))
}

/// The order of the checks is the reference program's.
fn check(request: &HttpRequest) -> Result<(), Refusal> {
    // The value of `Upgrade` is a list (RFC 9110 7.8).
    let says = |name, expected: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.split(',').any(|item| item.trim().eq_ignore_ascii_case(expected)))
    };
    if request.method() != Method::GET {
        Err(Refusal::NotGet)
    } else if !request.head().upgrade() {
        Err(Refusal::NoUpgrade)
    } else if !says(header::UPGRADE, "websocket") {
        Err(Refusal::NotWebSocket)
    } else if !request.headers().contains_key(header::SEC_WEBSOCKET_KEY) {
        Err(Refusal::NoKey)
    } else if !says(header::SEC_WEBSOCKET_VERSION, "13") {
        Err(Refusal::OtherVersion)
    } else if request.version() < Version::HTTP_11 {
        Err(Refusal::OldHttp)
    } else {
        Ok(())
    }
}
