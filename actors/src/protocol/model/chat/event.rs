//! Chunks of an answer.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::lenient::lenient;
use super::super::{ProviderError, TokenUsage};

/// A chunk of an answer.
#[derive(Clone, Debug, Default)]
pub struct ChatChunk {
    /// What it adds to the answer.
    pub delta: ChatDelta,
    /// Why the answer ends, if it does.
    pub finish: Option<FinishReason>,
    /// Token usage so far.
    pub usage: Option<TokenUsage>,
    /// The answer ends with this instead.
    pub error: Option<ProviderError>,
    /// An event of the Responses API.
    pub is_responses_event: bool,
}

/// What a chunk adds to the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatDelta {
    /// Added reasoning.
    pub reasoning: String,
    /// Added text.
    pub text: String,
    /// Added pieces of calls.
    pub tool_calls: Vec<ToolCallPart>,
}

/// A piece of a call. Only the first piece has the name, and not every server numbers calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolCallPart {
    /// Index of the call; some servers send 0 for every call.
    pub index: Option<u64>,
    /// Id of the call.
    pub id: Option<String>,
    /// Name of the tool.
    pub name: Option<String>,
    /// Added text of the arguments.
    pub arguments: String,
}

/// Why an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// It is complete, whatever the server calls it.
    Complete,
    /// It has reached its maximum length.
    Length,
    /// It was blocked by a content filter.
    ContentFilter,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default, deserialize_with = "lenient")]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "lenient")]
    r#type: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default, alias = "message")]
    delta: Option<Delta>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    #[serde(default, deserialize_with = "text")]
    content: Option<String>,
    #[serde(default, deserialize_with = "text")]
    refusal: Option<String>,
    #[serde(default, deserialize_with = "text")]
    reasoning_content: Option<String>,
    #[serde(default, deserialize_with = "text")]
    reasoning: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<Call>>,
}

#[derive(Deserialize)]
struct Call {
    #[serde(default, deserialize_with = "lenient")]
    index: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    id: Option<String>,
    #[serde(default)]
    function: Option<Function>,
}

#[derive(Default, Deserialize)]
struct Function {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arguments: Value,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    total_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(default, deserialize_with = "lenient")]
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Default, Deserialize)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

#[derive(Default, Deserialize)]
struct CompletionDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

/// Text, or parts some of which are text.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Array(parts) => {
            Some(parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect::<String>())
        }
        _ => None,
    })
}

