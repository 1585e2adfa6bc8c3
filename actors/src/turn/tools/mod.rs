//! The tools that the model may call. Every tool is a row of one table: its name, what the model is told of it, how its
//! arguments are read, and the function that does the work.
//!
//! Calls run beside each other, and each reports to the thread by itself. Nothing that the model writes ends a turn: what
//! cannot be understood or done comes back to it as text.
//!
//! | file | what it is |
//! |---|---|
//! | [`toolbox`] | what the tools of a turn work with |
//! | [`consent`] | whether something is done, and who is asked |
//! | [`exec`], [`input`] | shell commands, and typing into them |
//! | [`apply_patch`] | changes of files |
//! | [`goal`] | the goal of the thread |
//! | [`update_plan`], [`view_image`] | the steps that a person sees; a picture for the model |
//! | [`permissions`], [`user_input`] | asking the person for more than the sandbox allows; questions |
//! | [`dynamic`] | tools that a client runs |
//! | [`mcp`], [`mcp_result`] | tools of MCP servers, and what they give back |
//! | [`mcp_resources`] | what MCP servers have to read |
//! | [`user_shell`] | a command of the user |
//! | [`outcome`] | what a call gives back |
//! | [`schema`] | the arguments of a tool, for the model |

mod apply_patch;
mod consent;
mod dynamic;
mod exec;
mod goal;
mod input;
mod mcp;
mod mcp_resources;
mod mcp_result;
mod outcome;
mod permissions;
mod schema;
mod toolbox;
mod update_plan;
mod user_input;
mod user_shell;
mod view_image;

use std::rc::Rc;
use std::time::Instant;

use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

use super::answer::Call;
use crate::protocol::model::{HistoryItem, ToolOutput, ToolSpec};
use crate::protocol::quoted::beginning;
use crate::protocol::settings::ModeKind;
use crate::traces::Span;

use outcome::Answer;
pub(super) use outcome::Made;
pub(super) use toolbox::Toolbox;
pub(super) use user_shell::user_shell;

/// A tool.
struct Tool {
    name: &'static str,
    /// What the model is told of it.
    about: &'static str,
    parameters: schema::Parameters,
    /// Bytes of its arguments at most, as the model writes them. Clients see most of them.
    most_bytes: usize,
    /// Reads the arguments and does the work.
    run: fn(Rc<Toolbox>, Call) -> LocalBoxFuture<'static, Answer>,
}

/// Bytes of the arguments of a tool, unless it is made for long ones: more than the longest command that a system runs.
const USUAL_BYTES: usize = 256 << 10;

/// Bytes of the arguments of a tool that takes long texts, or that a client runs.
const LONG_BYTES: usize = 8 << 20;

/// All tools, in the order in which they are offered.
static TOOLS: &[Tool] = &[exec::TOOL, input::TOOL, apply_patch::TOOL, update_plan::TOOL, view_image::TOOL];

/// Tools that are offered only sometimes.
static OTHERS: [&Tool; 6] =
    [&user_input::TOOL, &permissions::TOOL, &goal::GET, &goal::UPDATE, &mcp_resources::LIST, &mcp_resources::READ];

impl Tool {
    /// As the model is told of it.
    fn spec(&self) -> ToolSpec {
        let (name, description) = (self.name.to_owned(), self.about.to_owned());
        ToolSpec { name, description, parameters: (self.parameters)() }
    }
}

/// What the model may call in this mode, besides tools of clients. `may_ask_for_more`: the person can be asked for more than
/// the sandbox allows.
pub fn offered(mode: ModeKind, may_ask_for_more: bool) -> Vec<ToolSpec> {
    // Who plans may ask.
    let input = (mode == ModeKind::Plan).then_some(&user_input::TOOL);
    let permissions = may_ask_for_more.then_some(&permissions::TOOL);
    TOOLS.iter().chain(input).chain(permissions).map(Tool::spec).collect()
}

/// What the model may call besides while its thread has a goal.
pub fn goal_tools() -> [ToolSpec; 2] {
    [&goal::GET, &goal::UPDATE].map(Tool::spec)
}

/// What the model may call besides while an MCP server has resources.
pub fn resource_tools() -> [ToolSpec; 2] {
    [&mcp_resources::LIST, &mcp_resources::READ].map(Tool::spec)
}

