//! The body of a request.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::super::dialect::Conversation;
use super::super::{ContentPart, Dialect, HistoryItem, ModelRequest, Role, ToolSpec};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<&'a str>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Default, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<Part<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'a> {
    Text { text: Cow<'a, str> },
    ImageUrl { image_url: ImageUrl<'a> },
}

#[derive(Serialize)]
struct ImageUrl<'a> {
    url: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: Cow<'a, str>,
    r#type: &'static str,
    function: Called<'a>,
}

#[derive(Serialize)]
struct Called<'a> {
    name: Cow<'a, str>,
    arguments: Cow<'a, str>,
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a RawValue,
}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    r#type: &'static str,
    json_schema: JsonSchema<'a>,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'static str,
    strict: bool,
    schema: &'a RawValue,
}

/// The body of `POST {base_url}/chat/completions`.
///
/// # Errors
/// Never in practice: every request can be encoded.
pub fn body(request: &ModelRequest, dialect: &Dialect) -> serde_json::Result<Vec<u8>> {
    let Conversation { system, entries } = dialect.conversation(&request.instructions, &request.input);
    let mut messages = Vec::with_capacity(entries.len() + 1);
    if !system.is_empty() {
        messages.push(Message::text(dialect.system_role.word(), system));
    }
    for entry in entries {
        add(&mut messages, entry, dialect);
    }
    let openai = dialect.openai_members;
    let has_tools = !request.tools.is_empty();
    let schema = request.output_schema.as_deref();
    let body = Body {
        model: &request.model,
        messages,
        tools: request.tools.iter().map(Tool::from).collect(),
        tool_choice: (openai && has_tools).then_some("auto"),
        parallel_tool_calls: (openai && has_tools).then_some(true),
        stream: true,
        stream_options: StreamOptions { include_usage: true },
        reasoning_effort: request.effort.as_deref(),
        response_format: schema.map(|schema| ResponseFormat {
            r#type: "json_schema",
            json_schema: JsonSchema { name: "codex_output_schema", strict: true, schema },
        }),
        service_tier: request.service_tier.as_deref().filter(|_| openai),
        prompt_cache_key: openai.then_some(request.thread_id.as_str()),
    };
    dialect.trimmed(serde_json::to_vec(&body)?)
}

/// Adds an entry, to the last message if that is the answer to which it belongs.
fn add<'a>(messages: &mut Vec<Message<'a>>, entry: Cow<'a, HistoryItem>, dialect: &Dialect) {
    match entry {
        Cow::Borrowed(HistoryItem::Message { role, content, .. }) => {
            add_message(messages, *role, content.iter().map(Part::borrowed).collect(), dialect);
        }
        Cow::Owned(HistoryItem::Message { role, content, .. }) => {
            add_message(messages, role, content.into_iter().map(Part::owned).collect(), dialect);
        }
        Cow::Borrowed(HistoryItem::FunctionCall { call_id, name, arguments }) => {
            answer(messages).tool_calls.push(ToolCall {
                id: call_id.into(),
                r#type: "function",
                function: Called { name: name.into(), arguments: as_object(arguments) },
            });
        }
        Cow::Borrowed(HistoryItem::FunctionCallOutput { call_id, output }) => {
            messages.push(Message::tool(call_id.into(), output.text().into()));
        }
        Cow::Owned(HistoryItem::FunctionCallOutput { call_id, output }) => {
            messages.push(Message::tool(call_id.into(), output.text().into()));
        }
        Cow::Borrowed(HistoryItem::Reasoning(_)) => {
            let thought = entry.thought();
            let text = thought.content.into_iter().chain(thought.summary).collect::<Vec<_>>().join("\n\n");
            if !text.is_empty() {
                let known = &mut answer(messages).reasoning_content;
                *known = Some(known.take().map_or(text.clone(), |before| before + "\n\n" + &text));
            }
        }
        // A dialect produces no such items, and this wire cannot express items that only their provider understands.
        Cow::Owned(HistoryItem::FunctionCall { .. } | HistoryItem::Reasoning(_)) | Cow::Borrowed(_) | Cow::Owned(_) => {
        }
    }
}

/// The answer being assembled: the last message, or a new one.
fn answer<'a, 'b>(messages: &'b mut Vec<Message<'a>>) -> &'b mut Message<'a> {
    let place = match messages.last() {
        Some(last) if last.role == "assistant" => messages.len() - 1,
        _ => {
            messages.push(Message { role: "assistant", ..Message::default() });
            messages.len() - 1
        }
    };
    &mut messages[place]
}

fn add_message<'a>(messages: &mut Vec<Message<'a>>, role: Role, parts: Vec<Part<'a>>, dialect: &Dialect) {
    let content = Content::from(parts);
    let role = match role {
        Role::Developer => dialect.system_role.word(),
        Role::User => "user",
        // Outputs of tools must follow the message with their calls, so other text of the model is added to that
        // message.
        Role::Assistant => {
            let known = &mut answer(messages).content;
            *known = Some(match (known.take(), content) {
                (Some(Content::Text(before)), Content::Text(text)) => {
                    Content::Text(format!("{before}\n\n{text}").into())
                }
                (_, content) => content,
            });
            return;
        }
    };
    messages.push(Message { role, content: Some(content), ..Message::default() });
}

