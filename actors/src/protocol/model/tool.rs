//! Tools that are offered to a model.

use serde_json::value::RawValue;

/// A function that the model may call. Every wire supports functions; some servers reject other types of tools.
#[derive(Clone, Debug)]
pub struct ToolSpec {
    /// Name: letters, digits, `_` and `-`.
    pub name: String,
    /// Description for the model.
    pub description: String,
    /// JSON Schema of its arguments; an object.
    pub parameters: Box<RawValue>,
}
