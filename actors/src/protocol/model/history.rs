//! The model-side history of a conversation.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// An entry of the conversation. Its JSON is that of an input item of the Responses API without the provider's ids.
///
/// Encoding a decoded entry yields the same bytes, so requests begin with the same bytes from turn to turn, which lets
/// providers use their caches.
#[derive(Clone, Debug)]
pub enum HistoryItem {
    /// A message.
    Message {
        /// Role of the author.
        role: Role,
        /// Content.
        content: Vec<ContentPart>,
        /// Phase of the message (`commentary`, `final_answer`), if the provider sent one.
        phase: Option<String>,
    },
    /// Reasoning.
    Reasoning(Box<RawValue>),
    /// A call of a tool.
    FunctionCall {
        /// Id to which the output refers; unique in the conversation.
        call_id: String,
        /// Name of the tool.
        name: String,
        /// Arguments as written by the model; they may be invalid JSON.
        arguments: String,
    },
    /// Output of a tool.
    FunctionCallOutput {
        /// Id of the call.
        call_id: String,
        /// The output.
        output: ToolOutput,
    },
    /// An item of another type, kept unchanged. Only its provider understands it.
    Raw(Box<RawValue>),
}

/// Author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The program; `system` for servers without `developer`.
    #[serde(alias = "system")]
    Developer,
    /// The user.
    User,
    /// Model.
    Assistant,
}

/// A part of a message or of a tool's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ContentPart {
    /// Text for the model.
    InputText {
        /// The text.
        text: String,
    },
    /// Text by the model, or its refusal.
    #[serde(alias = "refusal")]
    OutputText {
        /// The text.
        #[serde(alias = "refusal")]
        text: String,
    },
    /// An image for the model.
    InputImage {
        /// URL; a `data:` URL contains the image.
        image_url: String,
        /// Level of detail: `low`, `high`, `auto`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
}

/// Output of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ToolOutput {
    /// Text.
    Text(String),
    /// Text and images.
    Parts(Vec<ContentPart>),
}

/// Reasoning that can be shown, without its encrypted form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReasoningText {
    /// Summaries by `summary_index`.
    pub summary: Vec<String>,
    /// Reasoning text by `content_index`.
    pub content: Vec<String>,
}

impl HistoryItem {
    /// Creates a message with one text.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        let text = text.into();
        let part = match role {
            Role::Assistant => ContentPart::OutputText { text },
            Role::Developer | Role::User => ContentPart::InputText { text },
        };
        Self::Message { role, content: vec![part], phase: None }
    }

    /// Creates reasoning.
    pub fn reasoning(text: &ReasoningText) -> serde_json::Result<Self> {
        let part = |kind: &str, text: &String| serde_json::json!({"type": kind, "text": text});
        let summary: Vec<_> = text.summary.iter().map(|text| part("summary_text", text)).collect();
        let content: Vec<_> = text.content.iter().map(|text| part("reasoning_text", text)).collect();
        let item = serde_json::json!({"type": "reasoning", "summary": summary, "content": content});
        serde_json::value::to_raw_value(&item).map(Self::Reasoning)
    }

    /// Decodes an item of a provider or a client. Members that this server does not keep are dropped; an unknown item
    /// is kept unchanged.
    ///
    /// # Errors
    /// The JSON is not an object with a string `type`.
    pub fn from_raw(raw: Box<RawValue>) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Tag {
            r#type: Option<String>,
            role: Option<Role>,
        }
        let tag: Tag = serde_json::from_str(raw.get())?;
        let kind = match (tag.r#type.as_deref(), tag.role) {
            (Some(kind), _) => kind,
            // Providers accept a message without a type.
            (None, Some(_)) => "message",
            (None, None) => return Err(serde_json::Error::missing_field("type")),
        };
        let read = match kind {
            "message" => serde_json::from_str(raw.get()).map(Message::into_item),
            "function_call" => serde_json::from_str(raw.get()).map(Call::into_item),
            "function_call_output" => serde_json::from_str(raw.get()).map(Output::into_item),
            "reasoning" => return Ok(Self::Reasoning(raw)),
            _ => return Ok(Self::Raw(raw)),
        };
        Ok(read.unwrap_or(Self::Raw(raw)))
    }

    /// The concatenated texts of a message; empty for other items.
    pub fn said(&self) -> String {
        match self {
            Self::Message { content, .. } => content.iter().filter_map(ContentPart::text).collect(),
            _ => String::new(),
        }
    }

    /// The reasoning that can be shown; empty for other items.
    pub fn thought(&self) -> ReasoningText {
        #[derive(Deserialize)]
        struct Part {
            #[serde(default)]
            text: String,
        }
        #[derive(Deserialize)]
        struct Members {
            #[serde(default)]
            summary: Option<Vec<Part>>,
            #[serde(default)]
            content: Option<Vec<Part>>,
        }
        let Self::Reasoning(raw) = self else { return ReasoningText::default() };
        let Ok(members) = serde_json::from_str::<Members>(raw.get()) else { return ReasoningText::default() };
        let texts = |parts: Option<Vec<Part>>| parts.unwrap_or_default().into_iter().map(|part| part.text).collect();
        ReasoningText { summary: texts(members.summary), content: texts(members.content) }
    }
}

impl ContentPart {
    /// The text, unless it is an image.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::InputText { text } | Self::OutputText { text } => Some(text),
            Self::InputImage { .. } => None,
        }
    }
}