/// Model templates parse the arguments as JSON, and a server rejects the whole conversation if one call has invalid
/// ones.
fn as_object(arguments: &str) -> Cow<'_, str> {
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(arguments) {
        Ok(_) => arguments.into(),
        Err(_) => serde_json::json!({"unreadable": arguments}).to_string().into(),
    }
}

impl<'a> Message<'a> {
    fn text(role: &'static str, text: Cow<'a, str>) -> Self {
        Self { role, content: Some(Content::Text(text)), ..Self::default() }
    }

    fn tool(call_id: Cow<'a, str>, text: Cow<'a, str>) -> Self {
        Self { tool_call_id: Some(call_id), ..Self::text("tool", text) }
    }
}

impl<'a> Part<'a> {
    fn borrowed(part: &'a ContentPart) -> Self {
        match part {
            ContentPart::InputText { text } | ContentPart::OutputText { text } => Self::Text { text: text.into() },
            ContentPart::InputImage { image_url, detail } => {
                Self::ImageUrl { image_url: ImageUrl { url: image_url.into(), detail: detail.as_ref().map(Cow::from) } }
            }
        }
    }

    fn owned(part: ContentPart) -> Self {
        match part {
            ContentPart::InputText { text } | ContentPart::OutputText { text } => Self::Text { text: text.into() },
            ContentPart::InputImage { image_url, detail } => {
                Self::ImageUrl { image_url: ImageUrl { url: image_url.into(), detail: detail.map(Cow::from) } }
            }
        }
    }
}

/// Only texts become one text, because not every server accepts parts.
impl<'a> From<Vec<Part<'a>>> for Content<'a> {
    fn from(mut parts: Vec<Part<'a>>) -> Self {
        if let [Part::Text { text }] = parts.as_mut_slice() {
            return Self::Text(std::mem::take(text));
        }
        let texts: Option<Vec<&str>> = parts
            .iter()
            .map(|part| match part {
                Part::Text { text } => Some(text.as_ref()),
                Part::ImageUrl { .. } => None,
            })
            .collect();
        match texts {
            Some(texts) => Self::Text(texts.join("\n\n").into()),
            None => Self::Parts(parts),
        }
    }
}

impl<'a> From<&'a ToolSpec> for Tool<'a> {
    fn from(tool: &'a ToolSpec) -> Self {
        let ToolSpec { name, description, parameters } = tool;
        Self { r#type: "function", function: Function { name, description, parameters } }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::tests::request;
    use super::*;

    fn messages(input: &Value, dialect: &Dialect) -> Value {
        let input = serde_json::from_value::<Vec<Box<RawValue>>>(input.clone()).unwrap();
        let input = input.into_iter().map(|raw| HistoryItem::from_raw(raw).unwrap()).collect();
        let body = body(&ModelRequest { input, instructions: String::new(), ..request() }, dialect).unwrap();
        serde_json::from_slice::<Value>(&body).unwrap()["messages"].take()
    }

    #[test]
    fn the_body_has_what_every_server_understands() {
        let body = body(&request(), &Dialect::default()).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&body).unwrap(),
            json!({
                "model": "m",
                "messages": [{"role": "system", "content": "base\n\nrules"}, {"role": "user", "content": "hi"}],
                "tools": [{"type": "function", "function":
                    {"name": "f", "description": "d", "parameters": {"type": "object"}}}],
                "stream": true,
                "stream_options": {"include_usage": true},
                "reasoning_effort": "low",
                "response_format": {"type": "json_schema", "json_schema":
                    {"name": "codex_output_schema", "strict": true, "schema": {}}},
            })
        );
    }

    #[test]
    fn text_and_calls_of_one_answer_are_one_message() {
        let input = json!([
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look"}]},
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "b", "name": "f", "arguments": "{\"x\":"},
            {"type": "function_call_output", "call_id": "a", "output": "1"},
            {"type": "function_call_output", "call_id": "b", "output": "2"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]},
        ]);
        assert_eq!(
            messages(&input, &Dialect::default()),
            json!([
                {"role": "assistant", "content": "I look", "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {"id": "b", "type": "function", "function": {"name": "f", "arguments": "{\"unreadable\":\"{\\\"x\\\":\"}"}},
                ]},
                {"role": "tool", "content": "1", "tool_call_id": "a"},
                {"role": "tool", "content": "2", "tool_call_id": "b"},
                {"role": "assistant", "content": "done"},
            ])
        );
    }

    #[test]
    fn images_are_parts_and_texts_alone_are_a_text() {
        let input = json!([{"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "see"},
            {"type": "input_image", "image_url": "data:,", "detail": "high"},
        ]}, {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"},
        ]}]);
        assert_eq!(
            messages(&input, &Dialect::default()),
            json!([
                {"role": "user", "content": [
                    {"type": "text", "text": "see"},
                    {"type": "image_url", "image_url": {"url": "data:,", "detail": "high"}},
                ]},
                {"role": "user", "content": "a\n\nb"},
            ])
        );
    }

    #[test]
    fn reasoning_is_replayed_where_the_server_wants_it() {
        let input = json!([
            {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        ]);
        let replaying = Dialect { replay_reasoning: true, ..Dialect::default() };
        assert_eq!(messages(&input, &replaying)[0]["reasoning_content"], "hm");
        assert_eq!(messages(&input, &replaying).as_array().unwrap().len(), 1);
        assert_eq!(messages(&input, &Dialect::default())[0].get("reasoning_content"), None);
    }
}
