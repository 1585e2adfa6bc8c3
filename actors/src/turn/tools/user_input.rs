//! `request_user_input`: asks the person, while the agent plans.

use std::rc::Rc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::schema::parameters;
use super::toolbox::Unheard;
use super::{Answer, Tool, Toolbox, USUAL_BYTES, run};
use crate::protocol::server_request::{
    ToolRequestUserInputOption, ToolRequestUserInputParams, ToolRequestUserInputQuestion, USER_INPUT,
};
use crate::protocol::settings::ModeKind;
use crate::turn::messages::AskPurpose;

pub(super) const TOOL: Tool = Tool {
    name: "request_user_input",
    about: "Asks the person one to three questions with a few answers to choose from, and waits for the answers.",
    parameters: parameters::<RequestUserInput>,
    most_bytes: USUAL_BYTES,
    run: |toolbox, call| run(toolbox, &call, request_user_input),
};

#[derive(Deserialize, JsonSchema)]
struct RequestUserInput {
    /// One to three questions.
    questions: Vec<Question>,
}

#[derive(Deserialize, JsonSchema)]
struct Question {
    /// A name for the question, as in `color`, under which you get the answer.
    id: String,
    /// A heading of a few words.
    header: String,
    /// The question, in one sentence.
    question: String,
    /// Two or three answers, the best one first.
    options: Vec<Choice>,
}

#[derive(Deserialize, JsonSchema)]
struct Choice {
    /// The answer, in a few words.
    label: String,
    /// What it means, in one sentence.
    description: String,
}

async fn request_user_input(toolbox: Rc<Toolbox>, call_id: String, wanted: RequestUserInput) -> Answer {
    if toolbox.rules.mode != ModeKind::Plan {
        return Answer::Text("request_user_input works only while you plan; ask in your message instead".to_owned());
    }
    if wanted.questions.is_empty() || wanted.questions.len() > 3 {
        return Answer::Text("failed to parse function arguments: ask one to three questions".to_owned());
    }
    let params = ToolRequestUserInputParams {
        thread_id: toolbox.thread_id,
        turn_id: toolbox.turn_id.to_string(),
        item_id: call_id,
        questions: wanted.questions.into_iter().map(Into::into).collect(),
        is_blocking: true,
        auto_resolution_ms: None,
    };
    let answer = match toolbox.ask(AskPurpose::Input, &USER_INPUT, params).await {
        Ok(answer) => serde_json::to_string(&answer).unwrap_or_default(),
        Err(Unheard::Stopped) => "aborted by user".to_owned(),
        Err(Unheard::Refused | Unheard::TimeIsOver) => "the person did not answer".to_owned(),
    };
    Answer::Text(answer)
}

impl From<Question> for ToolRequestUserInputQuestion {
    fn from(Question { id, header, question, options }: Question) -> Self {
        let option = |Choice { label, description }| ToolRequestUserInputOption { label, description };
        let options = Some(options.into_iter().map(option).collect());
        Self { id, header, question, is_other: true, is_secret: false, options }
    }
}
