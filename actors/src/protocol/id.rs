//! Request ids: a string or a signed 64-bit integer, returned in the type that was sent (spec: local transports 7.1).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The id of a request. Floats, null, booleans and larger integers are rejected.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RequestId {
    /// A signed 64-bit integer.
    Integer(i64),
    /// Any string, including the empty one.
    String(Box<str>),
}

impl RequestId {
    /// Size of the heap allocation, in bytes.
    pub(super) fn text_bytes(&self) -> usize {
        match self {
            Self::Integer(_) => 0,
            Self::String(text) => text.len(),
        }
    }
}
