//! Requests about MCP servers. They may take as long as a server does, so they hold up no other request.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use rmcp::model::{CallToolResult, ReadResourceResult};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::refusals::thread_id;
use super::turn::describe;
use super::{Threads, Work, decided, finish, work};
use crate::catalog::{AskMcpServers, page};
use crate::encode::Encoder;
use crate::mcp::{CallFault, Servers, Shown, status};
use crate::protocol::RpcError;
use crate::protocol::catalog::{
    ListMcpServerStatusParams, McpResourceReadParams, McpResourceReadResponse, McpServerStatus, McpServerStatusDetail,
    McpServerToolCallParams, McpServerToolCallResponse, Page,
};
use crate::protocol::thread::Empty;
use crate::reply::Reply;
use crate::router::{Outcome, Router};

/// How long a list waits for servers that are starting.
const PATIENCE: Duration = Duration::from_secs(10);

impl Threads {
    /// `mcpServerStatus/list`
    pub(super) fn mcp_servers(&self, params: ListMcpServerStatusParams) -> Result<Work, RpcError> {
        if params.environment_id.is_some() && (params.server_name.is_none() || params.thread_id.is_none()) {
            return Err(RpcError::invalid_request("environmentId requires serverName and threadId"));
        }
        if let Some(id) = params.thread_id.clone() {
            return self.with_servers(&id, statuses, move |servers| async move {
                let _ = tokio::time::timeout(PATIENCE, servers.start_new()).await;
                let with_resources = params.detail != Some(McpServerStatusDetail::ToolsAndAuthOnly);
                listed(servers.show(with_resources).await, &params)
            });
        }
        let catalog = self.parts.catalog.clone();
        // What a thread knows of the same server.
        let threads: Vec<_> = self.loaded.values().map(|loaded| loaded.servers.clone()).collect();
        work(async move {
            let asked = catalog.send(AskMcpServers).await;
            let configured = asked.map_err(|_| RpcError::internal("the catalog has ended; restart the server"))?.0;
            let mut all: Vec<Shown> =
                configured.iter().map(|(name, config)| Shown::not_started(name, config)).collect();
            for servers in threads {
                for shown in servers.show(false).await {
                    let same = |own: &&mut Shown| own.name == shown.name && own.config == shown.config;
                    if let Some(own) = all.iter_mut().find(same).filter(|own| !own.is_known()) {
                        *own = shown;
                    }
                }
            }
            let page = listed(all, &params)?;
            finish(move |threads, reply| {
                let (encoder, router) = (threads.parts.encoder.clone(), threads.parts.router.clone());
                actix_rt::spawn(answer(encoder, router, reply, std::future::ready(Ok(page)), statuses));
                Outcome::none()
            })
        })
    }

    /// `mcpServer/tool/call`: a client calls a tool for its user, who need not be asked.
    pub(super) fn call_mcp_tool(&self, params: McpServerToolCallParams) -> Result<Work, RpcError> {
        let arguments = match params.arguments {
            None | Some(Value::Null) => None,
            Some(Value::Object(arguments)) => Some(arguments),
            Some(_) => return Err(RpcError::invalid_request("arguments must be an object")),
        };
        let (server, tool) = (params.server, params.tool);
        self.with_servers(&params.thread_id, called, move |servers| async move {
            let limit = servers.config(&server).map(|config| config.call_time()).unwrap_or_default();
            // Nobody follows this call, so its progress is not told and its questions are cancelled.
            let (events, _) = mpsc::channel(1);
            let stop = CancellationToken::new();
            let call = servers.call(&server, tool, arguments, events, stop.clone());
            let _ended = stop.drop_guard();
            match tokio::time::timeout(limit, call).await {
                Ok(result) => result.map_err(failed),
                Err(_) => Err(RpcError::internal(format_args!(
                    "timed out awaiting tools/call after {}s",
                    limit.as_secs_f64()
                ))),
            }
        })
    }

