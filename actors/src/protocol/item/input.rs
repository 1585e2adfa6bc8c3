//! What a user's message is made of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One part of a user's message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum UserInput {
    /// Text.
    Text {
        /// The text.
        text: String,
        /// Spans of the text that the client shows in a special way; snake_case on the wire.
        #[serde(default)]
        text_elements: Vec<TextElement>,
    },
    /// An image that is not a file of the server's machine.
    Image {
        /// How closely the model looks at it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<ImageDetail>,
        /// Where it is.
        #[serde(flatten)]
        source: MediaSource,
    },
    /// An image file on the server's machine.
    LocalImage {
        /// How closely the model looks at it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<ImageDetail>,
        /// Path of the file.
        path: String,
    },
    /// A recording that is not a file of the server's machine.
    Audio {
        /// Where it is.
        #[serde(flatten)]
        source: MediaSource,
    },
    /// A recording in a file on the server's machine.
    LocalAudio {
        /// Path of the file.
        path: String,
    },
    /// A skill that the agent should use.
    Skill {
        /// Its name.
        name: String,
        /// Path of its `SKILL.md`.
        path: String,
    },
    /// A file, an app or a plugin that the user points at.
    Mention {
        /// Its name.
        name: String,
        /// Its path, or its address.
        path: String,
    },
}

/// A span of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TextElement {
    /// Which bytes of the UTF-8 text.
    pub byte_range: ByteRange,
    /// What the client shows in their place.
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

/// How closely a model looks at an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ImageDetail {
    /// The model decides.
    Auto,
    /// Roughly, for few tokens.
    Low,
    /// Closely.
    High,
    /// In full resolution.
    Original,
}

/// Where an image or a recording is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, rename_all_fields = "camelCase")]
#[schemars(inline)]
pub enum MediaSource {
    /// At a URL, mostly a `data:` URL.
    Url {
        /// The URL.
        url: String,
    },
    /// At the provider.
    File {
        /// The provider's id of the file.
        file_id: String,
    },
}
