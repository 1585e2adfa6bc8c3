//! Tools that a client brings along and runs itself.

use std::rc::Rc;

use serde_json::Value;
use tokio::time::Instant;

use super::outcome::Answer;
use super::toolbox::{Toolbox, Unheard};
use crate::protocol::item::{
    DynamicToolCall, DynamicToolCallOutputContentItem as Content, DynamicToolCallStatus, Item, ItemKind,
};
use crate::protocol::model::ContentPart;
use crate::protocol::quoted::beginning;
use crate::protocol::server_request::{DYNAMIC_TOOL_CALL, DynamicToolCallParams};
use crate::turn::answer::Call;
use crate::turn::client_tools::ClientTool;
use crate::turn::messages::{AskPurpose, TurnEvent};

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
