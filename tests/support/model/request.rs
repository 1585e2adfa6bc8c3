//! What the model was asked.

use serde_json::Value;

use super::Wire;
use crate::support::backend::http::Request;

/// A question, with the same view of it on both wires.
#[derive(Clone, Debug)]
pub struct ModelRequest {
    /// On which wire it came.
    pub wire: Wire,
    /// As it came.
    pub http: Request,
    /// Its body.
    pub body: Value,
}

impl ModelRequest {
    pub(super) fn new(wire: Wire, http: Request) -> Self {
        let body = http.json();
        assert!(body.is_object(), "a question is a JSON object: {}", http.body);
        Self { wire, http, body }
    }

    /// The entries of the conversation.
    pub fn entries(&self) -> Vec<Value> {
        let list = match self.wire {
            Wire::Responses => &self.body["input"],
            Wire::Chat => &self.body["messages"],
        };
        list.as_array().cloned().expect("a conversation is a list")
    }

    /// Who said what: role and text of every message, the program's `developer` as `system`.
    pub fn messages(&self) -> Vec<(String, String)> {
        let message = |entry: &Value| {
            let role = entry["role"].as_str().filter(|role| *role != "tool")?;
            let role = if role == "developer" { "system" } else { role };
            let text = text(&entry["content"]);
            (!text.is_empty()).then(|| (role.to_owned(), text))
        };
        self.entries().iter().filter_map(message).collect()
    }

    /// What a role said, in order.
    pub fn said_by(&self, role: &str) -> Vec<String> {
        self.messages().into_iter().filter(|(said_by, _)| said_by == role).map(|(_, text)| text).collect()
    }

    /// The outputs of tools, in order.
    pub fn outputs(&self) -> Vec<String> {
        let output = |entry: &Value| match self.wire {
            Wire::Responses => (entry["type"] == "function_call_output").then(|| text(&entry["output"])),
            Wire::Chat => (entry["role"] == "tool").then(|| text(&entry["content"])),
        };
        self.entries().iter().filter_map(output).collect()
    }

    /// The names of the tools that the model may call.
    pub fn tools(&self) -> Vec<String> {
        let tools = self.body["tools"].as_array().cloned().unwrap_or_default();
        let name = |tool: &Value| match self.wire {
            Wire::Responses => tool["name"].as_str().map(str::to_owned),
            Wire::Chat => tool["function"]["name"].as_str().map(str::to_owned),
        };
        tools.iter().map(|tool| name(tool).expect("a tool has a name")).collect()
    }
}

/// A text, or the texts of parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}
