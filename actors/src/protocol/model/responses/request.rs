//! The body of a request.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::super::dialect::Conversation;
use super::super::{ContentPart, Dialect, HistoryItem, ModelRequest, Role, ToolSpec};
use crate::protocol::settings::ReasoningSummary;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Function<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Reasoning<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<bool>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    include: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    System { r#type: &'static str, role: &'static str, content: [ContentPart; 1] },
    Item(Cow<'a, HistoryItem>),
}

#[derive(Serialize)]
struct Function<'a> {
    r#type: &'static str,
    name: &'a str,
    description: &'a str,
    strict: bool,
    parameters: &'a RawValue,
}

#[derive(Serialize)]
struct Reasoning<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<ReasoningSummary>,
}

#[derive(Serialize)]
struct Text<'a> {
    format: Format<'a>,
}

#[derive(Serialize)]
struct Format<'a> {
    r#type: &'static str,
    strict: bool,
    name: &'static str,
    schema: &'a RawValue,
}

/// The body of `POST {base_url}/responses`.
///
/// # Errors
/// Never in practice: every request can be encoded.
pub fn body(request: &ModelRequest, dialect: &Dialect) -> serde_json::Result<Vec<u8>> {
    let Conversation { system, entries } = dialect.conversation(&request.instructions, &request.input);
    let system = (!system.is_empty()).then(|| Entry::system(dialect, system.into_owned()));
    let entries = entries.into_iter().map(|entry| Entry::of(dialect, entry));
    let openai = dialect.openai_members;
    let has_tools = !request.tools.is_empty();
    let summary = request.summary.filter(|summary| openai && *summary != ReasoningSummary::None);
    let reasoning = (request.effort.is_some() || summary.is_some())
        .then_some(Reasoning { effort: request.effort.as_deref(), summary });
    let body = Body {
        model: &request.model,
        input: system.into_iter().chain(entries).collect(),
        tools: request.tools.iter().map(Function::from).collect(),
        tool_choice: (openai && has_tools).then_some("auto"),
        parallel_tool_calls: openai.then_some(has_tools),
        reasoning,
        store: openai.then_some(false),
        stream: true,
        include: openai.then_some(["reasoning.encrypted_content"]),
        service_tier: request.service_tier.as_deref().filter(|_| openai),
        prompt_cache_key: openai.then_some(request.thread_id.as_str()),
        text: request.output_schema.as_deref().map(Text::from),
    };
    dialect.trimmed(serde_json::to_vec(&body)?)
}

impl<'a> Entry<'a> {
    fn system(dialect: &Dialect, text: String) -> Self {
        let content = [ContentPart::InputText { text }];
        Self::System { r#type: "message", role: dialect.system_role.word(), content }
    }

    /// The history contains `developer`, which some servers call differently.
    fn of(dialect: &Dialect, entry: Cow<'a, HistoryItem>) -> Self {
        match entry.as_ref() {
            HistoryItem::Message { role: Role::Developer, .. } => Self::system(dialect, entry.said()),
            _ => Self::Item(entry),
        }
    }
}

impl<'a> From<&'a ToolSpec> for Function<'a> {
    fn from(tool: &'a ToolSpec) -> Self {
        let ToolSpec { name, description, parameters } = tool;
        Self { r#type: "function", name, description, strict: false, parameters }
    }
}

impl<'a> From<&'a RawValue> for Text<'a> {
    fn from(schema: &'a RawValue) -> Self {
        Self { format: Format { r#type: "json_schema", strict: true, name: "codex_output_schema", schema } }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::request;
    use super::*;

    fn text(dialect: &Dialect) -> String {
        String::from_utf8(body(&request(), dialect).unwrap()).unwrap()
    }

    #[test]
    fn openai_gets_every_member() {
        assert_eq!(
            text(&Dialect::openai()),
            concat!(
                r#"{"model":"m","input":[{"type":"message","role":"developer","content":[{"type":"input_text","text":"base"}]},"#,
                r#"{"type":"message","role":"developer","content":[{"type":"input_text","text":"rules"}]},"#,
                r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}],"#,
                r#""tools":[{"type":"function","name":"f","description":"d","strict":false,"parameters":{"type":"object"}}],"#,
                r#""tool_choice":"auto","parallel_tool_calls":true,"reasoning":{"effort":"low","summary":"auto"},"#,
                r#""store":false,"stream":true,"include":["reasoning.encrypted_content"],"service_tier":"flex","#,
                r#""prompt_cache_key":"t","text":{"format":{"type":"json_schema","strict":true,"#,
                r#""name":"codex_output_schema","schema":{}}}}"#,
            )
        );
    }

    #[test]
    fn everybody_else_gets_what_everybody_understands() {
        assert_eq!(
            text(&Dialect::default()),
            concat!(
                r#"{"model":"m","input":[{"type":"message","role":"system","content":[{"type":"input_text","text":"base\n\nrules"}]},"#,
                r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}],"#,
                r#""tools":[{"type":"function","name":"f","description":"d","strict":false,"parameters":{"type":"object"}}],"#,
                r#""reasoning":{"effort":"low"},"stream":true,"text":{"format":{"type":"json_schema","strict":true,"#,
                r#""name":"codex_output_schema","schema":{}}}}"#,
            )
        );
    }

    #[test]
    fn a_compaction_offers_no_tools() {
        let bare = ModelRequest { tools: [].into(), effort: None, summary: None, ..request() };
        let text = String::from_utf8(body(&bare, &Dialect::openai()).unwrap()).unwrap();
        assert!(!text.contains("tool_choice") && !text.contains(r#""tools""#), "{text}");
        assert!(text.contains(r#""parallel_tool_calls":false"#) && !text.contains(r#""reasoning":"#), "{text}");
    }
}