impl ChatChunk {
    /// Parses the data of an event other than `[DONE]`.
    ///
    /// # Errors
    /// It is not a JSON object with the members of a chunk.
    pub fn read(data: &str) -> serde_json::Result<Self> {
        let Chunk { choices, usage, error, r#type } = serde_json::from_str(data)?;
        let has_choices = choices.is_some();
        // There is never more than one, because no request asks for several.
        let choice = choices.and_then(|choices| choices.into_iter().next());
        let (delta, finish) = choice.map_or((None, None), |choice| (choice.delta, choice.finish_reason));
        let says_error = error.is_some_and(|error| error.get() != "null") || r#type.as_deref() == Some("error");
        Ok(Self {
            delta: delta.map(ChatDelta::from).unwrap_or_default(),
            finish: finish.as_deref().and_then(FinishReason::read),
            usage: usage.map(TokenUsage::from).filter(|usage| usage.total > 0),
            error: says_error.then(|| ProviderError::read(data.as_bytes()).unwrap_or_default()),
            is_responses_event: !has_choices && r#type.is_some_and(|kind| kind.starts_with("response.")),
        })
    }
}

impl FinishReason {
    fn read(word: &str) -> Option<Self> {
        match word {
            "" => None,
            "length" | "max_tokens" => Some(Self::Length),
            "content_filter" => Some(Self::ContentFilter),
            _ => Some(Self::Complete),
        }
    }
}

impl From<Delta> for ChatDelta {
    fn from(delta: Delta) -> Self {
        // Some servers send the same under both names.
        let reasoning = delta.reasoning_content.filter(|text| !text.is_empty()).or(delta.reasoning);
        Self {
            reasoning: reasoning.unwrap_or_default(),
            text: delta.content.unwrap_or_default() + &delta.refusal.unwrap_or_default(),
            tool_calls: delta.tool_calls.unwrap_or_default().into_iter().map(ToolCallPart::from).collect(),
        }
    }
}

impl From<Call> for ToolCallPart {
    fn from(call: Call) -> Self {
        let function = call.function.unwrap_or_default();
        let arguments = match function.arguments {
            Value::String(text) => text,
            Value::Null => String::new(),
            // A JSON value instead of its text.
            value => value.to_string(),
        };
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self { index: call.index, id: said(call.id), name: said(function.name), arguments }
    }
}

impl From<Usage> for TokenUsage {
    fn from(usage: Usage) -> Self {
        let (input, output) = (usage.prompt_tokens.unwrap_or_default(), usage.completion_tokens.unwrap_or_default());
        Self {
            total: usage.total_tokens.unwrap_or(input.saturating_add(output)),
            input,
            cached_input: usage.prompt_tokens_details.and_then(|it| it.cached_tokens).unwrap_or_default(),
            output,
            reasoning_output: usage.completion_tokens_details.and_then(|it| it.reasoning_tokens).unwrap_or_default(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &str) -> ChatChunk {
        ChatChunk::read(data).unwrap()
    }

    #[test]
    fn every_spelling_of_text_is_read() {
        let delta = |delta: &str| read(&format!(r#"{{"choices":[{{"delta":{delta}}}]}}"#)).delta;
        assert_eq!(delta(r#"{"content":"a"}"#).text, "a");
        assert_eq!(delta(r#"{"content":null,"refusal":"no"}"#).text, "no");
        assert_eq!(delta(r#"{"content":[{"type":"text","text":"a"},{"type":"x"},{"text":"b"}]}"#).text, "ab");
        assert_eq!(delta(r#"{"reasoning":"r"}"#).reasoning, "r");
        assert_eq!(delta(r#"{"reasoning_content":"r","reasoning":"r"}"#).reasoning, "r");
        assert_eq!(delta(r#"{"role":"assistant"}"#), ChatDelta::default());
        assert_eq!(read(r#"{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}"#).delta.text, "a");
    }

    #[test]
    fn pieces_of_calls_are_read_whatever_they_lack() {
        let call = |call: &str| {
            let chunk = read(&format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{call}]}}}}]}}"#));
            chunk.delta.tool_calls.into_iter().next().unwrap()
        };
        let whole = call(r#"{"index":1,"id":"a","type":"function","function":{"name":"f","arguments":"{"}}"#);
        let expected =
            ToolCallPart { index: Some(1), id: Some("a".into()), name: Some("f".into()), arguments: "{".into() };
        assert_eq!(whole, expected);
        assert_eq!(call(r#"{"function":{"arguments":{"x": 1}}}"#).arguments, r#"{"x":1}"#);
        assert_eq!(call(r#"{"index":null,"id":"","function":{"name":"","arguments":null}}"#), ToolCallPart::default());
        assert_eq!(call(r#"{"id":3}"#), ToolCallPart::default());
    }

    #[test]
    fn ends_and_costs_are_read() {
        let finish = |word: &str| read(&format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":{word}}}]}}"#)).finish;
        assert_eq!(finish("null"), None);
        assert_eq!(finish("\"\""), None);
        assert_eq!(finish("\"length\""), Some(FinishReason::Length));
        assert_eq!(finish("\"content_filter\""), Some(FinishReason::ContentFilter));
        for word in ["\"stop\"", "\"tool_calls\"", "\"eos\""] {
            assert_eq!(finish(word), Some(FinishReason::Complete));
        }
        let costs = r#""usage":{"prompt_tokens":3,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1}}"#;
        for choices in ["\"choices\":[],", "\"choices\":null,", ""] {
            let usage = read(&format!("{{{choices}{costs}}}")).usage.unwrap();
            assert_eq!((usage.total, usage.input, usage.cached_input, usage.output), (5, 3, 1, 2));
        }
        assert_eq!(read(r#"{"choices":[],"usage":{"prompt_tokens":"many"}}"#).usage, None);
        assert_eq!(read(r#"{"choices":[],"usage":null}"#).usage, None);
    }

    #[test]
    fn errors_and_events_of_the_other_wire_are_recognized() {
        assert_eq!(read(r#"{"error":{"message":"m"}}"#).error.unwrap().message.unwrap(), "m");
        assert_eq!(read(r#"{"error":null,"choices":[]}"#).error, None);
        assert!(read(r#"{"type":"response.created","response":{}}"#).is_responses_event);
        assert!(!read(r#"{"choices":[]}"#).is_responses_event);
        assert!(ChatChunk::read("[DONE]").is_err() && ChatChunk::read(r#"{"choices":[{"delta":"x"}]}"#).is_err());
    }
}
