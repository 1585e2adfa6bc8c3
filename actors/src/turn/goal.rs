//! A turn that the agent begins by itself, to get nearer to the goal of its thread.

use super::messages::TurnEvent;
use super::run::{Run, Stop};
use super::task::TurnRules;
use super::tools::goal_tools;
use crate::protocol::model::{HistoryItem, Role};
use crate::protocol::thread::ThreadGoal;

/// What the model is told at the beginning.
const WORDS: &str = include_str!("goal.md");

impl TurnRules {
    /// The rules of a turn in a thread that has a goal.
    pub fn with_goal(self) -> Self {
        let tools = self.tools.iter().cloned().chain(goal_tools()).collect();
        Self { tools, ..self }
    }
}

impl Run {
    /// Tells the model to go on.
    pub(super) async fn go_on(&mut self, goal: &ThreadGoal) -> Result<(), Stop> {
        let mut history = self.place().await?;
        history.push(HistoryItem::text(Role::User, words(goal)));
        self.history.extend(history.iter().cloned());
        self.reporter.push(TurnEvent::WentOn { history });
        Ok(self.reporter.flush().await?)
    }
}

fn words(goal: &ThreadGoal) -> String {
    let budget = goal.token_budget.map(|budget| format!(" of the {budget} that it may take")).unwrap_or_default();
    // The person's words last, because they may hold anything.
    let words = WORDS.trim().replace("{used}", &goal.tokens_used.to_string()).replace("{budget}", &budget);
    words.replacen("{objective}", goal.objective.trim(), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::thread::{ThreadGoalStatus, ThreadId};

    #[test]
    fn the_words_name_the_goal_as_the_person_wrote_it_and_what_it_has_taken() {
        let goal = ThreadGoal {
            thread_id: ThreadId::new(),
            objective: "fill {used} and {budget}\n".to_owned(),
            status: ThreadGoalStatus::Active,
            token_budget: Some(500),
            tokens_used: 120,
            time_used_seconds: 0,
            created_at: 0,
            updated_at: 0,
        };
        let text = words(&goal);
        assert!(text.contains("\nfill {used} and {budget}\n"), "{text}");
        assert!(text.contains("120 tokens so far of the 500 that"), "{text}");
    }
}
