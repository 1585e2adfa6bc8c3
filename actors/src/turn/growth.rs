//! How items in progress become longer.

use super::messages::Growth;
use crate::protocol::item::{Item, ItemKind};

/// Parts of a reasoning item. A provider that counts further is not believed.
const MOST_PARTS: usize = 1024;

impl Growth {
    /// Makes `item` longer. Growth that does not fit the kind of the item changes nothing.
    pub fn apply(&self, item: &mut Item) {
        match (self, &mut item.kind) {
            (Self::Text(text), ItemKind::AgentMessage(message)) => message.text.push_str(text),
            (Self::Plan(text), ItemKind::Plan(plan)) => plan.text.push_str(text),
            (Self::SummaryPart { index }, ItemKind::Reasoning(reasoning)) => {
                part(&mut reasoning.summary, *index);
            }
            (Self::Summary { index, text }, ItemKind::Reasoning(reasoning)) => {
                part(&mut reasoning.summary, *index).push_str(text);
            }
            (Self::Thought { index, text }, ItemKind::Reasoning(reasoning)) => {
                part(&mut reasoning.content, *index).push_str(text);
            }
            (Self::Output(text), ItemKind::CommandExecution(command)) => {
                command.aggregated_output.get_or_insert_default().push_str(text);
            }
            _ => {}
        }
    }

    /// Takes over what `later` adds, if both are text of the same place.
    ///
    /// # Errors
    /// `later` itself, if it is not.
    pub fn join(&mut self, later: Self) -> Result<(), Self> {
        match (self, later) {
            (Self::Text(text), Self::Text(more))
            | (Self::Plan(text), Self::Plan(more))
            | (Self::Output(text), Self::Output(more)) => text.push_str(&more),
            (Self::Summary { index, text }, Self::Summary { index: same, text: more })
            | (Self::Thought { index, text }, Self::Thought { index: same, text: more })
                if *index == same =>
            {
                text.push_str(&more);
            }
            (_, later) => return Err(later),
        }
        Ok(())
    }

    /// Bytes that it adds.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Text(text)
            | Self::Plan(text)
            | Self::Output(text)
            | Self::Summary { text, .. }
            | Self::Thought { text, .. } => text.len(),
            Self::SummaryPart { .. } => 0,
        }
    }
}

fn part(parts: &mut Vec<String>, index: usize) -> &mut String {
    let index = index.min(MOST_PARTS - 1);
    if parts.len() <= index {
        parts.resize(index + 1, String::new());
    }
    &mut parts[index]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::item::{AgentMessage, Reasoning};

    fn item(kind: ItemKind) -> Item {
        Item { kind, id: "i".to_owned(), started_at_ms: None, completed_at_ms: None }
    }

    #[test]
    fn growth_reaches_its_place_and_no_other() {
        let mut message = item(ItemKind::AgentMessage(AgentMessage::default()));
        Growth::Text("a".to_owned()).apply(&mut message);
        Growth::Thought { index: 0, text: "never".to_owned() }.apply(&mut message);
        Growth::Text("b".to_owned()).apply(&mut message);
        assert!(matches!(&message.kind, ItemKind::AgentMessage(message) if message.text == "ab"));

        let mut reasoning = item(ItemKind::Reasoning(Reasoning::default()));
        Growth::SummaryPart { index: 1 }.apply(&mut reasoning);
        Growth::Summary { index: 1, text: "s".to_owned() }.apply(&mut reasoning);
        Growth::Thought { index: usize::MAX, text: "far".to_owned() }.apply(&mut reasoning);
        let ItemKind::Reasoning(Reasoning { summary, content }) = &reasoning.kind else { panic!("{reasoning:?}") };
        assert_eq!(summary, &["", "s"]);
        assert_eq!((content.len(), content[MOST_PARTS - 1].as_str()), (MOST_PARTS, "far"));
    }

    #[test]
    fn only_text_of_one_place_is_joined() {
        let mut text = Growth::Text("a".to_owned());
        assert_eq!(text.join(Growth::Text("b".to_owned())), Ok(()));
        assert_eq!(text, Growth::Text("ab".to_owned()));
        assert!(text.join(Growth::Output("c".to_owned())).is_err());
        let mut summary = Growth::Summary { index: 0, text: "a".to_owned() };
        assert!(summary.join(Growth::Summary { index: 1, text: "b".to_owned() }).is_err());
    }
}
