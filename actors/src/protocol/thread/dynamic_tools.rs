//! Tools that a client brings along and runs itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A tool of a client, or several under one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum DynamicToolSpec {
    /// One tool.
    Function(DynamicFunction),
    /// Several tools that belong together.
    Namespace {
        /// Their common name.
        name: String,
        /// What they are for, for the model.
        description: String,
        /// The tools.
        tools: Vec<DynamicToolNamespaceTool>,
    },
}

/// A tool in a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum DynamicToolNamespaceTool {
    /// One tool.
    Function(DynamicFunction),
}

/// A function that the model may call, and the client runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct DynamicFunction {
    /// Its name: letters, digits, `_` and `-`.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    pub input_schema: Value,
    /// Whether the model is told of it only when it looks for tools. This server tells it at once.
    #[serde(default)]
    pub defer_loading: bool,
}