/// Whether the tool only looks, and changes nothing by itself.
pub(super) fn only_looks(tool: &ToolSpec) -> bool {
    [exec::TOOL.name, input::TOOL.name, view_image::TOOL.name].contains(&&*tool.name)
}

/// Makes a call.
pub(super) fn make(toolbox: Rc<Toolbox>, number: usize, call: Call) -> LocalBoxFuture<'static, Made> {
    Box::pin(async move {
        let (call_id, since) = (call.call_id.clone(), Instant::now());
        let (setup, turn_id) = (toolbox.setup.clone(), toolbox.turn_id.clone());
        let own = TOOLS.iter().chain(OTHERS.iter().copied()).find(|tool| tool.name == call.name);
        let of_client = toolbox.rules.client_tools.iter().find(|tool| tool.is_called(&call.name)).cloned();
        let of_servers = if toolbox.rules.mcp_servers.is_empty() { Vec::new() } else { toolbox.servers.tools() };
        let of_server = of_servers.into_iter().find(|tool| tool.spec.name == call.name);
        let most_bytes = own.filter(|_| of_client.is_none()).map_or(LONG_BYTES, |tool| tool.most_bytes);
        let label = match (&of_client, own, &of_server) {
            (Some(_), _, _) => "_client",
            (None, Some(tool), _) => tool.name,
            (None, None, Some(_)) => "_mcp",
            (None, None, None) => "_unknown",
        };
        let answer = match (of_client, own, of_server) {
            _ if call.arguments.len() > most_bytes => Answer::Text(format!(
                "not called: the arguments have more than {most_bytes} bytes; write them to a file in parts, or shorten them"
            )),
            (Some(tool), _, _) => dynamic::call_client(toolbox, tool, call).await,
            (None, Some(tool), _) => (tool.run)(toolbox, call).await,
            (None, None, Some(tool)) => mcp::call_server(toolbox, tool, call).await,
            (None, None, None) => Answer::Text(format!("unsupported call: {}", beginning(&call.name))),
        };
        setup.metrics.tool(label, since.elapsed());
        setup.traces.ended(Span {
            turn_id: &turn_id,
            name: "tool",
            since,
            failed: false,
            attributes: &[("tool", label)],
        });
        let (output, ends_turn) = match answer {
            Answer::Text(text) => (ToolOutput::Text(text), false),
            Answer::Parts(parts) => (ToolOutput::Parts(parts), false),
            Answer::EndTurn(text) => (ToolOutput::Text(text), true),
        };
        Made { number, entry: HistoryItem::FunctionCallOutput { call_id, output }, ends_turn }
    })
}

/// A call that is one too many in its answer.
pub(super) fn not_made(number: usize, Call { call_id, .. }: Call, most: usize) -> Made {
    let text = format!("not called: one answer may make {most} calls; make this one in your next answer");
    let entry = HistoryItem::FunctionCallOutput { call_id, output: ToolOutput::Text(text) };
    Made { number, entry, ends_turn: false }
}

/// The `run` of a tool: reads the arguments, and passes them to `work` with the id of the call.
fn run<A, F>(
    toolbox: Rc<Toolbox>,
    call: &Call,
    work: fn(Rc<Toolbox>, String, A) -> F,
) -> LocalBoxFuture<'static, Answer>
where
    A: DeserializeOwned,
    F: Future<Output = Answer> + 'static,
{
    // Some models send nothing where no argument is needed.
    let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
    match serde_json::from_str(arguments) {
        Ok(arguments) => Box::pin(work(toolbox, call.call_id.clone(), arguments)),
        Err(error) => {
            let text = format!("failed to parse function arguments: {}", beginning(&error.to_string()));
            Box::pin(std::future::ready(Answer::Text(text)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_has_a_name_and_an_object_of_described_arguments() {
        for spec in offered(ModeKind::Plan, true).into_iter().chain(goal_tools()).chain(resource_tools()) {
            let schema: serde_json::Value = serde_json::from_str(spec.parameters.get()).unwrap();
            assert_eq!(schema["type"], "object", "{}", spec.name);
            assert_eq!(schema["additionalProperties"], false, "{}", spec.name);
            for (name, member) in schema["properties"].as_object().unwrap() {
                assert!(member["description"].is_string(), "{} {name}", spec.name);
            }
            assert!(!spec.description.is_empty() && spec.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        }
    }
}
