//! What waits for a person: the questions that are open, and what happened meanwhile.

use std::collections::VecDeque;

use app_server_actors::protocol::{
    RequestId, ServerNotification,
    item::{FileUpdateChange, Item, ItemKind, PatchApplyStatus, ThreadItem},
};

use super::question::Question;

/// Patches in progress whose changes are kept for a question about them. The oldest is forgotten first.
const MOST_PATCHES: usize = 64;

/// Bytes of messages that are kept while a question is open. What comes beyond them is not shown.
const MOST_HELD_BYTES: usize = 256 * 1024;

/// Open questions.
#[derive(Default)]
pub struct Desk {
    /// The first one is the one that is asked now.
    questions: VecDeque<Question>,
    /// Changes of patches in progress, by the id of their item.
    patches: VecDeque<(String, Vec<FileUpdateChange>)>,
    held: Held,
}

/// What happened while a question was open. It is shown afterwards: what the agent prints must not push a question off
/// the screen, nor look like another one.
#[derive(Default)]
pub struct Held {
    /// In the order in which it happened.
    pub notifications: Vec<ServerNotification>,
    /// Something was not kept.
    pub is_cut: bool,
    bytes: usize,
}

impl Desk {
    /// The question that is asked now.
    pub fn question(&self) -> Option<&Question> {
        self.questions.front()
    }

    /// The same, to take an answer.
    pub fn question_mut(&mut self) -> Option<&mut Question> {
        self.questions.front_mut()
    }

    /// One more question. Whether it is asked now.
    pub fn put(&mut self, question: Question) -> bool {
        self.questions.push_back(question);
        self.questions.len() == 1
    }

    /// Removes the question with this id. `None` if there is none, otherwise whether it was the one that was asked.
    pub fn take(&mut self, id: &RequestId) -> Option<bool> {
        let at = self.questions.iter().position(|question| question.id == *id)?;
        self.questions.remove(at);
        Some(at == 0)
    }

    /// Removes all questions.
    pub fn clear(&mut self) {
        self.questions.clear();
    }

    /// Remembers the changes of a patch in progress.
    pub fn note(&mut self, item: &ThreadItem) {
        // Items of a later version ask nothing.
        let Ok(Item { kind: ItemKind::FileChange(patch), id, .. }) = item.decode() else { return };
        self.patches.retain(|(known, _)| *known != id);
        if patch.status == PatchApplyStatus::InProgress {
            if self.patches.len() >= MOST_PATCHES {
                self.patches.pop_front();
            }
            self.patches.push_back((id, patch.changes));
        }
    }

    /// The changes of the patch in progress whose item has this id.
    pub fn changes_of(&self, item_id: &str) -> Option<Vec<FileUpdateChange>> {
        self.patches.iter().find(|(id, _)| id == item_id).map(|(_, changes)| changes.clone())
    }

    /// Keeps for later what happened, which has `bytes` as a message.
    pub fn hold(&mut self, notification: ServerNotification, bytes: usize) {
        if self.held.bytes + bytes > MOST_HELD_BYTES {
            self.held.is_cut = true;
        } else {
            self.held.bytes += bytes;
            self.held.notifications.push(notification);
        }
    }

    /// What was kept, which is then forgotten.
    pub fn release(&mut self) -> Held {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use app_server_actors::protocol::{notification::Warning, thread::ThreadId};
    use serde_json::json;

    use super::*;

    fn patch(id: &str, status: &str) -> ThreadItem {
        let item = json!({"type": "fileChange", "id": id, "status": status, "startedAtMs": 1, "completedAtMs": null,
            "changes": [{"path": format!("/{id}"), "kind": {"type": "add"}, "diff": ""}]});
        serde_json::from_value(item).unwrap()
    }

    #[test]
    fn the_changes_of_a_patch_are_known_until_it_has_ended() {
        let mut desk = Desk::default();
        desk.note(&patch("a", "inProgress"));
        assert_eq!(desk.changes_of("a").unwrap()[0].path, "/a");
        desk.note(&patch("a", "declined"));
        assert_eq!(desk.changes_of("a"), None);
        for number in 0..=MOST_PATCHES {
            desk.note(&patch(&number.to_string(), "inProgress"));
        }
        assert!(desk.changes_of("0").is_none() && desk.changes_of("1").is_some());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut desk = Desk::default();
        let warning = || ServerNotification::Warning(Warning { thread_id: ThreadId::new(), message: String::new() });
        desk.hold(warning(), MOST_HELD_BYTES);
        assert!(!desk.held.is_cut);
        desk.hold(warning(), 1);
        let held = desk.release();
        assert!(held.is_cut && held.notifications.len() == 1 && !desk.release().is_cut);
    }
}
