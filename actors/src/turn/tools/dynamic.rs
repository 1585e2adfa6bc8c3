//! Tools that a client brings along and runs itself.

use std::rc::Rc;

use serde_json::Value;
use tokio::time::Instant;

use super::toolbox::Unheard;
use super::{Answer, Toolbox};
use crate::protocol::item::{
    DynamicToolCall, DynamicToolCallOutputContentItem as Content, DynamicToolCallStatus, Item, ItemKind,
};
use crate::protocol::model::{ContentPart, ToolSpec};
use crate::protocol::quoted::beginning;
use crate::protocol::server_request::{DYNAMIC_TOOL_CALL, DynamicToolCallParams};
use crate::protocol::thread::{DynamicFunction, DynamicToolNamespaceTool, DynamicToolSpec};
use crate::turn::answer::Call;
use crate::turn::messages::{AskPurpose, TurnEvent};

/// A tool of a client.
#[derive(Clone, Debug)]
pub struct ClientTool {
    /// The name by which the model calls it.
    name: String,
    namespace: Option<String>,
    tool: String,
}

/// The tools that clients brought along, and what the model is told of them. Every server knows functions only, so the
/// namespace becomes a part of the name.
pub fn client_tools(specs: &[DynamicToolSpec]) -> (Vec<ClientTool>, Vec<ToolSpec>) {
    let mut all = Vec::new();
    for spec in specs {
        match spec {
            DynamicToolSpec::Function(function) => all.push((None, function)),
            DynamicToolSpec::Namespace { name, tools, .. } => {
                let inner = tools.iter().map(|DynamicToolNamespaceTool::Function(function)| (Some(name), function));
                all.extend(inner);
            }
        }
    }
    all.into_iter()
        .map(|(namespace, DynamicFunction { name: tool, description, input_schema, .. })| {
            let name = namespace.map_or_else(|| tool.clone(), |namespace| format!("{namespace}__{tool}"));
            let parameters = serde_json::value::to_raw_value(input_schema).unwrap_or_default();
            let spec = ToolSpec { name: name.clone(), description: description.clone(), parameters };
            (ClientTool { name, namespace: namespace.cloned(), tool: tool.clone() }, spec)
        })
        .unzip()
}

impl ClientTool {
    /// Whether the model means this tool.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name
    }
}

/// Lets a client make a call. One after the other, as clients expect it.
pub(super) async fn call_client(toolbox: Rc<Toolbox>, tool: ClientTool, call: Call) -> Answer {
    let text = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
    let arguments: Value = match serde_json::from_str(text) {
        Ok(arguments) => arguments,
        Err(error) => {
            let reason = beginning(&error.to_string()).to_string();
            return Answer::Text(format!("failed to parse function arguments: {reason}"));
        }
    };
    let _turn = toolbox.one_client_call.lock().await;
    let begun = Instant::now();
    let mut made = DynamicToolCall {
        namespace: tool.namespace.clone(),
        tool: tool.tool.clone(),
        arguments: arguments.clone(),
        status: DynamicToolCallStatus::InProgress,
        content_items: None,
        success: None,
        duration_ms: None,
    };
    let item = toolbox.item(call.call_id, ItemKind::DynamicToolCall(made.clone()));
    toolbox.report(vec![TurnEvent::ItemStarted(item.clone())]).await;
    let params = DynamicToolCallParams {
        thread_id: toolbox.thread_id,
        turn_id: toolbox.turn_id.to_string(),
        call_id: item.id.clone(),
        namespace: tool.namespace,
        tool: tool.tool,
        arguments,
    };
    let answer = toolbox.ask(AskPurpose::Tool, &DYNAMIC_TOOL_CALL, params).await;
    made.duration_ms = i64::try_from(begun.elapsed().as_millis()).ok();
    made.success = Some(answer.as_ref().is_ok_and(|answer| answer.success));
    made.status = match made.success {
        Some(true) => DynamicToolCallStatus::Completed,
        _ => DynamicToolCallStatus::Failed,
    };
    let told = match answer {
        Ok(answer) => {
            made.content_items = Some(answer.content_items.clone());
            told(answer.content_items)
        }
        Err(Unheard::Stopped) => Answer::Text("aborted by user".to_owned()),
        Err(Unheard::Refused | Unheard::TimeIsOver) => Answer::Text("dynamic tool request failed".to_owned()),
    };
    let completed_at_ms = Some(toolbox.setup.clock.unix_ms());
    let item = Item { kind: ItemKind::DynamicToolCall(made), completed_at_ms, ..item };
    toolbox.report(vec![TurnEvent::ItemCompleted { item, history: Vec::new() }]).await;
    told
}

/// What the model sees: text alone as text, so that every server takes it.
fn told(content: Vec<Content>) -> Answer {
    let has_images = content.iter().any(|part| matches!(part, Content::InputImage { .. }));
    let parts: Vec<_> = content
        .into_iter()
        .map(|part| match part {
            Content::InputText { text } => ContentPart::InputText { text },
            Content::InputImage { image_url } => ContentPart::InputImage { image_url, detail: None },
            Content::InputAudio { .. } => {
                ContentPart::InputText { text: "(a recording, which this server cannot pass on)".to_owned() }
            }
        })
        .collect();
    if has_images {
        return Answer::Parts(parts);
    }
    let texts = parts.into_iter().map(|part| match part {
        ContentPart::InputText { text } | ContentPart::OutputText { text } => text,
        ContentPart::InputImage { .. } => String::new(),
    });
    Answer::Text(texts.collect::<Vec<_>>().join("\n"))
}
