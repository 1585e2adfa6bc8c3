//! One line of the log for each request that may change something: who asks for what, and by which right.

use log::Level;

use super::session::Session;
use crate::connection::ConnectionId;
use crate::protocol::scope::Scope;
use crate::protocol::{ClientRequest, Method};

/// Target of these lines, of level info. Where the client is says the line about its connection.
const AUDIT: &str = "app_server_actors::audit";

/// Logs a request that may be sent, unless it only looks.
pub(super) fn audit(connection: ConnectionId, session: &Session, method: &Method, request: &ClientRequest) {
    let Some(scope) = method.scope.filter(|scope| *scope != Scope::Observe) else { return };
    if !log::log_enabled!(target: AUDIT, Level::Info) {
        return;
    }
    let thread = match request {
        ClientRequest::Threads(request) => request.thread_id().unwrap_or_default(),
        _ => "",
    };
    let about = if thread.is_empty() { String::new() } else { format!(" about thread {thread}") };
    let (client, method, scope) = (&*session.client_name, method.name, scope.name());
    log::info!(
        target: AUDIT, connection = connection.0, client = client, method = method, scope = scope, thread = thread;
        "connection {connection} ({client}) asks for {method}{about} by scope {scope}"
    );
}
