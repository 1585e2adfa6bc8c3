//! The conversation as the model sees it: what must hold before it can be sent, and how long it is.

use std::collections::HashSet;

use crate::protocol::model::{ContentPart, HistoryItem, Role, ToolOutput};

/// What stands for the output of a call whose tool never answered, because the server was killed meanwhile.
const NO_OUTPUT: &str = "aborted";

/// Tells the model that its last answer ended early.
const INTERRUPTED: &str = "<turn_interrupted>\nThe user stopped the turn before it had ended. Commands and changes of \
                           that turn may have been carried out in part: look before you rely on them.\n\
                           </turn_interrupted>";

/// Bytes that count as one token where nobody has counted.
const BYTES_PER_TOKEN: usize = 4;

/// The note that follows an interrupted turn.
pub fn interruption() -> HistoryItem {
    HistoryItem::text(Role::User, INTERRUPTED)
}

/// The entries that `history` still needs so that every call has its output.
pub fn missing_outputs(history: &[HistoryItem]) -> Vec<HistoryItem> {
    let answered: HashSet<&str> = history
        .iter()
        .filter_map(|entry| match entry {
            HistoryItem::FunctionCallOutput { call_id, .. } => Some(call_id.as_str()),
            _ => None,
        })
        .collect();
    let open = |entry: &HistoryItem| match entry {
        HistoryItem::FunctionCall { call_id, .. } if !answered.contains(call_id.as_str()) => {
            let output = ToolOutput::Text(NO_OUTPUT.to_owned());
            Some(HistoryItem::FunctionCallOutput { call_id: call_id.clone(), output })
        }
        _ => None,
    };
    history.iter().filter_map(open).collect()
}

/// About how many tokens these entries are.
pub fn estimated_tokens(history: &[HistoryItem]) -> u64 {
    let bytes: usize = history.iter().map(text_bytes).sum();
    u64::try_from(bytes.div_ceil(BYTES_PER_TOKEN)).unwrap_or(u64::MAX)
}

/// Bytes of the text. Images are left out, because models count them in ways of their own.
fn text_bytes(entry: &HistoryItem) -> usize {
    let parts = |parts: &[ContentPart]| parts.iter().filter_map(ContentPart::text).map(str::len).sum();
    match entry {
        HistoryItem::Message { content, .. } => parts(content),
        HistoryItem::FunctionCall { name, arguments, .. } => name.len() + arguments.len(),
        HistoryItem::FunctionCallOutput { output: ToolOutput::Text(text), .. } => text.len(),
        HistoryItem::FunctionCallOutput { output: ToolOutput::Parts(content), .. } => parts(content),
        HistoryItem::Reasoning(raw) | HistoryItem::Raw(raw) => raw.get().len(),
    }
}

/// At most about `bytes` bytes of `text`: where it is longer, its beginning and its end, with a note between them.
pub fn shortened(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let head = (0..=bytes / 2).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let tail = (text.len() - bytes / 2..=text.len()).find(|start| text.is_char_boundary(*start)).unwrap_or(text.len());
    format!("{}\n[… {} bytes left out …]\n{}", &text[..head], tail - head, &text[tail..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: &str) -> HistoryItem {
        HistoryItem::FunctionCall { call_id: id.to_owned(), name: "f".to_owned(), arguments: "{}".to_owned() }
    }

    #[test]
    fn every_call_gets_an_output() {
        let output =
            HistoryItem::FunctionCallOutput { call_id: "a".to_owned(), output: ToolOutput::Text("o".to_owned()) };
        let missing = missing_outputs(&[call("a"), call("b"), output]);
        let [HistoryItem::FunctionCallOutput { call_id, output }] = missing.as_slice() else { panic!("{missing:?}") };
        assert_eq!((call_id.as_str(), output.text().as_str()), ("b", "aborted"));
        assert!(missing_outputs(&[]).is_empty());
    }

    #[test]
    fn a_text_is_shortened_in_its_middle_between_characters() {
        assert_eq!(shortened("short", 5), "short");
        assert_eq!(shortened("äöüß", 4), "ä\n[… 4 bytes left out …]\nß");
        assert_eq!(shortened("äöü", 3), "\n[… 6 bytes left out …]\n");
    }

    #[test]
    fn four_bytes_are_about_one_token() {
        assert_eq!(estimated_tokens(&[HistoryItem::text(Role::User, "123456789"), call("a")]), 3);
    }
}
