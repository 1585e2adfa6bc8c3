//! Tools that a model is offered.

use serde_json::value::RawValue;

/// One function that the model may call. Every wire takes functions; some servers refuse every other type of tool.
#[derive(Clone, Debug)]
pub struct ToolSpec {
    /// How the model calls it: letters, digits, `_` and `-`.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of its arguments: an object.
    pub parameters: Box<RawValue>,
}