impl ToolOutput {
    /// The texts, one per line.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Parts(parts) => parts.iter().filter_map(ContentPart::text).collect::<Vec<_>>().join("\n"),
        }
    }
}

// The decoded members of each type. Other members are dropped.

#[derive(Deserialize)]
struct Message {
    role: Role,
    content: Option<ToolOutput>,
    phase: Option<String>,
}

#[derive(Deserialize)]
struct Call {
    call_id: String,
    name: String,
    /// Some servers send an object instead of its text.
    #[serde(default)]
    arguments: Value,
}

#[derive(Deserialize)]
struct Output {
    call_id: String,
    output: ToolOutput,
}

impl Message {
    fn into_item(self) -> HistoryItem {
        let Self { role, content, phase } = self;
        match content {
            Some(ToolOutput::Parts(content)) => HistoryItem::Message { role, content, phase },
            // Providers accept a text as a list of one part.
            Some(ToolOutput::Text(text)) => HistoryItem::text(role, text),
            None => HistoryItem::Message { role, content: Vec::new(), phase },
        }
    }
}

impl Call {
    fn into_item(self) -> HistoryItem {
        let arguments = match self.arguments {
            Value::String(text) => text,
            Value::Null => String::new(),
            value => value.to_string(),
        };
        HistoryItem::FunctionCall { call_id: self.call_id, name: self.name, arguments }
    }
}

impl Output {
    fn into_item(self) -> HistoryItem {
        HistoryItem::FunctionCallOutput { call_id: self.call_id, output: self.output }
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Written<'a> {
    Message {
        role: Role,
        content: &'a [ContentPart],
        #[serde(skip_serializing_if = "Option::is_none")]
        phase: Option<&'a str>,
    },
    FunctionCall {
        call_id: &'a str,
        name: &'a str,
        arguments: &'a str,
    },
    FunctionCallOutput {
        call_id: &'a str,
        output: &'a ToolOutput,
    },
}

impl Serialize for HistoryItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match self {
            Self::Message { role, content, phase } => {
                Written::Message { role: *role, content, phase: phase.as_deref() }
            }
            Self::FunctionCall { call_id, name, arguments } => Written::FunctionCall { call_id, name, arguments },
            Self::FunctionCallOutput { call_id, output } => Written::FunctionCallOutput { call_id, output },
            Self::Reasoning(raw) | Self::Raw(raw) => return raw.serialize(serializer),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for HistoryItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_raw(raw).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> HistoryItem {
        serde_json::from_str(text).unwrap()
    }

    fn written(item: &HistoryItem) -> String {
        serde_json::to_string(item).unwrap()
    }

    #[test]
    fn what_is_read_is_written_with_the_same_bytes() {
        for text in [
            r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"h\u00e4"}]}"#,
            r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":""}],"phase":"commentary"}"#,
            r#"{"type":"message","role":"user","content":[{"type":"input_image","image_url":"data:,","detail":"high"}]}"#,
            r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\": 1"}"#,
            r#"{"type":"function_call_output","call_id":"c","output":"done"}"#,
            r#"{"type":"function_call_output","call_id":"c","output":[{"type":"input_image","image_url":"data:,"}]}"#,
            r#"{ "summary" : [],"type":"reasoning","encrypted_content":null}"#,
            r#"{"type":"web_search_call", "status":"completed"}"#,
        ] {
            let once = written(&read(text));
            assert_eq!(once.replace('\u{e4}', "\\u00e4"), text);
            assert_eq!(written(&read(&once)), once);
        }
    }

    #[test]
    fn ids_and_other_members_of_providers_are_left_out() {
        let message = read(
            r#"{"type":"message","id":"msg_1","status":"completed","role":"assistant",
                "content":[{"type":"output_text","text":"hi","annotations":[],"logprobs":[]}]}"#,
        );
        assert_eq!(
            written(&message),
            r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"hi"}]}"#
        );
        assert_eq!(message.said(), "hi");
        let short = read(r#"{"role":"system","content":"be brief"}"#);
        assert_eq!(
            written(&short),
            r#"{"type":"message","role":"developer","content":[{"type":"input_text","text":"be brief"}]}"#
        );
    }

    #[test]
    fn refusals_are_text_and_arguments_are_text() {
        let refusal = r#"{"type":"message","role":"assistant","content":[{"type":"refusal","refusal":"no"}]}"#;
        assert_eq!(read(refusal).said(), "no");
        let call = read(r#"{"type":"function_call","call_id":"c","name":"f","arguments":{"a":1}}"#);
        let HistoryItem::FunctionCall { arguments, .. } = call else { panic!("{call:?}") };
        assert_eq!(arguments, r#"{"a":1}"#);
    }

    #[test]
    fn an_item_that_is_not_understood_stays_as_it_is() {
        let odd = r#"{"type":"message","role":"user","content":[{"type":"input_audio","data":""}]}"#;
        assert!(matches!(read(odd), HistoryItem::Raw(_)));
        assert_eq!(written(&read(odd)), odd);
        assert!(serde_json::from_str::<HistoryItem>("[]").is_err());
        assert!(serde_json::from_str::<HistoryItem>("{}").is_err());
    }

    #[test]
    fn reasoning_is_read_however_little_of_it_there_is() {
        let text = ReasoningText { summary: vec!["**a**".into()], content: vec!["b".into(), "c".into()] };
        assert_eq!(HistoryItem::reasoning(&text).unwrap().thought(), text);
        let bare = read(r#"{"type":"reasoning","content":null}"#);
        assert_eq!(bare.thought(), ReasoningText::default());
    }
}
