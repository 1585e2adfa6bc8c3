//! What is added to a history whose last turn ended early, so that it can be sent again.

use std::collections::HashSet;

use super::{HistoryItem, Role, ToolOutput};

/// What stands for the output of a call whose tool never answered, because the server was killed meanwhile.
const NO_OUTPUT: &str = "aborted";

/// Tells the model that its last answer ended early.
const INTERRUPTED: &str = "<turn_interrupted>\nThe last turn was stopped before it had ended. Commands and changes of \
                           that turn may have been carried out in part: look before you rely on them.\n\
                           </turn_interrupted>";

impl HistoryItem {
    /// The note that follows a turn which ended early, by its user's wish or with its server.
    pub fn interruption() -> Self {
        Self::text(Role::User, INTERRUPTED)
    }

    /// The entries that `history` still needs so that every call has its output.
    pub fn missing_outputs(history: &[Self]) -> Vec<Self> {
        let answered: HashSet<&str> = history
            .iter()
            .filter_map(|entry| match entry {
                Self::FunctionCallOutput { call_id, .. } => Some(call_id.as_str()),
                _ => None,
            })
            .collect();
        let open = |entry: &Self| match entry {
            Self::FunctionCall { call_id, .. } if !answered.contains(call_id.as_str()) => {
                let output = ToolOutput::Text(NO_OUTPUT.to_owned());
                Some(Self::FunctionCallOutput { call_id: call_id.clone(), output })
            }
            _ => None,
        };
        history.iter().filter_map(open).collect()
    }
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
        let missing = HistoryItem::missing_outputs(&[call("a"), call("b"), output]);
        let [HistoryItem::FunctionCallOutput { call_id, output }] = missing.as_slice() else { panic!("{missing:?}") };
        assert_eq!((call_id.as_str(), output.text().as_str()), ("b", "aborted"));
        assert!(HistoryItem::missing_outputs(&[]).is_empty());
    }
}
