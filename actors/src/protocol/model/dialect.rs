//! Differences between servers of the same wire.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ContentPart, HistoryItem, Role, ToolOutput};

/// The features of a provider beyond those of every server. The default works with all known servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Dialect {
    /// The role of messages from the program.
    pub system_role: SystemRole,
    /// Whether messages of the program may occur anywhere. If not, those at the start are merged, and later ones are
    /// sent with the role `user`.
    pub system_messages_anywhere: bool,
    /// Whether tool outputs may contain images. If not, they follow in a message.
    pub images_in_tool_output: bool,
    /// Whether reasoning is sent back to the model.
    pub replay_reasoning: bool,
    /// Whether requests have the members that only OpenAI needs (`store`, `include`, `prompt_cache_key`,
    /// `parallel_tool_calls`, `tool_choice`, `service_tier`, `reasoning.summary`), and items of other types than
    /// messages, functions and reasoning.
    pub openai_members: bool,
    /// Top-level members that are omitted from every request, such as `stream_options`.
    pub omit_members: Vec<String>,
}

/// The role of messages from the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // As on the wires.
pub enum SystemRole {
    #[default]
    System,
    Developer,
}

/// A conversation in a dialect.
pub(super) struct Conversation<'a> {
    /// Instructions of the program at the start.
    pub system: Cow<'a, str>,
    /// The rest.
    pub entries: Vec<Cow<'a, HistoryItem>>,
}

impl SystemRole {
    /// The value on the wire.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
        }
    }
}

impl Dialect {
    /// The dialect of OpenAI.
    pub fn openai() -> Self {
        Self {
            system_role: SystemRole::Developer,
            system_messages_anywhere: true,
            images_in_tool_output: true,
            replay_reasoning: true,
            openai_members: true,
            omit_members: Vec::new(),
        }
    }

    /// Converts a conversation to this dialect. The result is deterministic, and that of a longer conversation begins
    /// with it, so that prefix caches work.
    pub(super) fn conversation<'a>(&self, instructions: &'a str, input: &'a [HistoryItem]) -> Conversation<'a> {
        let mut system = Cow::Borrowed(instructions);
        let mut rest = input;
        if !self.system_messages_anywhere {
            while let Some((HistoryItem::Message { role: Role::Developer, .. }, after)) = rest.split_first() {
                let said = rest[0].said();
                if !system.is_empty() && !said.is_empty() {
                    system.to_mut().push_str("\n\n");
                }
                system.to_mut().push_str(&said);
                rest = after;
            }
        }
        let mut entries = Vec::with_capacity(rest.len());
        let mut images = Vec::new();
        for item in rest {
            if !matches!(item, HistoryItem::FunctionCallOutput { .. }) {
                entries.extend(message_of(&mut images));
            }
            entries.extend(self.entry(item, &mut images));
        }
        entries.extend(message_of(&mut images));
        Conversation { system, entries }
    }

    /// Converts an entry; images that it must not contain are added to `images`.
    fn entry<'a>(&self, item: &'a HistoryItem, images: &mut Vec<ContentPart>) -> Option<Cow<'a, HistoryItem>> {
        match item {
            HistoryItem::Message { role: Role::Developer, content, .. } if !self.system_messages_anywhere => {
                Some(Cow::Owned(HistoryItem::Message { role: Role::User, content: content.clone(), phase: None }))
            }
            HistoryItem::Message { role, content, phase: Some(_) } if !self.openai_members => {
                Some(Cow::Owned(HistoryItem::Message { role: *role, content: content.clone(), phase: None }))
            }
            HistoryItem::Reasoning(raw) => {
                let useful = !self.openai_members || is_encrypted(raw);
                (self.replay_reasoning && useful).then_some(Cow::Borrowed(item))
            }
            HistoryItem::Raw(_) => self.openai_members.then_some(Cow::Borrowed(item)),
            HistoryItem::FunctionCallOutput { call_id, output: output @ ToolOutput::Parts(parts) }
                if !self.images_in_tool_output =>
            {
                let shown = parts.iter().filter(|part| part.text().is_none());
                let before = images.len();
                images.extend(shown.cloned());
                let mut text = output.text();
                if text.is_empty() && images.len() > before {
                    "The image is in the next message.".clone_into(&mut text);
                }
                let output = ToolOutput::Text(text);
                Some(Cow::Owned(HistoryItem::FunctionCallOutput { call_id: call_id.clone(), output }))
            }
            _ => Some(Cow::Borrowed(item)),
        }
    }

    /// Removes top-level members that this provider does not accept from `body`.
    pub(super) fn trimmed(&self, body: Vec<u8>) -> serde_json::Result<Vec<u8>> {
        if self.omit_members.is_empty() {
            return Ok(body);
        }
        let mut members: std::collections::BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&body)?;
        members.retain(|name, _| !self.omit_members.contains(name));
        serde_json::to_vec(&members)
    }
}

