//! Questions of the agent while it plans. They are asked one after the other.

use app_server_actors::protocol::server_request::{
    ToolRequestUserInputAnswer, ToolRequestUserInputParams, ToolRequestUserInputResponse,
};

use super::{Answer, Reply};
use crate::chat::exact::labelled;

/// The questions, and the answers so far.
pub struct Input {
    params: ToolRequestUserInputParams,
    given: Vec<String>,
}

impl Input {
    /// Nothing is answered yet.
    pub fn new(params: ToolRequestUserInputParams) -> Self {
        Self { params, given: Vec::new() }
    }

    /// The lines that ask the next question.
    pub fn lines(&self, columns: usize) -> Vec<String> {
        let Some(question) = self.params.questions.get(self.given.len()) else { return Vec::new() };
        let place = format!("The agent asks ({} of {}):", self.given.len() + 1, self.params.questions.len());
        let mut lines = labelled(&place, &question.question, columns);
        for (index, option) in question.options.iter().flatten().enumerate() {
            let text = format!("{}: {}", option.label, option.description);
            lines.extend(labelled(&format!("  {} ", index + 1), &text, columns));
        }
        lines.push("  Type a number, or your own words.".to_owned());
        lines
    }

    /// Takes a line as the answer to the question that was asked.
    pub fn reply(&mut self, line: &str) -> Reply {
        let Some(question) = self.params.questions.get(self.given.len()) else { return Reply::Unclear };
        let words = line.trim();
        let chosen = words.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let chosen = chosen.and_then(|index| question.options.as_ref()?.get(index));
        let answer = chosen.map_or(words, |option| &option.label);
        if answer.is_empty() {
            return Reply::Unclear;
        }
        self.given.push(answer.to_owned());
        if self.given.len() < self.params.questions.len() {
            return Reply::More;
        }
        let ids = self.params.questions.iter().map(|question| question.id.clone());
        let answers = ids.zip(self.given.drain(..).map(|answer| ToolRequestUserInputAnswer { answers: vec![answer] }));
        Reply::Answer(Answer::Input(ToolRequestUserInputResponse { answers: answers.collect() }))
    }
}
