//! Request ids: a string or a signed 64-bit integer, echoed in the type in which they came
//! (spec: local transports 7.1).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The id of a request. Floats, null, booleans and larger integers are refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RequestId {
    /// A signed 64-bit integer.
    Integer(i64),
    /// Any string, the empty one too.
    String(Box<str>),
}

impl RequestId {
    /// Bytes that it keeps besides itself.
    pub(super) fn text_bytes(&self) -> usize {
        match self {
            Self::Integer(_) => 0,
            Self::String(text) => text.len(),
        }
    }
}
