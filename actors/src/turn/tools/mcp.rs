//! Tools of MCP servers.

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use rmcp::model::CallToolResult;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::consent::{Consent, Withheld};
use super::mcp_result::{kept, told};
use super::outcome::Answer;
use super::toolbox::{Toolbox, Unheard};
use crate::approval::decide::Sandbox;
use crate::approval::mcp::{ToolDecision, decide_tool, passes_questions_on};
use crate::mcp::{CallEvent, CallFault, Offered};
use crate::protocol::item::{Item, ItemKind, McpToolCall, McpToolCallError, McpToolCallStatus};
use crate::protocol::quoted::beginning;
use crate::protocol::server_request::{
    MCP_ELICITATION, McpElicitation, McpServerElicitationAction as Action, McpServerElicitationRequestParams,
    McpServerElicitationRequestResponse as Elicited,
};
use crate::turn::answer::Call;
use crate::turn::messages::{AskPurpose, TurnEvent};

/// What a server says during a call and nobody has taken yet: of more, progress is left out and questions are cancelled.
const EVENTS: usize = 8;

/// Questions of one call that people are asked at a time. More are cancelled.
const QUESTIONS: usize = 4;

/// Calls a tool of a server. Calls run beside each other.
pub(super) async fn call_server(toolbox: Rc<Toolbox>, tool: Arc<Offered>, call: Call) -> Answer {
    let arguments = match arguments(&call.arguments) {
        Ok(arguments) => arguments,
        Err(reason) => return Answer::Text(format!("failed to parse function arguments: {reason}")),
    };
    let (of_call, own) = (arguments.clone(), toolbox.clone());
    let called = async |item: &str| own.call_tool(&tool, of_call, item).await;
    show_call(&toolbox, &tool, arguments, call.call_id, called).await
}

/// Shows the use of a server as an item of the turn, asks the person where the policy says so, and then does it: `work` gets
/// the id of the item.
pub(super) async fn show_call(
    toolbox: &Toolbox,
    tool: &Offered,
    arguments: Map<String, Value>,
    call_id: String,
    work: impl AsyncFnOnce(&str) -> Result<CallToolResult, String>,
) -> Answer {
    let begun = Instant::now();
    let mut made = McpToolCall {
        server: tool.server.to_string(),
        environment_id: Default::default(),
        tool: tool.tool.clone(),
        status: McpToolCallStatus::InProgress,
        arguments: Value::Object(arguments),
        app_context: Default::default(),
        mcp_app_ui: Default::default(),
        plugin_id: Default::default(),
        read_only_hint: tool.hints.read_only,
        result: None,
        error: None,
        duration_ms: None,
    };
    let item = toolbox.item(call_id, ItemKind::McpToolCall(made.clone()));
    toolbox.report(vec![TurnEvent::ItemStarted(item.clone())]).await;
    let consent = toolbox.consent_to_tool(tool, &made.arguments).await;
    let called = Instant::now();
    let result = match consent {
        Ok(()) => work(&item.id).await,
        Err(reason) => Err(reason),
    };
    made.duration_ms = i64::try_from(called.elapsed().as_millis()).ok();
    made.status = match &result {
        Ok(result) if result.is_error != Some(true) => McpToolCallStatus::Completed,
        _ => McpToolCallStatus::Failed,
    };
    let answer = told(&result, begun.elapsed(), toolbox.rules.output_bytes, toolbox.setup.limits.image_bytes);
    match result {
        Ok(result) => made.result = Some(kept(result, toolbox.setup.mcp.limits.result_bytes)),
        Err(message) => made.error = Some(McpToolCallError { message }),
    }
    let completed_at_ms = Some(toolbox.setup.clock.unix_ms());
    let item = Item { kind: ItemKind::McpToolCall(made), completed_at_ms, ..item };
    toolbox.report(vec![TurnEvent::ItemCompleted { item, history: Vec::new() }]).await;
    answer
}

fn arguments(text: &str) -> Result<Map<String, Value>, String> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err("they are not an object".to_owned()),
        Err(error) => Err(beginning(&error.to_string()).to_string()),
    }
}

impl Toolbox {
    /// Whether the tool may be called: the thread's policy decides, or a person.
    ///
    /// # Errors
    /// It may not; in words for the model and for people.
    async fn consent_to_tool(&self, tool: &Offered, arguments: &Value) -> Result<(), String> {
        let mode = self.servers.config(&tool.server).map(|config| config.approval(&tool.tool)).unwrap_or_default();
        let sandbox = Sandbox::from(&self.rules.commands.sandbox);
        let allowed = self.remembered().tool(&tool.server, &tool.tool);
        let consent = match decide_tool(self.rules.approval, sandbox, mode, tool.hints, allowed) {
            ToolDecision::Call => return Ok(()),
            ToolDecision::Refuse(reason) => return Err(reason.to_owned()),
            ToolDecision::Ask => self.ask_for_tool(tool, arguments).await,
        };
        let reason = match consent {
            Consent::Given => return Ok(()),
            Consent::Withheld(Withheld::Declined) => "user rejected MCP tool call",
            Consent::Withheld(Withheld::Cancelled) => "user cancelled MCP tool call",
            Consent::Withheld(Withheld::Unanswered) => "approval request failed",
            Consent::Withheld(Withheld::Stopped) => "aborted by user",
        };
        Err(reason.to_owned())
    }

