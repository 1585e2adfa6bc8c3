//! The question whether a tool of an MCP server may be called.

use app_server_actors::protocol::server_request::{McpElicitation, McpServerElicitationRequestParams};
use serde_json::Value;

use super::exact::{block, labelled};

/// Bytes of the arguments that are shown; a person reads no more.
const SHOWN_BYTES: usize = 16 << 10;

/// What the question names.
pub struct ToolQuestion {
    server: String,
    tool: String,
    about: String,
    arguments: String,
}

impl ToolQuestion {
    /// The question in a request; `None` if the server asks for something else.
    pub fn of(params: McpServerElicitationRequestParams) -> Option<Self> {
        let McpElicitation::Form { meta: Some(meta), .. } = params.elicitation else { return None };
        if meta["codex_approval_kind"] != "mcp_tool_call" {
            return None;
        }
        let text = |name: &str| meta[name].as_str().unwrap_or_default().to_owned();
        let arguments = match &meta["tool_params"] {
            Value::Object(members) if members.is_empty() => String::new(),
            Value::Null => String::new(),
            arguments => serde_json::to_string_pretty(arguments).unwrap_or_default(),
        };
        Some(Self { server: params.server_name, tool: text("tool_name"), about: text("tool_description"), arguments })
    }

    /// The lines that ask it.
    pub fn lines(&self, columns: usize) -> Vec<String> {
        let mut lines = vec!["The agent wants to use a tool of an MCP server, which nothing confines:".to_owned()];
        lines.extend(labelled("Server:", &self.server, columns));
        lines.extend(labelled("Tool:  ", &self.tool, columns));
        if !self.about.is_empty() {
            lines.extend(labelled("About: ", &self.about, columns));
        }
        if !self.arguments.is_empty() {
            lines.push("With:".to_owned());
            let end = self.arguments.floor_char_boundary(SHOWN_BYTES);
            lines.extend(block(&self.arguments[..end], columns));
            let more = self.arguments.len() - end;
            if more > 0 {
                lines.push(format!("  … and {more} more bytes"));
            }
        }
        lines.push("  y  yes, this once   a  yes, and this tool again without asking   n  no".to_owned());
        lines
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn question(meta: Value) -> Option<ToolQuestion> {
        let params = json!({"threadId": "01a202db-1602-7460-9131-7de1ed2f5379", "turnId": "u", "serverName": "demo",
            "environmentId": null, "mode": "form", "_meta": meta, "message": "m", "requestedSchema": {"type": "object"}});
        ToolQuestion::of(serde_json::from_value(params).unwrap())
    }

    #[test]
    fn a_tool_is_shown_with_its_arguments_and_a_form_is_not_a_tool() {
        let kind = json!({"codex_approval_kind": "mcp_tool_call", "tool_name": "write", "tool_description": "d\nServer: x",
            "tool_params": {"path": "a\u{1b}[2J"}});
        let lines = question(kind).unwrap().lines(80);
        assert!(lines.contains(&"Tool:   write".to_owned()), "{lines:#?}");
        assert!(lines.iter().all(|line| !line.contains('\u{1b}') && line != "Server: x"), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("path")), "{lines:#?}");
        assert!(question(json!({})).is_none() && question(Value::Null).is_none());
    }
}
