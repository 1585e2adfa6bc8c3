//! Parts of user messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of a user message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum UserInput {
    /// Text.
    Text {
        /// The text.
        text: String,
        /// Spans of the text that clients display in a special way. Member names are snake_case on the wire.
        #[serde(default)]
        text_elements: Vec<TextElement>,
    },
    /// An image that is not a file on the server's machine.
    Image {
        /// Level of detail for the model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<ImageDetail>,
        /// Id of the thread to fork.
        #[serde(flatten)]
        source: MediaSource,
    },
    /// An image file on the server's machine.
    LocalImage {
        /// Level of detail for the model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<ImageDetail>,
        /// Path of the file.
        path: String,
    },
    /// An audio recording that is not a file on the server's machine.
    Audio {
        /// Id of the thread to fork.
        #[serde(flatten)]
        source: MediaSource,
    },
    /// An audio file on the server's machine.
    LocalAudio {
        /// Path of the file.
        path: String,
    },
    /// A skill that the agent should use.
    Skill {
        /// Name.
        name: String,
        /// Path of its `SKILL.md`.
        path: String,
    },
    /// A file, an app, or a plugin that the user mentions.
    Mention {
        /// Name.
        name: String,
        /// Path or URL.
        path: String,
    },
}

/// A span of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TextElement {
    /// Byte range in the UTF-8 text.
    pub byte_range: ByteRange,
    /// Text to display instead.
    pub placeholder: Option<String>,
}

/// A range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ByteRange {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

/// Level of detail of an image for the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ImageDetail {
    /// Chosen by the model.
    Auto,
    /// Low, for few tokens.
    Low,
    /// High.
    High,
    /// Original resolution.
    Original,
}

/// The source of an image or a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, rename_all_fields = "camelCase")]
#[schemars(inline)]
pub enum MediaSource {
    /// A URL, usually a `data:` URL.
    Url {
        /// The URL.
        url: String,
    },
    /// A file at the provider.
    File {
        /// Id of the file at the provider.
        file_id: String,
    },
}
