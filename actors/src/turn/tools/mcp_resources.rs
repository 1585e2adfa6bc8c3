//! `list_mcp_resources` and `read_mcp_resource`: what MCP servers have to read.

use std::rc::Rc;

use rmcp::model::{CallToolResult, ContentBlock};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::mcp::show_call;
use super::schema::parameters;
use super::{Answer, Tool, Toolbox, USUAL_BYTES, run};
use crate::approval::mcp::ToolHints;
use crate::mcp::{CallFault, Offered};
use crate::turn::history::shortened;

pub(super) const LIST: Tool = Tool {
    name: "list_mcp_resources",
    about: "Lists what MCP servers have to read, such as documents and database schemas, and templates for such addresses.",
    parameters: parameters::<List>,
    most_bytes: USUAL_BYTES,
    run: |toolbox, call| run(toolbox, &call, list),
};

pub(super) const READ: Tool = Tool {
    name: "read_mcp_resource",
    about: "Reads one of the things that list_mcp_resources lists.",
    parameters: parameters::<Read>,
    most_bytes: USUAL_BYTES,
    run: |toolbox, call| run(toolbox, &call, read),
};

#[derive(Deserialize, JsonSchema)]
struct List {
    /// The name of one server; all of them when absent.
    server: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Read {
    /// The name of the server.
    server: String,
    /// The address, as list_mcp_resources gives it.
    uri: String,
}

async fn list(toolbox: Rc<Toolbox>, _: String, List { server }: List) -> Answer {
    let shown = tokio::select! {
        shown = toolbox.servers.resources() => shown,
        () = toolbox.stop.cancelled() => return Answer::Text("aborted by user".to_owned()),
    };
    let meant = |name: &String| server.as_ref().is_none_or(|wanted| wanted == name);
    let found: Vec<Value> = (shown.into_iter().filter(|(name, ..)| meant(name)))
        .map(|(name, all, templates)| json!({"server": name, "resources": all, "resourceTemplates": templates}))
        .collect();
    match (found.is_empty(), server) {
        (true, Some(server)) => Answer::Text(format!("there is no MCP server {server}")),
        _ => Answer::Text(shortened(&Value::from(found).to_string(), toolbox.rules.output_bytes)),
    }
}

async fn read(toolbox: Rc<Toolbox>, call_id: String, Read { server, uri }: Read) -> Answer {
    let arguments = json!({"server": server, "uri": uri});
    let reads = Offered {
        server: server.as_str().into(),
        tool: READ.name.to_owned(),
        title: None,
        hints: ToolHints { read_only: Some(true), ..ToolHints::default() },
        spec: READ.spec(),
    };
    let own = toolbox.clone();
    let work = async |_: &str| own.read_resource(&server, uri).await;
    show_call(&toolbox, &reads, arguments.as_object().cloned().unwrap_or_default(), call_id, work).await
}

impl Toolbox {
    /// Reads a resource as if a tool had given it.
    ///
    /// # Errors
    /// There is none, or not in time; in words for the model and for people.
    async fn read_resource(&self, server: &str, uri: String) -> Result<CallToolResult, String> {
        let limit = self.servers.config(server).map(|config| config.call_time()).unwrap_or_default();
        let result = tokio::select! {
            result = timeout(limit, self.servers.read(server, uri)) => result,
            () = self.stop.cancelled() => return Err("aborted by user".to_owned()),
        };
        let result = result.map_err(|_| format!("timed out awaiting resources/read after {}s", limit.as_secs_f64()))?;
        let contents =
            result.map_err(|fault: CallFault| format!("resources/read failed for `{server}`: {fault}"))?.contents;
        Ok(CallToolResult::success(contents.into_iter().map(ContentBlock::resource).collect()))
    }
}
