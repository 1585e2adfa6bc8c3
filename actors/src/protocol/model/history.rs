//! A conversation as a model sees it.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// One entry of the conversation. Its JSON is that of an input item of the Responses API, without the provider's ids.
///
/// Writing what was read yields the same bytes again, so a request begins with the same bytes from turn to turn, and
/// providers can serve that part from their caches.
#[derive(Clone, Debug)]
pub enum HistoryItem {
    /// Something that was said.
    Message {
        /// By whom.
        role: Role,
        /// What.
        content: Vec<ContentPart>,
        /// The provider's word for what the message is for (`commentary`, `final_answer`), if it said one.
        phase: Option<String>,
    },
    /// Something that the model thought.
    Reasoning(Box<RawValue>),
    /// The model calls a tool.
    FunctionCall {
        /// What its output refers to; unique in the conversation.
        call_id: String,
        /// The tool.
        name: String,
        /// As the model wrote them, which need not be JSON.
        arguments: String,
    },
    /// What a tool answered.
    FunctionCallOutput {
        /// The call.
        call_id: String,
        /// The answer.
        output: ToolOutput,
    },
    /// An item of another type, kept as it came. Only the provider that made it understands it.
    Raw(Box<RawValue>),
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The program. Spelled `system` for servers that know no other word.
    #[serde(alias = "system")]
    Developer,
    /// The person.
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
    /// Text by the model, or its refusal to say something else.
    #[serde(alias = "refusal")]
    OutputText {
        /// The text.
        #[serde(alias = "refusal")]
        text: String,
    },
    /// An image for the model.
    InputImage {
        /// Where it is; a `data:` URL holds it.
        image_url: String,
        /// How closely the model looks: `low`, `high`, `auto`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ToolOutput {
    /// Text.
    Text(String),
    /// Text and images.
    Parts(Vec<ContentPart>),
}

/// Reasoning that can be shown, without what only its provider can read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReasoningText {
    /// Summaries of what the model thought, by `summary_index`.
    pub summary: Vec<String>,
    /// What it thought, by `content_index`.
    pub content: Vec<String>,
}

impl HistoryItem {
    /// A message of one text.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        let text = text.into();
        let part = match role {
            Role::Assistant => ContentPart::OutputText { text },
            Role::Developer | Role::User => ContentPart::InputText { text },
        };
        Self::Message { role, content: vec![part], phase: None }
    }

    /// Reasoning in the form in which this server writes it.
    pub fn reasoning(text: &ReasoningText) -> serde_json::Result<Self> {
        let part = |kind: &str, text: &String| serde_json::json!({"type": kind, "text": text});
        let summary: Vec<_> = text.summary.iter().map(|text| part("summary_text", text)).collect();
        let content: Vec<_> = text.content.iter().map(|text| part("reasoning_text", text)).collect();
        let item = serde_json::json!({"type": "reasoning", "summary": summary, "content": content});
        serde_json::value::to_raw_value(&item).map(Self::Reasoning)
    }

    /// An item as a provider or a client spells it. Members that this server does not keep are left out; an item that
    /// it does not understand stays as it is.
    ///
    /// # Errors
    /// The JSON is no object with a string `type`.
    pub fn from_raw(raw: Box<RawValue>) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Tag {
            r#type: Option<String>,
            role: Option<Role>,
        }
        let tag: Tag = serde_json::from_str(raw.get())?;
        let kind = match (tag.r#type.as_deref(), tag.role) {
            (Some(kind), _) => kind,
            // Providers take a message without a type.
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

    /// The texts of a message, one after the other; empty for other items.
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
    /// The texts, one a line.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Parts(parts) => parts.iter().filter_map(ContentPart::text).collect::<Vec<_>>().join("\n"),
        }
    }
}

// What is read of each type. Other members are left out.

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
    /// Some servers put an object where its text belongs.
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
            // Providers take a text for a list of one part.
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
