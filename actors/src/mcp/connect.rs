//! The start of a server: reaching it, the handshake, and the list of its tools.

use std::path::PathBuf;
use std::sync::Arc;

use rmcp::model::{PaginatedRequestParams, Tool};
use rmcp::service::{ClientInitializeError, Peer, RoleClient, RunningService, ServiceError, serve_client};
use rmcp::transport::StreamableHttpClientTransport;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::calls::{Calls, Ears};
use super::catalogue::Catalogue;
use super::config::{Kind, ServerConfig};
use super::http::{Place, start_http};
use super::program::{Process, start_program};
use super::setup::McpSetup;
use crate::protocol::Secret;
use crate::protocol::thread::ThreadId;

/// Bytes of a text in which a server says what is wrong; the rest is left out.
const TEXT_BYTES: usize = 8 << 10;

/// Shortest secret that is taken out of texts. Shorter ones are words of any text.
const SHORTEST_SECRET: usize = 6;

/// What one server is to be.
pub(super) struct Task {
    /// Its key in the configuration.
    pub(super) name: Arc<str>,
    /// What the configuration says of it.
    pub(super) config: Arc<ServerConfig>,
    /// The working directory of its thread.
    pub(super) cwd: PathBuf,
    /// Its thread.
    pub(super) thread_id: ThreadId,
    /// What it works with.
    pub(super) setup: Arc<McpSetup>,
}

/// A server that runs.
pub(super) struct Connection {
    pub(super) service: RunningService<RoleClient, Ears>,
    pub(super) catalogue: Catalogue,
    pub(super) process: Option<Process>,
    pub(super) secrets: Vec<Secret>,
}

/// Why a server did not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotConnected {
    /// For people.
    pub(super) reason: String,
    /// It wants a token, or another one.
    pub(super) wants_sign_in: bool,
}

impl From<String> for NotConnected {
    fn from(reason: String) -> Self {
        Self { reason, wants_sign_in: false }
    }
}

impl Task {
    /// Starts the server on the calling arbiter, in the time that its configuration gives it. `lives` is held by what
    /// there is of it.
    ///
    /// # Errors
    /// In words for people. What there was of it is about to end.
    pub(super) async fn connect(
        &self,
        calls: &Arc<Calls>,
        changed: &mpsc::Sender<()>,
        lives: &TaskTracker,
    ) -> Result<Connection, NotConnected> {
        let setup = &self.setup;
        // Only closing the semaphores would fail, which nobody does.
        let failed = |_| NotConnected::from("the server is ending".to_owned());
        let _starting = setup.starting.acquire().await.map_err(failed)?;
        let place = setup.running.clone().try_acquire_owned();
        let place = place.map_err(|_| NotConnected::from("too many MCP servers run already".to_owned()))?;
        let ears = Ears { calls: calls.clone(), changed: changed.clone() };
        let (mut process, mut secrets) = (None, Vec::new());
        let started = async {
            let service = match self.config.kind().map_err(|reason| NotConnected::from(reason.to_owned()))? {
                Kind::Program(program) => {
                    let (transport, own, life) = start_program(&setup.runner, &self.config, program, &self.cwd, place)
                        .map_err(|error| NotConnected::from(error.to_string()))?;
                    actix_rt::spawn(lives.track_future(life));
                    process = Some(own);
                    serve_client(ears, transport).await
                }
                Kind::Http(url) => {
                    let reached = Place::new(&self.config, url, &setup.environment)?;
                    secrets = reached.secrets();
                    let (client, config) = start_http(&setup.network, reached);
                    let transport = StreamableHttpClientTransport::with_client(client, config);
                    serve_client(ears, transport).await
                }
            };
            let service = service.map_err(|error| not_connected(&error))?;
            let tools = list_tools(service.peer(), setup.limits.listed_tools)
                .await
                .map_err(|error| NotConnected::from(format!("it did not list its tools: {error}")))?;
            Ok((service, tools))
        };
        let limit = self.config.startup_time();
        let started = timeout(limit, started).await.unwrap_or_else(|_| Err(self.timed_out(limit).into()));
        match started {
            Ok((service, tools)) => {
                let info = service.peer().peer_info();
                let catalogue = Catalogue::new(&self.name, &self.config, &self.setup.limits, info, tools);
                Ok(Connection { service, catalogue, process, secrets })
            }
            Err(NotConnected { reason, wants_sign_in }) => {
                let reason = process.and_then(|process| process.end()).unwrap_or(reason);
                Err(NotConnected { reason: without(&secrets, reason), wants_sign_in })
            }
        }
    }

    fn timed_out(&self, limit: std::time::Duration) -> String {
        format!(
            "it did not start within {} seconds; set startup_timeout_sec in [mcp_servers.{}]",
            limit.as_secs_f64(),
            self.name
        )
    }
}

fn not_connected(error: &ClientInitializeError) -> NotConnected {
    if error.is_authorization_required() {
        let reason = "it wants a token, or another one; set bearer_token_env_var";
        return NotConnected { reason: reason.to_owned(), wants_sign_in: true };
    }
    let reason = match error {
        // Their texts would show whole messages of the server.
        ClientInitializeError::ExpectedInitResponse(_) | ClientInitializeError::ExpectedInitResult(_) => {
            "it answered the handshake with something else".to_owned()
        }
        ClientInitializeError::ConnectionClosed(_) => "it closed the connection during the handshake".to_owned(),
        ClientInitializeError::JsonRpcError(error) => format!("it refused the handshake: {}", error.message),
        ClientInitializeError::TransportError { error, .. } => error.error.to_string(),
        other => other.to_string(),
    };
    reason.into()
}

/// All tools of a server, page by page.
///
/// # Errors
/// It does not list them. A server without tools has none.
pub(super) async fn list_tools(peer: &Peer<RoleClient>, most: usize) -> Result<Vec<Tool>, ServiceError> {
    if peer.peer_info().is_some_and(|info| info.capabilities.tools.is_none()) {
        return Ok(Vec::new());
    }
    let (mut tools, mut cursor) = (Vec::new(), None);
    loop {
        let page = PaginatedRequestParams::default().with_cursor(cursor);
        let mut page = peer.list_tools(Some(page)).await?;
        tools.append(&mut page.tools);
        cursor = page.next_cursor;
        if tools.len() >= most {
            log::warn!("an MCP server lists more than {most} tools (mcp.listed_tools); the others are left out");
            tools.truncate(most);
            return Ok(tools);
        }
        if cursor.is_none() {
            return Ok(tools);
        }
    }
}

/// A text of a server for people and models: of bounded length, and without these secrets, which it may repeat.
pub(super) fn without(secrets: &[Secret], text: String) -> String {
    let secrets = secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= SHORTEST_SECRET);
    // First, because a cut could leave a part of one.
    let mut text = secrets.fold(text, |text, secret| text.replace(secret, "…"));
    text.truncate(text.floor_char_boundary(TEXT_BYTES));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_short_and_shows_no_secret() {
        let secrets = ["s3cret-token".into(), "abc".into()];
        let text = without(&secrets, format!("no: s3cret-token abc {}", "é".repeat(TEXT_BYTES)));
        assert!(text.starts_with("no: … abc "), "{}", text.chars().take(40).collect::<String>());
        assert!(text.len() <= TEXT_BYTES);
    }
}
