//! Upgrades requests to WebSockets, on every path but the probes.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws;
use app_server_actors::connection::{ConnectionOrigin, kill::Kill, websocket};

use super::{Peer, Refusal, Site, Transport, handshake::check_upgrade};
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
    check_upgrade(&request)?;
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
