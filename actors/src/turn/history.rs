//! The conversation as the model sees it: what must hold before it can be sent, and how long it is.

use crate::protocol::model::{ContentPart, HistoryItem, ToolOutput};

/// Bytes that count as one token where nobody has counted.
const BYTES_PER_TOKEN: usize = 4;

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
    use crate::protocol::model::Role;

    fn call(id: &str) -> HistoryItem {
        HistoryItem::FunctionCall { call_id: id.to_owned(), name: "f".to_owned(), arguments: "{}".to_owned() }
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
