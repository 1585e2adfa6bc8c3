//! The MCP servers of one thread.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix::prelude::*;
use futures_util::future::join_all;
use rmcp::model::{CallToolResult, ReadResourceResult, Resource, ResourceTemplate};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::calls::CallEvent;
use super::catalogue::Offered;
use super::config::ServerConfig;
use super::connect::Task;
use super::messages::{CallFault, CallTool, ListResources, Prepare, ReadResource, Resources};
use super::server::Server;
use super::setup::McpSetup;
use super::standing::{Seen, Standing};
use crate::mailbox::reserve;
use crate::protocol::catalog::McpServerConnectionStatus as Status;
use crate::protocol::thread::ThreadId;

/// Messages that one server's actor may have waiting.
const MESSAGES: usize = 16;

/// How long the end of a server is waited for. The kernel is told to kill it long before.
const PATIENCE: Duration = Duration::from_secs(60);

/// The servers as the configuration names them.
pub type Configured = BTreeMap<String, Arc<ServerConfig>>;

/// The MCP servers of a thread. The thread and its turns share them. When they are dropped, all of them end.
pub struct Servers {
    setup: Arc<McpSetup>,
    thread_id: ThreadId,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    servers: BTreeMap<String, Known>,
    is_configured: bool,
    /// They are to be started anew, whatever the configuration says.
    outdated: bool,
}

/// A server, which has an actor.
struct Known {
    config: Arc<ServerConfig>,
    cwd: PathBuf,
    link: Link,
    /// Ends it.
    end: DropGuard,
}

/// The way to a server.
#[derive(Clone)]
struct Link {
    server: Arc<Addr<Server>>,
    standing: Standing,
    ended: CancellationToken,
}

/// A server as clients see it.
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) config: Arc<ServerConfig>,
    pub(super) seen: Seen,
    pub(super) resources: Resources,
}

impl Servers {
    /// None yet.
    pub fn new(setup: Arc<McpSetup>, thread_id: ThreadId) -> Self {
        Self { setup, thread_id, table: Mutex::default() }
    }

    /// From now on these are the servers, and this is the thread's working directory. Those that are not among them any
    /// more, or that are to be different, end. Nothing is started.
    pub fn configure(&self, configured: &Configured, cwd: &Path) {
        let mut table = self.lock();
        let most = self.setup.limits.thread_servers;
        let outdated = std::mem::take(&mut table.outdated);
        table.is_configured = true;
        let enabled = || configured.iter().filter(|(_, config)| config.is_enabled()).take(most);
        let wanted: BTreeMap<&str, &Arc<ServerConfig>> = enabled().map(|(name, config)| (&**name, config)).collect();
        table.servers.retain(|name, known| {
            let wanted = wanted.get(&**name);
            !outdated && known.cwd == cwd && wanted.is_some_and(|config| **config == known.config)
        });
        for (name, config) in enabled() {
            if !table.servers.contains_key(name) {
                let known = self.meet(name, config, cwd);
                table.servers.insert(name.clone(), known);
            }
        }
    }

    /// Starts the actor of a server, which starts nothing yet.
    fn meet(&self, name: &str, config: &Arc<ServerConfig>, cwd: &Path) -> Known {
        let (end, ended, standing) = (CancellationToken::new(), CancellationToken::new(), Standing::new());
        let (server, mailbox) = reserve(MESSAGES);
        let task = (name.into(), config.clone(), cwd.to_owned(), self.thread_id, self.setup.clone());
        let own = (standing.clone(), end.clone(), ended.clone());
        mailbox.run_on(self.setup.arbiter(), move || {
            let (name, config, cwd, thread_id, setup) = task;
            let (standing, end, ended) = own;
            Server::new(Task { name, config, cwd, thread_id, setup }, standing, end, ended)
        });
        let link = Link { server, standing, ended };
        Known { config: config.clone(), cwd: cwd.to_owned(), link, end: end.drop_guard() }
    }

    /// Whether it is known which servers there are.
    pub fn is_configured(&self) -> bool {
        self.lock().is_configured
    }

    /// The next turn starts all servers anew.
    pub fn renew(&self) {
        self.lock().outdated = true;
    }

    /// Starts the servers. Returns when each runs, or is known not to. One that has failed before is started, too, and is
    /// not waited for.
    pub async fn prepare(&self) {
        for link in self.links(|status| !is_new(status)) {
            // A full mailbox holds enough wishes for a start.
            let _ = link.server.try_send(Prepare);
        }
        self.start_new().await;
    }

    /// Starts the servers that nothing has needed yet, and waits until they run, or are known not to.
    pub async fn start_new(&self) {
        join_all(self.links(is_new).iter().map(Link::prepare)).await;
    }

