//! The built-in model. It answers from the conversation itself, offline and free, so that a whole turn can be seen
//! without an account.
//!
//! It repeats the user's message word by word. Lines of a message that begin with one of these are commands:
//!
//! - `run: COMMAND` calls the tool `exec_command`, and afterwards tells its output;
//! - `think: TEXT` thinks the text before it goes on;
//! - `slow: N` waits N milliseconds before each further word, at most a minute;
//! - `fail: KIND` fails: see [`FAILURES`].

use std::collections::VecDeque;
use std::time::Duration;

use awc::http::StatusCode;
use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

use super::event::ModelEvent;
use super::failure::{ModelFailure, Refusal};
use super::fault::StreamFault;
use super::provider::Provider;
use crate::protocol::model::{HistoryItem, ModelRequest, ReasoningText, Role, TokenUsage};

/// Default pause before each word, in milliseconds: about the speed of a good reader.
const PACE: u64 = 15;

/// The longest pause that a command may set.
const SLOWEST: u64 = 60_000;

/// The arguments of `fail:`.
pub const FAILURES: [&str; 9] = [
    "unauthorized",
    "not-found",
    "rate-limit",
    "server-error",
    "overloaded",
    "context",
    "content-filter",
    "broken",
    "silence",
];

/// The tool that `run:` calls.
const SHELL: &str = "exec_command";

/// An answer being sent.
pub struct Echo {
    steps: VecDeque<Step>,
    pace: Duration,
    next_item: u32,
}

/// A part of an answer.
#[derive(Debug)]
enum Step {
    Pace(u64),
    Tell(ModelEvent),
    /// Sent after a pause.
    Word(ModelEvent),
    Fail(ModelFailure),
    /// Never continues.
    Silence,
}

impl Echo {
    /// Creates the answer to `request`; its first item gets the number `first_item`.
    pub fn new(provider: &Provider, request: &ModelRequest, first_item: u32) -> Self {
        let mut script = Script { provider, request, item: first_item, steps: VecDeque::new(), said: 0 };
        script.write();
        let Script { item, steps, .. } = script;
        Self { steps, pace: Duration::from_millis(PACE), next_item: item }
    }

    /// The number of the next item.
    pub fn next_item(&self) -> u32 {
        self.next_item
    }

    /// Continues the answer. Returns true if it is complete.
    ///
    /// # Errors
    /// A command asked it to fail.
    pub async fn more(&mut self, out: &mut Vec<ModelEvent>) -> Result<bool, ModelFailure> {
        match self.steps.pop_front() {
            None => return Ok(true),
            Some(Step::Pace(milliseconds)) => self.pace = Duration::from_millis(milliseconds),
            Some(Step::Tell(event)) => out.push(event),
            Some(Step::Word(event)) => {
                sleep(self.pace).await;
                out.push(event);
            }
            Some(Step::Fail(failure)) => return Err(failure),
            Some(Step::Silence) => std::future::pending().await,
        }
        Ok(false)
    }
}

/// An answer under construction.
struct Script<'a> {
    provider: &'a Provider,
    request: &'a ModelRequest,
    item: u32,
    steps: VecDeque<Step>,
    said: usize,
}

