//! Events of an answer.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::super::lenient::lenient;
use super::super::{HistoryItem, ProviderError, TokenUsage};

/// An event of an answer; only the types that matter.
#[derive(Clone, Debug)]
pub enum ResponsesEvent {
    /// An item starts; its text follows.
    ItemAdded(Place, HistoryItem),
    /// More text of a message or of a refusal.
    TextDelta(Place, String),
    /// The complete text of a part of a message.
    TextDone(Place, String),
    /// A part of a reasoning summary starts.
    SummaryPart(Place, u32),
    /// More text of a part of a reasoning summary.
    SummaryDelta(Place, u32, String),
    /// More text of a part of reasoning.
    ReasoningDelta(Place, u32, String),
    /// More text of the arguments of a call.
    ArgumentsDelta(Place, String),
    /// The complete arguments of a call.
    ArgumentsDone(Place, String),
    /// An item is complete.
    ItemDone(Place, HistoryItem),
    /// The answer is complete.
    Completed(Outcome),
    /// The answer ends early, for this reason.
    Incomplete(Outcome, Option<String>),
    /// The answer has failed.
    Failed(Outcome, ProviderError),
    /// An event of Chat Completions instead of this API.
    ChatChunk,
    /// An event without new information, or an unknown one.
    Other,
}

/// The item of an event. Not every server sends either member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Id of the item at the provider.
    pub id: Option<String>,
    /// Index of the item in the answer.
    pub index: Option<u64>,
}

/// The complete answer.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// All items, if the server repeats them.
    pub output: Vec<HistoryItem>,
    /// Token usage.
    pub usage: Option<TokenUsage>,
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow, default)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    choices: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta {
    #[serde(default)]
    item_id: Option<String>,
    #[serde(default)]
    output_index: Option<u64>,
    #[serde(default, alias = "content_index")]
    summary_index: Option<u32>,
    #[serde(default, alias = "text", alias = "refusal", alias = "arguments")]
    delta: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    output_index: Option<u64>,
    item: Box<RawValue>,
}

#[derive(Deserialize)]
struct ItemId {
    #[serde(default)]
    id: Option<String>,
}

#[derive(Deserialize)]
struct Ended {
    #[serde(default)]
    response: Option<Response>,
}

#[derive(Default, Deserialize)]
struct Response {
    #[serde(default, deserialize_with = "readable")]
    output: Vec<HistoryItem>,
    #[serde(default, deserialize_with = "lenient")]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "lenient")]
    incomplete_details: Option<IncompleteDetails>,
}

#[derive(Deserialize)]
struct IncompleteDetails {
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
    #[serde(default)]
    total_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    input_tokens_details: Option<InputDetails>,
    #[serde(default, deserialize_with = "lenient")]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Default, Deserialize)]
struct InputDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
}

#[derive(Default, Deserialize)]
struct OutputDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

/// Invalid items are skipped, because earlier events contained the same information.
fn readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<HistoryItem>, D::Error> {
    let items = Option::<Vec<Box<RawValue>>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(items.into_iter().filter_map(|raw| HistoryItem::from_raw(raw).ok()).collect())
}

impl From<Usage> for TokenUsage {
    fn from(usage: Usage) -> Self {
        let input = usage.input_tokens_details.unwrap_or_default();
        Self {
            total: usage.total_tokens.unwrap_or(usage.input_tokens.saturating_add(usage.output_tokens)),
            input: usage.input_tokens,
            cached_input: input.cached_tokens.unwrap_or_default(),
            cache_write_input: input.cache_write_tokens.unwrap_or_default(),
            output: usage.output_tokens,
            reasoning_output: usage.output_tokens_details.and_then(|it| it.reasoning_tokens).unwrap_or_default(),
            estimated: false,
        }
    }
}

impl ResponsesEvent {
    /// Parses the data of an event. Its `type` counts, not the name of the event.
    ///
    /// # Errors
    /// It is not a JSON object with the members of its type.
    pub fn read(data: &str) -> serde_json::Result<Self> {
        let tag: Tag<'_> = serde_json::from_str(data)?;
        let Some(kind) = tag.r#type else {
            return Ok(match (tag.choices, ProviderError::read(data.as_bytes()).filter(|_| tag.error.is_some())) {
                (Some(_), _) => Self::ChatChunk,
                (None, Some(error)) => Self::Failed(Outcome::default(), error),
                (None, None) => Self::Other,
            });
        };
        let delta = |event: fn(Place, u32, String) -> Self| {
            serde_json::from_str(data).map(|Delta { item_id: id, output_index: index, summary_index, delta }| {
                event(Place { id, index }, summary_index.unwrap_or_default(), delta.unwrap_or_default())
            })
        };
        let item = |event: fn(Place, HistoryItem) -> Self| {
            let Item { output_index: index, item } = serde_json::from_str(data)?;
            let ItemId { id } = serde_json::from_str(item.get())?;
            HistoryItem::from_raw(item).map(|item| event(Place { id, index }, item))
        };
        let response = || -> serde_json::Result<Response> {
            Ok(serde_json::from_str::<Ended>(data)?.response.unwrap_or_default())
        };
        match kind.as_ref() {
            "response.output_item.added" => item(Self::ItemAdded),
            "response.output_item.done" => item(Self::ItemDone),
            "response.output_text.delta" | "response.refusal.delta" => delta(|at, _, text| Self::TextDelta(at, text)),
            "response.output_text.done" | "response.refusal.done" => delta(|at, _, text| Self::TextDone(at, text)),
            "response.reasoning_summary_part.added" => {
                // Its member `part` is not needed: the text follows.
                delta(|at, index, _| Self::SummaryPart(at, index))
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_summary.delta" => delta(Self::SummaryDelta),
            "response.reasoning_text.delta" | "response.reasoning.delta" => delta(Self::ReasoningDelta),
            "response.function_call_arguments.delta" => delta(|at, _, text| Self::ArgumentsDelta(at, text)),
            "response.function_call_arguments.done" => delta(|at, _, text| Self::ArgumentsDone(at, text)),
            "response.completed" | "response.done" => Ok(Self::Completed(response()?.into())),
            "response.incomplete" => {
                let mut response = response()?;
                let reason = response.incomplete_details.take().and_then(|details| details.reason);
                Ok(Self::Incomplete(response.into(), reason))
            }
            "response.failed" => {
                let mut response = response()?;
                let error = response.error.take().and_then(|error| ProviderError::read(error.get().as_bytes()));
                Ok(Self::Failed(response.into(), error.unwrap_or_default()))
            }
            "error" => {
                let error = ProviderError::read(data.as_bytes()).unwrap_or_default();
                // The word `error` itself carries no information.
                let kind = error.kind.filter(|kind| kind != "error");
                Ok(Self::Failed(Outcome::default(), ProviderError { kind, ..error }))
            }
            _ => Ok(Self::Other),
        }
    }
}