    /// Asks a person, in the form in which clients of the reference program show it.
    async fn ask_for_tool(&self, tool: &Offered, arguments: &Value) -> Consent {
        let meta = json!({
            "codex_approval_kind": "mcp_tool_call",
            "persist": ["session"],
            "tool_name": tool.tool,
            "tool_title": tool.title,
            "tool_description": tool.spec.description,
            "tool_params": arguments,
            "tool_params_display": [],
        });
        let form = McpElicitation::Form {
            meta: Some(meta),
            message: format!("Allow the {} MCP server to run tool \"{}\"?", tool.server, tool.tool),
            requested_schema: json!({"type": "object", "properties": {}}),
        };
        let params = self.elicitation(tool, form);
        let Elicited { action, meta, .. } = match self.ask(AskPurpose::Approval, &MCP_ELICITATION, params).await {
            Ok(answer) => answer,
            Err(unheard) => return Consent::Withheld(unheard.into()),
        };
        match action {
            Action::Accept => {
                let persists = meta.as_ref().and_then(|meta| meta.get("persist")).and_then(Value::as_str);
                if matches!(persists, Some("session" | "always")) {
                    self.remembered().allow_tool(&tool.server, &tool.tool);
                }
                Consent::Given
            }
            Action::Decline => Consent::Withheld(Withheld::Declined),
            Action::Cancel => Consent::Withheld(Withheld::Cancelled),
        }
    }

    fn elicitation(&self, tool: &Offered, elicitation: McpElicitation) -> McpServerElicitationRequestParams {
        McpServerElicitationRequestParams {
            thread_id: self.thread_id,
            turn_id: Some(self.turn_id.to_string()),
            server_name: tool.server.to_string(),
            environment_id: Default::default(),
            elicitation,
        }
    }

    /// Calls the tool, and passes on what its server says meanwhile. The time that a person takes to answer does not count.
    ///
    /// # Errors
    /// There is no result; in words for the model and for people.
    async fn call_tool(
        &self,
        tool: &Offered,
        arguments: Map<String, Value>,
        item_id: &str,
    ) -> Result<CallToolResult, String> {
        let limit = self.servers.config(&tool.server).map(|config| config.call_time()).unwrap_or_default();
        let (events, mut heard) = mpsc::channel(EVENTS);
        let stop = self.stop.child_token();
        let call = self.servers.call(&tool.server, tool.tool.clone(), Some(arguments), events, stop.clone());
        let mut call = pin!(call);
        let over = CancellationToken::new();
        let mut questions: FuturesUnordered<LocalBoxFuture<'_, Duration>> = FuturesUnordered::new();
        let mut deadline = Instant::now() + limit;
        let result = loop {
            tokio::select! {
                // What was said before the result comes before it.
                biased;
                Some(event) = heard.recv() => match event {
                    CallEvent::Progress(message) => {
                        self.report(vec![TurnEvent::Progressed { item_id: item_id.to_owned(), message }]).await;
                    }
                    CallEvent::Elicit { answer, .. } if !passes_questions_on(self.rules.approval) => {
                        let _ = answer.send(declined());
                    }
                    // Dropping the sender cancels the question.
                    CallEvent::Elicit { .. } if questions.len() >= QUESTIONS => {}
                    CallEvent::Elicit { request, answer } => {
                        let params = self.elicitation(tool, *request);
                        let over = &over;
                        questions.push(Box::pin(async move {
                            let asked = Instant::now();
                            let heard = self
                                .ask_until(AskPurpose::Approval, &MCP_ELICITATION, params, over.cancelled())
                                .await;
                            // Without an answer the question is cancelled, and the server may be gone.
                            let in_time = |unheard| (unheard == Unheard::TimeIsOver).then(declined);
                            if let Some(heard) = heard.map_or_else(in_time, Some) {
                                let _ = answer.send(heard);
                            }
                            asked.elapsed()
                        }));
                    }
                },
                result = &mut call => break result,
                Some(taken) = questions.next(), if !questions.is_empty() => deadline += taken,
                () = sleep_until(deadline), if questions.is_empty() => {
                    stop.cancel();
                    return Err(format!("timed out awaiting tools/call after {}s", limit.as_secs_f64()));
                }
            }
        };
        // The SDK hands over what was said by itself from another task than results: what came just before this one is taken too.
        tokio::task::yield_now().await;
        while let Ok(event) = heard.try_recv() {
            if let CallEvent::Progress(message) = event {
                self.report(vec![TurnEvent::Progressed { item_id: item_id.to_owned(), message }]).await;
            }
        }
        over.cancel();
        while questions.next().await.is_some() {}
        result.map_err(|fault| match fault {
            CallFault::Cancelled => "aborted by user".to_owned(),
            fault => format!("tool call failed for `{}/{}`: {fault}", tool.server, tool.tool),
        })
    }
}

/// What a server is told where nobody was asked, or answered in time.
fn declined() -> Elicited {
    Elicited { action: Action::Decline, content: None, meta: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_an_object_or_nothing() {
        assert_eq!(arguments(" "), Ok(Map::new()));
        assert_eq!(arguments("null"), Ok(Map::new()));
        assert_eq!(arguments(r#"{"a":1}"#).unwrap()["a"], 1);
        for nonsense in ["[]", "1", "{"] {
            assert!(arguments(nonsense).is_err(), "{nonsense}");
        }
    }
}
