//! Tools that clients brought along, as the model sees them.

use crate::protocol::model::ToolSpec;
use crate::protocol::thread::{DynamicFunction, DynamicToolNamespaceTool, DynamicToolSpec};

/// A tool of a client.
#[derive(Clone, Debug)]
pub struct ClientTool {
    /// The name by which the model calls it.
    name: String,
    pub(super) namespace: Option<String>,
    pub(super) tool: String,
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
