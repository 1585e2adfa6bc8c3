//! What the model has seen of a thread that is not on disk.

use crate::protocol::RpcError;
use crate::protocol::model::{ContentPart, HistoryItem, ToolOutput};

/// The conversation of a thread that is not on disk. Clients may add to it up to a bound.
pub(super) struct Memory {
    entries: Vec<HistoryItem>,
    /// About the memory that the entries take.
    bytes: usize,
    most_bytes: usize,
}

impl Memory {
    /// Nothing yet. What clients add is refused from `most_bytes` on.
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { entries: Vec::new(), bytes: 0, most_bytes }
    }

    /// The conversation, oldest entry first.
    pub(super) fn entries(&self) -> &[HistoryItem] {
        &self.entries
    }

    /// Whether a client may add these entries.
    ///
    /// # Errors
    /// The words for the client, if the conversation would become too long.
    pub(super) fn check_room(&self, more: &[HistoryItem]) -> Result<(), RpcError> {
        let (more, most) = (bytes(more), self.most_bytes);
        if self.bytes.saturating_add(more) <= most {
            return Ok(());
        }
        Err(RpcError::invalid_request(format_args!(
            "these items take {more} bytes, and this thread, which is not on disk, has {} of the {most} bytes that it may \
             keep in memory (`app_server.limits.ephemeral_history_bytes`); shorten it with thread/compact/start, or use a \
             thread that is on disk",
            self.bytes
        )))
    }

    /// The model sees these entries after everything else.
    pub(super) fn add(&mut self, more: &[HistoryItem]) {
        self.bytes += bytes(more);
        self.entries.extend_from_slice(more);
    }

    /// The model sees these entries in place of the others.
    pub(super) fn replace(&mut self, entries: &[HistoryItem]) {
        self.bytes = bytes(entries);
        self.entries = entries.to_vec();
    }
}

/// About the memory that these entries take, in bytes.
fn bytes(entries: &[HistoryItem]) -> usize {
    let part = |part: &ContentPart| match part {
        ContentPart::InputText { text } | ContentPart::OutputText { text } => text.len(),
        ContentPart::InputImage { image_url, .. } => image_url.len(),
    };
    let parts = |parts: &[ContentPart]| size_of_val(parts) + parts.iter().map(part).sum::<usize>();
    let content = |entry: &HistoryItem| match entry {
        HistoryItem::Message { content, .. } => parts(content),
        HistoryItem::FunctionCall { name, arguments, .. } => name.len() + arguments.len(),
        HistoryItem::FunctionCallOutput { output: ToolOutput::Text(text), .. } => text.len(),
        HistoryItem::FunctionCallOutput { output: ToolOutput::Parts(content), .. } => parts(content),
        HistoryItem::Reasoning(raw) | HistoryItem::Raw(raw) => raw.get().len(),
    };
    size_of_val(entries) + entries.iter().map(content).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::model::Role;

    #[test]
    fn a_conversation_that_became_shorter_has_room_again() {
        let entry = |length: usize| [HistoryItem::text(Role::User, "x".repeat(length))];
        let mut known = Memory::new(2000);
        known.add(&entry(1000));
        assert!(known.check_room(&entry(1000)).is_err() && known.check_room(&entry(100)).is_ok());
        known.replace(&entry(10));
        assert!(known.check_room(&entry(1000)).is_ok());
        assert_eq!(known.entries().len(), 1);
        let image = ContentPart::InputImage { image_url: "x".repeat(2000), detail: None };
        let image = [HistoryItem::Message { role: Role::User, content: vec![image], phase: None }];
        assert!(known.check_room(&image).is_err(), "images count, too");
        assert!(Memory::new(2000).check_room(&vec![entry(0)[0].clone(); 100]).is_err(), "so do empty entries");
    }
}