fn message_of<'a>(images: &mut Vec<ContentPart>) -> Option<Cow<'a, HistoryItem>> {
    (!images.is_empty()).then(|| {
        let content = std::mem::take(images);
        Cow::Owned(HistoryItem::Message { role: Role::User, content, phase: None })
    })
}

/// OpenAI stores nothing for us, and accepts reasoning only in its encrypted form.
fn is_encrypted(raw: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Sealed {
        #[serde(default)]
        encrypted_content: Option<String>,
    }
    serde_json::from_str::<Sealed>(raw.get()).is_ok_and(|sealed| sealed.encrypted_content.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapted(dialect: &Dialect, input: &[HistoryItem]) -> (String, Vec<String>) {
        let Conversation { system, entries } = dialect.conversation("base", input);
        let entries = entries.iter().map(|entry| serde_json::to_string(entry.as_ref()).unwrap()).collect();
        (system.into_owned(), entries)
    }

    fn item(json: &str) -> HistoryItem {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn there_is_one_leading_system_message() {
        let input = [
            HistoryItem::text(Role::Developer, "more"),
            HistoryItem::text(Role::User, "hi"),
            HistoryItem::text(Role::Developer, "late"),
        ];
        let (system, entries) = adapted(&Dialect::default(), &input);
        assert_eq!(system, "base\n\nmore");
        assert_eq!(entries.len(), 2);
        assert!(entries[1].contains(r#""role":"user""#) && entries[1].contains("late"), "{entries:?}");
        let (system, entries) = adapted(&Dialect::openai(), &input);
        assert_eq!((system.as_str(), entries.len()), ("base", 3));
    }

    #[test]
    fn what_only_its_provider_understands_goes_to_nobody_else() {
        let input = [
            item(r#"{"type":"reasoning","summary":[],"encrypted_content":"x"}"#),
            item(r#"{"type":"reasoning","summary":[],"encrypted_content":null}"#),
            item(r#"{"type":"web_search_call"}"#),
        ];
        assert_eq!(adapted(&Dialect::default(), &input).1.len(), 0);
        assert_eq!(adapted(&Dialect::openai(), &input).1.len(), 2);
    }

    #[test]
    fn images_of_tools_follow_all_outputs_of_the_answer() {
        let image = r#"{"type":"input_image","image_url":"data:,"}"#;
        let input = [
            item(&format!(r#"{{"type":"function_call_output","call_id":"a","output":[{image}]}}"#)),
            item(r#"{"type":"function_call_output","call_id":"b","output":"text"}"#),
            HistoryItem::text(Role::User, "and?"),
        ];
        let (_, entries) = adapted(&Dialect::default(), &input);
        assert_eq!(entries.len(), 4);
        assert!(entries[0].contains("next message") && !entries[0].contains("input_image"), "{entries:?}");
        assert!(entries[1].contains(r#""call_id":"b""#), "{entries:?}");
        assert!(entries[2].contains(r#""role":"user""#) && entries[2].contains(image), "{entries:?}");
        assert_eq!(adapted(&Dialect::openai(), &input).1.len(), 3);
    }

    #[test]
    fn a_longer_conversation_begins_with_the_shorter_one() {
        let whole = [
            HistoryItem::text(Role::Developer, "more"),
            HistoryItem::text(Role::User, "hi"),
            HistoryItem::text(Role::Assistant, "hello"),
            HistoryItem::text(Role::Developer, "late"),
            HistoryItem::text(Role::User, "again"),
        ];
        for dialect in [Dialect::default(), Dialect::openai()] {
            let (system, entries) = adapted(&dialect, &whole);
            for end in 1..whole.len() {
                let (shorter_system, shorter) = adapted(&dialect, &whole[..end]);
                assert_eq!(system, shorter_system);
                assert!(entries.starts_with(&shorter), "{entries:?} {shorter:?}");
            }
        }
    }

    #[test]
    fn members_can_be_left_out() {
        let dialect = Dialect { omit_members: vec!["stream_options".into()], ..Dialect::default() };
        let body = br#"{"model":"m","stream_options":{"x":1},"stream":true}"#.to_vec();
        assert_eq!(dialect.trimmed(body).unwrap(), br#"{"model":"m","stream":true}"#);
    }
}
