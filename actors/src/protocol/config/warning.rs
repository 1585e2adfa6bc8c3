//! `configWarning`: the configuration has a fault that does not stop the server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Params of the notification `configWarning`, sent to a connection once it is initialized.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConfigWarningNotification")]
pub struct ConfigWarning {
    /// What is wrong, in one sentence.
    pub summary: String,
    /// Where and why.
    pub details: Option<String>,
    /// The file; absent if the warning is not about a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The place in the file; absent if `path` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<TextRange>,
}

/// A range of a text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TextRange {
    /// Position of the first character.
    pub start: TextPosition,
    /// Position of the last character; equal to `start` for an empty range.
    pub end: TextPosition,
}

/// A position in a text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TextPosition {
    /// Line number, counted from 1.
    pub line: usize,
    /// Column in Unicode scalar values, counted from 1.
    pub column: usize,
}