impl Script<'_> {
    fn write(&mut self) {
        let input = &self.request.input;
        let is_users = |item: &HistoryItem| matches!(item, HistoryItem::Message { role: Role::User, .. });
        let last = input.iter().rposition(is_users);
        let (before, message, after) = match last {
            Some(last) => (&input[..last], input[last].said(), &input[last + 1..]),
            None => (input.as_slice(), String::new(), input.as_slice()),
        };
        // Each answer ends at the first `run:` command; the rest is for the next answer.
        let ran = after.iter().filter(|item| matches!(item, HistoryItem::FunctionCall { .. })).count();
        let lines: Vec<&str> = message.lines().collect();
        let is_run = |line: &&str| order(line, "run:").is_some();
        let begin = match ran {
            0 => 0,
            _ => lines
                .iter()
                .enumerate()
                .filter(|(_, line)| is_run(line))
                .nth(ran - 1)
                .map_or(lines.len(), |it| it.0 + 1),
        };
        // The pace applies from its line on.
        for pace in lines[..begin].iter().filter_map(|line| pace(line)) {
            self.steps.push_back(Step::Pace(pace));
        }
        let mut text = String::new();
        if let Some(HistoryItem::FunctionCallOutput { output, .. }) = after.last() {
            text = format!("The command says:\n{}\n", output.text());
        }
        let is_mine = |item: &&HistoryItem| matches!(item, HistoryItem::Message { role: Role::Assistant, .. });
        let earlier = before.iter().filter(is_mine).count();
        let (mut heard, mut done) = (Vec::new(), false);
        for line in &lines[begin..] {
            if let Some(pace) = pace(line) {
                self.steps.push_back(Step::Pace(pace));
            } else if let Some(thought) = order(line, "think:") {
                self.think(thought);
            } else if let Some(kind) = order(line, "fail:") {
                self.say(&std::mem::take(&mut text));
                self.fail(kind);
                return;
            } else if let Some(command) = order(line, "run:") {
                text.push_str(&answer_to(&heard, earlier));
                self.say(&std::mem::take(&mut text));
                self.run(command);
                done = true;
                break;
            } else if !line.trim().is_empty() {
                heard.push(*line);
            }
        }
        if !done {
            text.push_str(&answer_to(&heard, earlier));
            if text.is_empty() && self.said == 0 {
                text = format!(
                    "I am the built-in echo. I understand `run: COMMAND`, `think: TEXT`, `slow: MILLISECONDS` \
                     and `fail: KIND` ({}).",
                    FAILURES.join(", ")
                );
            }
            self.say(&text);
        }
        let read = self.request.instructions.len() + input.iter().map(|item| item.said().len()).sum::<usize>();
        self.tell(ModelEvent::Usage(TokenUsage { estimated: false, ..TokenUsage::estimated(read, self.said) }));
        self.tell(ModelEvent::Completed);
    }

    fn say(&mut self, text: &str) {
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        self.said += text.len();
        let item = self.take_number();
        for word in text.split_inclusive(char::is_whitespace) {
            self.steps.push_back(Step::Word(ModelEvent::TextDelta { item, delta: word.to_owned() }));
        }
        let entry = HistoryItem::text(Role::Assistant, text);
        self.tell(ModelEvent::ItemDone { item, entry, cut: false });
    }

    fn think(&mut self, thought: &str) {
        let text = ReasoningText { summary: vec![thought.to_owned()], content: Vec::new() };
        let Ok(entry) = HistoryItem::reasoning(&text) else { return };
        self.said += thought.len();
        let item = self.take_number();
        self.tell(ModelEvent::ReasoningSummaryPart { item, index: 0 });
        for word in thought.split_inclusive(char::is_whitespace) {
            let delta = word.to_owned();
            self.steps.push_back(Step::Word(ModelEvent::ReasoningSummaryDelta { item, index: 0, delta }));
        }
        self.tell(ModelEvent::ItemDone { item, entry, cut: false });
    }

    fn run(&mut self, command: &str) {
        if !self.request.tools.iter().any(|tool| tool.name == SHELL) {
            self.say(&format!("I cannot run anything here: there is no tool {SHELL}."));
            return;
        }
        let arguments = json!({"cmd": command}).to_string();
        let entry = HistoryItem::FunctionCall {
            call_id: format!("call_{}", Uuid::now_v7()),
            name: SHELL.to_owned(),
            arguments,
        };
        let item = self.take_number();
        self.tell(ModelEvent::ItemDone { item, entry, cut: false });
    }

    fn fail(&mut self, kind: &str) {
        let provider = self.provider;
        let refused = |status: StatusCode, body: &str| {
            let refusal = Refusal { status, retry_after: None, body: body.as_bytes() };
            Step::Fail(ModelFailure::refused(provider, "nowhere", &refusal))
        };
        let fault = |fault: StreamFault| Step::Fail(ModelFailure::of_stream(provider, fault));
        let step = match kind {
            "unauthorized" => refused(StatusCode::UNAUTHORIZED, "the key is wrong, as you asked"),
            "not-found" => {
                refused(StatusCode::NOT_FOUND, r#"{"error":{"code":"model_not_found","message":"no such model"}}"#)
            }
            "rate-limit" => refused(StatusCode::TOO_MANY_REQUESTS, "too many requests, as you asked"),
            "server-error" => refused(StatusCode::INTERNAL_SERVER_ERROR, "a failure, as you asked"),
            "overloaded" => refused(
                StatusCode::SERVICE_UNAVAILABLE,
                r#"{"error":{"code":"server_is_overloaded","message":"too much to do"}}"#,
            ),
            "context" => {
                refused(StatusCode::BAD_REQUEST, r#"{"error":{"code":"context_length_exceeded","message":"too long"}}"#)
            }
            "content-filter" => fault(StreamFault::Incomplete("content_filter".to_owned())),
            "broken" => {
                // In the middle of a sentence, which the client keeps.
                let item = self.take_number();
                let text = "This sentence breaks off in the ";
                for word in text.split_inclusive(' ') {
                    self.steps.push_back(Step::Word(ModelEvent::TextDelta { item, delta: word.to_owned() }));
                }
                let entry = HistoryItem::text(Role::Assistant, text);
                self.tell(ModelEvent::ItemDone { item, entry, cut: true });
                fault(StreamFault::Broken)
            }
            "silence" => Step::Silence,
            _ => {
                self.say(&format!("I can fail in these ways: {}.", FAILURES.join(", ")));
                self.tell(ModelEvent::Completed);
                return;
            }
        };
        self.steps.push_back(step);
    }

    fn tell(&mut self, event: ModelEvent) {
        self.steps.push_back(Step::Tell(event));
    }

    fn take_number(&mut self) -> u32 {
        let number = self.item;
        self.item = number.saturating_add(1);
        number
    }
}

/// The argument of a command of this kind.
fn order<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.trim_start().strip_prefix(name).map(str::trim)
}

fn pace(line: &str) -> Option<u64> {
    order(line, "slow:").and_then(|number| number.parse::<u64>().ok()).map(|pace| pace.min(SLOWEST))
}

/// The answer to the text, after `answers` earlier ones.
fn answer_to(heard: &[&str], earlier: usize) -> String {
    if heard.is_empty() {
        return String::new();
    }
    let heard = heard.join("\n");
    match earlier {
        0 => format!("You said: {heard}"),
        1 => format!("You said: {heard} (and I have answered once before)"),
        _ => format!("You said: {heard} (and I have answered {earlier} times before)"),
    }
}