    fn links(&self, meant: fn(Status) -> bool) -> Vec<Link> {
        let table = self.lock();
        let links = table.servers.values().map(|known| &known.link);
        links.filter(|link| meant(link.standing.get().status)).cloned().collect()
    }

    /// Names of the required servers that do not run, with the reasons.
    pub fn missing(&self) -> Vec<(String, String)> {
        let table = self.lock();
        let required = table.servers.iter().filter(|(_, known)| known.config.required);
        let seen = required.map(|(name, known)| (name, known.link.standing.get()));
        seen.filter(|(_, seen)| seen.status != Status::Connected)
            .map(|(name, seen)| (name.clone(), seen.error.unwrap_or_else(|| "it is still starting".to_owned())))
            .collect()
    }

    /// What the model may call, in the order of the names.
    pub fn tools(&self) -> Vec<Arc<Offered>> {
        let table = self.lock();
        let catalogues = table.servers.values().filter_map(|known| known.link.standing.get().catalogue);
        catalogues.flat_map(|catalogue| catalogue.offered.clone()).collect()
    }

    /// Whether a server that runs has resources.
    pub fn have_resources(&self) -> bool {
        let table = self.lock();
        let mut catalogues = table.servers.values().filter_map(|known| known.link.standing.get().catalogue);
        catalogues.any(|catalogue| catalogue.info.as_ref().is_some_and(|info| info.capabilities.resources.is_some()))
    }

    /// The resources of each server that runs, and the templates of such, by its name.
    pub async fn resources(&self) -> Vec<(String, Vec<Resource>, Vec<ResourceTemplate>)> {
        let known = self.show(true).await.into_iter().filter(Shown::is_known);
        known.map(|Shown { name, resources, .. }| (name, resources.resources, resources.templates)).collect()
    }

    /// What the configuration says of a server of this thread.
    pub fn config(&self, server: &str) -> Option<Arc<ServerConfig>> {
        self.lock().servers.get(server).map(|known| known.config.clone())
    }

    /// Calls a tool of a server, which is started if need be. There is no time limit; `stop` ends the call.
    ///
    /// # Errors
    /// There is no result.
    pub async fn call(
        &self,
        server: &str,
        tool: String,
        arguments: Option<serde_json::Map<String, Value>>,
        events: mpsc::Sender<CallEvent>,
        stop: CancellationToken,
    ) -> Result<CallToolResult, CallFault> {
        let link = self.ready(server, &stop).await?;
        let call = CallTool { tool, arguments, events, stop };
        link.server.send(call).await.unwrap_or_else(|_| Err(gone(server)))
    }

    /// Reads a resource of a server, which is started if need be.
    ///
    /// # Errors
    /// There is no such resource, or the server does not run.
    pub async fn read(&self, server: &str, uri: String) -> Result<ReadResourceResult, CallFault> {
        let link = self.ready(server, &CancellationToken::new()).await?;
        link.server.send(ReadResource(uri)).await.unwrap_or_else(|_| Err(gone(server)))
    }

    async fn ready(&self, server: &str, stop: &CancellationToken) -> Result<Link, CallFault> {
        let link = self.lock().servers.get(server).map(|known| known.link.clone());
        let link = link.ok_or_else(|| CallFault::NotRunning {
            server: server.to_owned(),
            reason: "no such server is configured and enabled".to_owned(),
        })?;
        tokio::select! {
            () = link.prepare() => Ok(link),
            () = stop.cancelled() => Err(CallFault::Cancelled),
        }
    }

    /// The servers as clients see them; with their resources, which each is asked for, if `with_resources`.
    pub(crate) async fn show(&self, with_resources: bool) -> Vec<Shown> {
        let known: Vec<_> = {
            let table = self.lock();
            let known = table.servers.iter();
            known.map(|(name, known)| (name.clone(), known.config.clone(), known.link.clone())).collect()
        };
        join_all(known.into_iter().map(|(name, config, link)| async move {
            let resources = match with_resources {
                true => link.server.send(ListResources).await.unwrap_or_default(),
                false => Resources::default(),
            };
            Shown { name, config, seen: link.standing.get(), resources }
        }))
        .await
    }

    /// Ends all servers, and returns when nothing of them is left.
    pub async fn end(&self) {
        let servers = std::mem::take(&mut self.lock().servers);
        join_all(servers.into_iter().map(|(name, Known { link, end, .. })| async move {
            drop(end);
            if timeout(PATIENCE, link.ended.cancelled()).await.is_err() {
                log::error!("the MCP server {name} was told to end, and does not");
            }
        }))
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    async fn prepare(&self) {
        // An error means that it is about to end.
        let _ = self.server.send(Prepare).await;
    }
}

fn is_new(status: Status) -> bool {
    matches!(status, Status::NotStarted | Status::Starting)
}

fn gone(server: &str) -> CallFault {
    CallFault::NotRunning { server: server.to_owned(), reason: "it was ended meanwhile".to_owned() }
}
