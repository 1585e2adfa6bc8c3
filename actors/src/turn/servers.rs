//! The MCP servers of a turn: waiting for their start, and what they offer.

use std::pin::pin;
use std::sync::Arc;

use super::run::{Heard, Run, Stop, failure};
use super::tools::resource_tools;
use crate::protocol::model::ToolSpec;
use crate::protocol::turn::CodexErrorInfo;

impl Run {
    /// Starts the servers, and waits for them: some time for all, and for required ones until they run or have failed.
    pub(super) async fn meet_servers(&mut self) -> Result<(), Stop> {
        let servers = self.toolbox.servers.clone();
        servers.configure(&self.task.rules.mcp_servers, &self.task.rules.cwd);
        if self.task.rules.mcp_servers.is_empty() {
            return Ok(());
        }
        let mut prepared = pin!(servers.prepare());
        let mut time_is_over = pin!(tokio::time::sleep(self.setup.limits.mcp_wait_milliseconds.duration()));
        let mut may_wait = true;
        loop {
            tokio::select! {
                biased;
                input = self.inbox.recv() => if self.hear(input) == Heard::Interrupt {
                    return Err(Stop::Interrupted);
                },
                () = &mut prepared => break,
                () = &mut time_is_over, if may_wait => {
                    may_wait = false;
                    if servers.missing().is_empty() {
                        break;
                    }
                }
            }
        }
        let Some((name, reason)) = servers.missing().into_iter().next() else { return Ok(()) };
        let words = format!("the MCP server {name} is required and does not run: {reason}");
        Err(Stop::Failed(failure(words, CodexErrorInfo::Other)))
    }

    /// What the model may call now. Servers that became ready meanwhile add their tools.
    pub(super) fn offered(&self) -> Arc<[ToolSpec]> {
        let own = &self.task.rules.tools;
        let of_servers = self.toolbox.servers.tools();
        if self.task.rules.mcp_servers.is_empty() {
            return own.clone();
        }
        let resources = if self.toolbox.servers.have_resources() { resource_tools().to_vec() } else { Vec::new() };
        let of_servers = of_servers.into_iter().map(|tool| tool.spec.clone()).chain(resources);
        let new = of_servers.filter(|spec| !own.iter().any(|known| known.name == spec.name));
        own.iter().cloned().chain(new).collect()
    }
}