    /// `mcpServer/resource/read`
    pub(super) fn read_mcp_resource(&self, params: McpResourceReadParams) -> Result<Work, RpcError> {
        if params.connector_id.is_some() || params.target.is_some() {
            return Err(RpcError::invalid_request("this server knows no apps"));
        }
        let Some(id) = params.thread_id else {
            return Err(RpcError::invalid_request("threadId is needed, because each thread has servers of its own"));
        };
        self.with_servers(&id, read, move |servers| async move {
            servers.read(&params.server, params.uri).await.map_err(failed)
        })
    }

    /// `config/mcpServer/reload`: the next turn of each loaded thread starts its servers anew, as the configuration then
    /// says.
    pub(super) fn reload_mcp_servers(&self) -> Result<Work, RpcError> {
        self.loaded.values().for_each(|loaded| loaded.servers.renew());
        decided(finish(|_, reply| reply.ok(&Empty {})))
    }

    /// Answers with what `ask` learns from the servers of a loaded thread, which are those of the configuration, in the
    /// words of `word`. It takes the time that it takes; other requests go on.
    fn with_servers<T, W, F>(
        &self,
        id: &str,
        word: fn(T) -> W,
        ask: impl FnOnce(Arc<Servers>) -> F + 'static,
    ) -> Result<Work, RpcError>
    where
        T: Send + 'static,
        W: Serialize + 'static,
        F: Future<Output = Result<T, RpcError>> + 'static,
    {
        let thread = self.live(id)?;
        let servers = self.loaded.get(&thread_id(id)?).map(|loaded| loaded.servers.clone());
        let servers = servers.ok_or_else(|| RpcError::internal("the thread has failed; resume it"))?;
        let rule_book = self.rule_book(id)?;
        let (encoder, router) = (self.parts.encoder.clone(), self.parts.router.clone());
        work(async move {
            let record = describe(&thread).await?;
            let rules = rule_book.rules(&record).await?;
            finish(move |_, reply| {
                if !servers.is_configured() {
                    servers.configure(&rules.mcp_servers, &rules.cwd);
                }
                actix_rt::spawn(answer(encoder, router, reply, ask(servers), word));
                Outcome::none()
            })
        })
    }
}

/// Answers with what was asked. It may be large, so a worker finds the words.
async fn answer<T: Send + 'static, W: Serialize + 'static>(
    encoder: Encoder,
    router: Arc<Addr<Router>>,
    reply: Reply,
    asked: impl Future<Output = Result<T, RpcError>>,
    word: fn(T) -> W,
) {
    let outcome = match asked.await {
        Ok(answer) => match encoder.large(reply, move || word(answer)).await {
            Some((reply, frame)) => reply.send(frame),
            None => return,
        },
        Err(error) => reply.fail(&error),
    };
    // An error means that the server ends.
    let _ = router.send(outcome).await;
}

fn statuses(page: Page<Shown>) -> Page<McpServerStatus> {
    Page { data: page.data.into_iter().map(status).collect(), next_cursor: page.next_cursor }
}

fn listed(all: Vec<Shown>, params: &ListMcpServerStatusParams) -> Result<Page<Shown>, RpcError> {
    let wanted = |server: &Shown| params.server_name.as_ref().is_none_or(|wanted| *wanted == server.name);
    page(all.into_iter().filter(wanted).collect(), &params.page, "servers")
}

fn failed(fault: CallFault) -> RpcError {
    match fault {
        CallFault::NotRunning { .. } => RpcError::invalid_request(fault),
        fault => RpcError::internal(fault),
    }
}

fn called(result: CallToolResult) -> McpServerToolCallResponse {
    let CallToolResult { content, structured_content, is_error, meta, .. } = result;
    McpServerToolCallResponse {
        content: content.iter().filter_map(|block| serde_json::to_value(block).ok()).collect(),
        structured_content,
        is_error,
        meta: meta.and_then(|meta| serde_json::to_value(meta).ok()),
    }
}

fn read(result: ReadResourceResult) -> McpResourceReadResponse {
    let contents = result.contents.iter().filter_map(|content| serde_json::to_value(content).ok());
    McpResourceReadResponse {
        contents: contents.filter_map(|content| serde_json::from_value(content).ok()).collect(),
        origin_call_id: Default::default(),
    }
}
