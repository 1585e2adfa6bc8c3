//! `configWarning`: the configuration has a fault that the server can live with.

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
    /// The file; left out where no file is to blame, as clients know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The place in the file; left out together with [`Self::path`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<TextRange>,
}

/// A stretch of a text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TextRange {
    /// Its first character.
    pub start: TextPosition,
    /// Its last character; the first one where the stretch is empty.
    pub end: TextPosition,
}

/// A character of a text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TextPosition {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in Unicode scalar values.
    pub column: usize,
}
