//! Summarising a conversation so that it fits into the model's context again.

use super::history::{estimated_tokens, shortened};
use crate::protocol::model::{HistoryItem, Role};
use crate::skills::Skills;

/// Tokens of the user's own messages that a summary keeps word for word.
const KEPT_TOKENS: u64 = 20_000;
const BYTES_PER_TOKEN: u64 = 4;

/// What the model is asked at the end of the conversation.
const QUESTION: &str = "Summarise this conversation for an agent that will continue it and sees nothing but your summary and \
    the user's own messages. Write: what the user wants, with every constraint they named; what was done, with the paths of \
    the files; what was found out; what is left to do, in order; and what the next step is. Be exact with names, paths, \
    commands and numbers. Write the summary only.";

/// What stands before the summary.
const LEAD_IN: &str = "The conversation up to here was summarised, because it had become long. This is the summary:";

/// The question that asks for a summary.
pub(super) fn question() -> HistoryItem {
    HistoryItem::text(Role::User, QUESTION)
}

/// The conversation after a compaction: the user's own messages, the latest ones if they are many, and the summary.
/// `context` are entries that are told at the beginning of a conversation. Skills that a message named can be read again.
pub(super) fn compacted(history: &[HistoryItem], context: Vec<HistoryItem>, summary: &str) -> Vec<HistoryItem> {
    let is_context = |entry: &HistoryItem| {
        let said = entry.said();
        let kind = said.split_whitespace().next();
        let is_of_this_kind = |context: &HistoryItem| context.said().split_whitespace().next() == kind;
        said.starts_with(LEAD_IN) || Skills::is_called(&said) || context.iter().any(is_of_this_kind)
    };
    let mut left = KEPT_TOKENS;
    let mut kept = Vec::new();
    let spoken = history.iter().filter(|entry| matches!(entry, HistoryItem::Message { role: Role::User, .. }));
    for entry in spoken.rev().filter(|entry| !is_context(entry)) {
        let tokens = estimated_tokens(std::slice::from_ref(entry));
        if tokens > left {
            let bytes = usize::try_from(left * BYTES_PER_TOKEN).unwrap_or(usize::MAX);
            if bytes > 0 {
                kept.push(HistoryItem::text(Role::User, shortened(&entry.said(), bytes)));
            }
            break;
        }
        left -= tokens;
        kept.push(entry.clone());
    }
    kept.reverse();
    let summary = HistoryItem::text(Role::User, format!("{LEAD_IN}\n\n{}", summary.trim()));
    context.into_iter().chain(kept).chain([summary]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(history: &[HistoryItem]) -> Vec<String> {
        history.iter().map(HistoryItem::said).collect()
    }

    #[test]
    fn the_users_own_words_stay_and_all_else_becomes_the_summary() {
        let context = HistoryItem::text(Role::User, "<environment>");
        let history = [
            context.clone(),
            HistoryItem::text(Role::User, "first"),
            HistoryItem::text(Role::Assistant, "answer"),
            HistoryItem::FunctionCall { call_id: "c".into(), name: "f".into(), arguments: "{}".into() },
            HistoryItem::text(Role::User, "second"),
            HistoryItem::text(Role::User, "<skill>\n<name>tidy</name>\n…\n</skill>"),
        ];
        let once = compacted(&history, vec![context.clone()], " It went well. ");
        let summary = format!("{LEAD_IN}\n\nIt went well.");
        assert_eq!(said(&once), ["<environment>", "first", "second", summary.as_str()]);
        let twice = compacted(&once, vec![context], "Again.");
        assert_eq!(said(&twice).len(), 4, "an older summary is not kept beside the new one");
    }

    #[test]
    fn of_long_messages_the_latest_are_kept_and_one_is_cut() {
        let long = "x".repeat(50_000);
        let history =
            ["oldest", "middle", "latest"].map(|name| HistoryItem::text(Role::User, format!("{name} {long}")));
        let kept = said(&compacted(&history, Vec::new(), "s"));
        assert_eq!(kept.len(), 3);
        assert!(kept[0].starts_with("middle") && kept[0].contains("bytes left out"), "{}", kept[0].len());
        assert!(kept[1].starts_with("latest"));
        assert!(kept[0].len() + kept[1].len() < 81_000);
    }
}
