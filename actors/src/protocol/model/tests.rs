//! What the tests of both wires share.

use serde_json::value::to_raw_value;

use super::{HistoryItem, ModelRequest, Role, ToolSpec};
use crate::protocol::settings::ReasoningSummary;

/// A request that says everything that a request can say.
pub fn request() -> ModelRequest {
    let tool = ToolSpec {
        name: "f".to_owned(),
        description: "d".to_owned(),
        parameters: to_raw_value(&serde_json::json!({"type": "object"})).unwrap(),
    };
    ModelRequest {
        model: "m".to_owned(),
        instructions: "base".to_owned(),
        input: vec![HistoryItem::text(Role::Developer, "rules"), HistoryItem::text(Role::User, "hi")],
        tools: [tool].into(),
        effort: Some("low".to_owned()),
        summary: Some(ReasoningSummary::Auto),
        output_schema: Some(to_raw_value(&serde_json::json!({})).unwrap()),
        service_tier: Some("flex".to_owned()),
        thread_id: "t".to_owned(),
        trace: None,
    }
}