impl From<Response> for Outcome {
    fn from(response: Response) -> Self {
        Self { output: response.output, usage: response.usage.map(TokenUsage::from) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &str) -> ResponsesEvent {
        ResponsesEvent::read(data).unwrap()
    }

    #[test]
    fn items_are_named_by_id_or_number_or_not_at_all() {
        let place = |rest: &str| match read(&format!(r#"{{"type":"response.output_text.delta","delta":"a"{rest}}}"#)) {
            ResponsesEvent::TextDelta(place, text) if text == "a" => (place.id, place.index),
            other => panic!("{other:?}"),
        };
        assert_eq!(place(""), (None, None));
        assert_eq!(place(r#","item_id":"msg_1","content_index":0"#), (Some("msg_1".into()), None));
        assert_eq!(place(r#","output_index":2,"item_id":null"#), (None, Some(2)));
        let done = read(r#"{"type":"response.output_item.done","output_index":1,"item":{"id":"x","type":"y"}}"#);
        let ResponsesEvent::ItemDone(place, HistoryItem::Raw(_)) = done else { panic!("{done:?}") };
        assert_eq!(place, Place { id: Some("x".into()), index: Some(1) });
    }

    #[test]
    fn costs_are_read_however_little_is_said() {
        let usage = |usage: &str| match read(&format!(
            r#"{{"type":"response.completed","response":{{"id":"r","usage":{usage}}}}}"#
        )) {
            ResponsesEvent::Completed(outcome) => outcome.usage,
            other => panic!("{other:?}"),
        };
        let whole = usage(
            r#"{"input_tokens":9,"output_tokens":4,"total_tokens":13,"input_tokens_details":{"cached_tokens":5},
                "output_tokens_details":{"reasoning_tokens":2}}"#,
        );
        let whole = whole.unwrap();
        assert_eq!((whole.total, whole.cached_input, whole.reasoning_output), (13, 5, 2));
        assert_eq!(usage(r#"{"input_tokens":9,"output_tokens":4}"#).unwrap().total, 13);
        assert_eq!(usage("null"), None);
        assert_eq!(usage(r#"{"input_tokens":null}"#), None);
    }

    #[test]
    fn failures_say_why() {
        let failed = read(r#"{"type":"response.failed","response":{"error":{"code":"c","message":"m"}}}"#);
        let ResponsesEvent::Failed(_, error) = failed else { panic!("{failed:?}") };
        assert_eq!((error.code.as_deref(), error.message.as_deref()), (Some("c"), Some("m")));
        for event in [
            r#"{"type":"error","code":"c","message":"m","param":null}"#,
            r#"{"type":"error","error":{"code":"c","message":"m"}}"#,
            r#"{"error":{"code":"c","message":"m"}}"#,
        ] {
            let ResponsesEvent::Failed(_, error) = read(event) else { panic!("{event}") };
            assert_eq!((error.code.as_deref(), error.kind, error.message.as_deref()), (Some("c"), None, Some("m")));
        }
        let cut =
            read(r#"{"type":"response.incomplete","response":{"incomplete_details":{"reason":"content_filter"}}}"#);
        let ResponsesEvent::Incomplete(_, reason) = cut else { panic!("{cut:?}") };
        assert_eq!(reason.as_deref(), Some("content_filter"));
    }

    #[test]
    fn what_says_nothing_is_told_from_what_makes_no_sense() {
        for event in [r#"{"type":"response.created","response":{}}"#, r#"{"type":"response.new","delta":{}}"#, "{}"] {
            assert!(matches!(read(event), ResponsesEvent::Other), "{event}");
        }
        assert!(matches!(read(r#"{"object":"chat.completion.chunk","choices":[]}"#), ResponsesEvent::ChatChunk));
        for event in ["", "x", "3", r#"{"type":"response.output_text.delta","delta":{}}"#] {
            assert!(ResponsesEvent::read(event).is_err(), "{event}");
        }
    }
}
