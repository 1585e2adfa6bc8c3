//! How each wire says a reply.

use serde_json::{Value, json};

use super::reply::{End, Part, Piece, Reply, Step};
use crate::support::backend::http::Request;

/// One of the two wires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Responses,
    Chat,
}

impl Wire {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Responses, Self::Chat];

    /// What `wire_api` says.
    pub fn word(self) -> &'static str {
        match self {
            Self::Responses => "responses",
            Self::Chat => "chat",
        }
    }

    /// The wire of a question; `None` for a request that is none.
    pub(super) fn of(request: &Request) -> Option<Self> {
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/v1/responses") => Some(Self::Responses),
            ("POST", "/v1/chat/completions") => Some(Self::Chat),
            _ => None,
        }
    }

    /// The events of a reply.
    pub(super) fn steps(self, reply: &Reply) -> Vec<Step> {
        match self {
            Self::Responses => responses(reply),
            Self::Chat => chat(reply),
        }
    }
}

fn event(data: &Value) -> Step {
    let line = match data["type"].as_str() {
        Some(name) => format!("event: {name}\n"),
        None => String::new(),
    };
    Step::Event(format!("{line}data: {data}\n\n"))
}

fn responses(reply: &Reply) -> Vec<Step> {
    let started = json!({"id": "resp_1", "object": "response", "status": "in_progress"});
    let mut steps = vec![event(&json!({"type": "response.created", "response": started}))];
    for (index, part) in reply.parts.iter().enumerate() {
        let id = format!("item_{index}");
        let said = |kind: &str, mut members: Value| {
            members["type"] = format!("response.{kind}").into();
            members["output_index"] = index.into();
            event(&members)
        };
        match part {
            Part::Text(pieces) => {
                let item =
                    |content: Value| json!({"type": "message", "id": id, "role": "assistant", "content": content});
                steps.push(said("output_item.added", json!({"item": item(json!([]))})));
                for piece in pieces {
                    match piece {
                        Piece::Delta(delta) => {
                            steps.push(said(
                                "output_text.delta",
                                json!({"item_id": id, "content_index": 0, "delta": delta}),
                            ));
                        }
                        Piece::Pause(gate) => steps.push(Step::Pause(gate.clone())),
                    }
                }
                let whole = json!([{"type": "output_text", "text": text(pieces), "annotations": []}]);
                if is_whole(reply, index) {
                    steps.push(said("output_item.done", json!({"item": item(whole)})));
                }
            }
            Part::Think(deltas) => {
                let item = |summary: Value| json!({"type": "reasoning", "id": id, "summary": summary});
                steps.push(said("output_item.added", json!({"item": item(json!([]))})));
                steps
                    .push(said("reasoning_summary_part.added", json!({"item_id": id, "summary_index": 0, "part": {}})));
                for delta in deltas {
                    steps.push(said(
                        "reasoning_summary_text.delta",
                        json!({"item_id": id, "summary_index": 0, "delta": delta}),
                    ));
                }
                let whole = json!([{"type": "summary_text", "text": deltas.concat()}]);
                if is_whole(reply, index) {
                    steps.push(said("output_item.done", json!({"item": item(whole)})));
                }
            }
            Part::Call { id: call_id, name, arguments } => {
                let item = |arguments: &str| json!({"type": "function_call", "id": id, "call_id": call_id, "name": name, "arguments": arguments});
                steps.push(said("output_item.added", json!({"item": item("")})));
                steps.push(said("function_call_arguments.delta", json!({"item_id": id, "delta": arguments})));
                steps.push(said("output_item.done", json!({"item": item(arguments)})));
            }
            Part::Pause(gate) => steps.push(Step::Pause(gate.clone())),
            Part::Event(data) => steps.push(Step::Event(format!("data: {data}\n\n"))),
        }
    }
    let usage = reply.usage.map(|usage| {
        json!({"input_tokens": usage.input, "output_tokens": usage.output, "total_tokens": usage.input + usage.output})
    });
    let end = match &reply.end {
        End::Complete => Some(("completed", json!({}))),
        End::Incomplete(reason) => Some(("incomplete", json!({"incomplete_details": {"reason": reason}}))),
        End::Failed(code, message) => Some(("failed", json!({"error": {"code": code, "message": message}}))),
        End::Cut | End::Reset | End::Hang | End::Unfinished => None,
    };
    if let Some((kind, mut response)) = end {
        response["id"] = "resp_1".into();
        response["usage"] = json!(usage);
        steps.push(event(&json!({"type": format!("response.{kind}"), "response": response})));
    }
    steps
}

fn text(pieces: &[Piece]) -> String {
    let delta = |piece: &Piece| match piece {
        Piece::Delta(delta) => Some(delta.clone()),
        Piece::Pause(_) => None,
    };
    pieces.iter().filter_map(delta).collect()
}

/// Whether a part is whole: the last part of a reply that breaks off is not.
fn is_whole(reply: &Reply, index: usize) -> bool {
    reply.end == End::Complete || index + 1 < reply.parts.len()
}

fn chat(reply: &Reply) -> Vec<Step> {
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        event(&json!({"id": "chatcmpl_1", "object": "chat.completion.chunk", "choices": [choice]}))
    };
    let mut steps = vec![chunk(json!({"role": "assistant", "content": null}), Value::Null)];
    let mut calls = 0;
    for part in &reply.parts {
        match part {
            Part::Text(pieces) => steps.extend(pieces.iter().map(|piece| match piece {
                Piece::Delta(delta) => chunk(json!({"content": delta}), Value::Null),
                Piece::Pause(gate) => Step::Pause(gate.clone()),
            })),
            Part::Think(deltas) => {
                steps.extend(deltas.iter().map(|delta| chunk(json!({"reasoning_content": delta}), Value::Null)));
            }
            Part::Call { id, name, arguments } => {
                let call = |function: Value| json!({"tool_calls": [{"index": calls, "function": function}]});
                let mut first = call(json!({"name": name, "arguments": ""}));
                first["tool_calls"][0]["id"] = id.as_str().into();
                first["tool_calls"][0]["type"] = "function".into();
                steps.push(chunk(first, Value::Null));
                steps.push(chunk(call(json!({"arguments": arguments})), Value::Null));
                calls += 1;
            }
            Part::Pause(gate) => steps.push(Step::Pause(gate.clone())),
            Part::Event(data) => steps.push(Step::Event(format!("data: {data}\n\n"))),
        }
    }
    let finish = match &reply.end {
        End::Complete if calls > 0 => Some("tool_calls"),
        End::Complete => Some("stop"),
        End::Incomplete(reason) if reason == "max_output_tokens" => Some("length"),
        End::Incomplete(reason) => Some(reason.as_str()),
        End::Failed(code, message) => {
            steps.push(event(&json!({"error": {"code": code, "message": message}})));
            None
        }
        End::Cut | End::Reset | End::Hang | End::Unfinished => None,
    };
    if let Some(finish) = finish {
        steps.push(chunk(json!({}), finish.into()));
        if let Some(usage) = reply.usage {
            let (prompt, completion) = (usage.input, usage.output);
            let usage =
                json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion});
            steps.push(event(&json!({"choices": [], "usage": usage})));
        }
        steps.push(Step::Event("data: [DONE]\n\n".to_owned()));
    }
    steps
}
