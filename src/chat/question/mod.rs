//! A question to the person at the terminal: of the server, whether something may be done, or of the agent.

mod input;
mod permissions;

use app_server_actors::protocol::{
    RequestId,
    client::ParamsText,
    item::FileUpdateChange,
    server_request::{
        COMMAND_APPROVAL, CommandExecutionApprovalDecision as OfCommand, CommandExecutionRequestApprovalParams,
        CommandExecutionRequestApprovalResponse, FILE_CHANGE_APPROVAL, FileChangeApprovalDecision as OfPatch,
        FileChangeRequestApprovalParams, FileChangeRequestApprovalResponse, MCP_ELICITATION,
        McpServerElicitationAction, McpServerElicitationRequestResponse, OUTSIDE_THE_SANDBOX, PERMISSIONS_APPROVAL,
        PermissionsRequestApprovalParams, PermissionsRequestApprovalResponse, ToolRequestUserInputResponse, USER_INPUT,
    },
};
use serde::Serialize;

use super::{
    actions::script_of,
    exact::{block, labelled},
    patch_text,
    tool::ToolQuestion,
};
use input::Input;

/// Lines of a question that are no part of a diff, about.
const OTHER_LINES: usize = 7;

/// Lines of a diff that are shown on a small terminal too.
const FEWEST_DIFF_LINES: usize = 4;

/// A question that waits for an answer.
pub struct Question {
    /// Id for the answer.
    pub id: RequestId,
    about: About,
}

enum About {
    Command(Box<CommandExecutionRequestApprovalParams>),
    Tool(ToolQuestion),
    /// A patch; its changes, if their item was seen.
    Patch(Box<FileChangeRequestApprovalParams>, Option<Vec<FileUpdateChange>>),
    Permissions(Box<PermissionsRequestApprovalParams>),
    Input(Input),
}

/// What a person's line means.
pub enum Reply {
    /// This is the answer.
    Answer(Answer),
    /// The person wants to see all of it first.
    ShowAll,
    /// It is an answer, and there is more to ask.
    More,
    /// It is no answer.
    Unclear,
}

/// An answer, for the server.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// About a command.
    Command(CommandExecutionRequestApprovalResponse),
    /// About a patch.
    Patch(FileChangeRequestApprovalResponse),
    /// About permissions.
    Permissions(PermissionsRequestApprovalResponse),
    /// To the agent's questions.
    Input(ToolRequestUserInputResponse),
    /// About a tool of an MCP server.
    Tool(McpServerElicitationRequestResponse),
}

/// Size of the terminal, in characters.
#[derive(Clone, Copy)]
pub struct Size {
    /// Of a line.
    pub columns: usize,
    /// Lines.
    pub rows: usize,
}

impl Question {
    /// The question that the server asks by the request `method`; `None` for a request about anything else. `changes_of`
    /// knows the changes of the item of a patch.
    ///
    /// # Errors
    /// The params do not fit.
    pub fn of(
        id: RequestId,
        method: &str,
        params: &ParamsText,
        changes_of: impl FnOnce(&str) -> Option<Vec<FileUpdateChange>>,
    ) -> serde_json::Result<Option<Self>> {
        let about = if method == COMMAND_APPROVAL.name() {
            About::Command(params.read()?)
        } else if method == FILE_CHANGE_APPROVAL.name() {
            let params: Box<FileChangeRequestApprovalParams> = params.read()?;
            let changes = changes_of(&params.item_id);
            About::Patch(params, changes)
        } else if method == PERMISSIONS_APPROVAL.name() {
            About::Permissions(params.read()?)
        } else if method == USER_INPUT.name() {
            About::Input(Input::new(params.read()?))
        } else if method == MCP_ELICITATION.name() {
            match ToolQuestion::of(params.read()?) {
                Some(question) => About::Tool(question),
                // A form, which this program does not show.
                None => return Ok(None),
            }
        } else {
            return Ok(None);
        };
        Ok(Some(Self { id, about }))
    }

    /// The lines that ask it; `all` of a diff or what fits on the terminal.
    pub fn lines(&self, size: Size, all: bool) -> Vec<String> {
        match &self.about {
            About::Command(params) => command_lines(params, size),
            About::Tool(question) => question.lines(size.columns),
            About::Patch(params, Some(changes)) => patch_lines(params, changes, size, all),
            About::Permissions(params) => permissions::lines(params, size.columns),
            About::Input(input) => input.lines(size.columns),
            About::Patch(..) => vec![
                "The agent wants to change files, which were described before this program followed the thread."
                    .to_owned(),
                "It cannot show them, so it lets you only say no.".to_owned(),
                "  n  no             c  no, and end the turn".to_owned(),
            ],
        }
    }

    /// What stands before the person's answer.
    pub fn prompt(&self) -> &'static str {
        match &self.about {
            About::Command(params) if params.proposed_execpolicy_amendment.is_some() => "Run it? [y/a/p/n/c] ",
            About::Command(_) => "Run it? [y/a/n/c] ",
            About::Tool(_) => "Use it? [y/a/n] ",
            About::Patch(_, Some(_)) => "Change them? [y/a/n/c/v] ",
            About::Patch(_, None) => "Say no? [n/c] ",
            About::Permissions(_) => "Allow it? [y/a/n] ",
            About::Input(_) => "Your answer: ",
        }
    }

    /// What `line` means as an answer.
    pub fn reply(&mut self, line: &str) -> Reply {
        let word = line.trim().to_lowercase();
        match &mut self.about {
            About::Permissions(params) => permissions::reply(params, &word),
            About::Input(input) => input.reply(line),
            About::Command(params) => {
                let decision = match word.as_str() {
                    "y" | "yes" => OfCommand::Accept,
                    "a" | "always" => OfCommand::AcceptForSession,
                    "n" | "no" => OfCommand::Decline,
                    "c" | "cancel" => OfCommand::Cancel,
                    "p" | "prefix" => match params.proposed_execpolicy_amendment.clone() {
                        Some(execpolicy_amendment) => OfCommand::AcceptWithExecpolicyAmendment { execpolicy_amendment },
                        None => return Reply::Unclear,
                    },
                    _ => return Reply::Unclear,
                };
                Reply::Answer(Answer::Command(CommandExecutionRequestApprovalResponse { decision }))
            }
            About::Tool(_) => {
                let (action, meta) = match word.as_str() {
                    "y" | "yes" => (McpServerElicitationAction::Accept, None),
                    "a" | "always" => {
                        (McpServerElicitationAction::Accept, Some(serde_json::json!({ "persist": "session" })))
                    }
                    "n" | "no" => (McpServerElicitationAction::Decline, None),
                    _ => return Reply::Unclear,
                };
                Reply::Answer(Answer::Tool(McpServerElicitationRequestResponse { action, content: None, meta }))
            }
            About::Patch(_, changes) => {
                let decision = match word.as_str() {
                    "y" | "yes" if changes.is_some() => OfPatch::Accept,
                    "a" | "always" if changes.is_some() => OfPatch::AcceptForSession,
                    "v" | "view" if changes.is_some() => return Reply::ShowAll,
                    "n" | "no" => OfPatch::Decline,
                    "c" | "cancel" => OfPatch::Cancel,
                    _ => return Reply::Unclear,
                };
                Reply::Answer(Answer::Patch(FileChangeRequestApprovalResponse { decision }))
            }
        }
    }
}

fn command_lines(params: &CommandExecutionRequestApprovalParams, Size { columns, .. }: Size) -> Vec<String> {
    let command = params.command.as_deref().unwrap_or_default();
    let (shell, script) = script_of(command);
    let mut lines = vec!["The agent wants to run this command:".to_owned()];
    lines.extend(block(&script, columns));
    let place = match params.is_unconfined() {
        true => "OUTSIDE the sandbox: it may do whatever you may",
        false => "in the sandbox of this thread",
    };
    // The first reason is the place, which was said already.
    let why = params.reason.as_deref().map(|why| why.strip_prefix(OUTSIDE_THE_SANDBOX).unwrap_or(why));
    let why = why.map(|why| why.trim_start_matches("; ")).filter(|why| !why.is_empty());
    let facts = [("By:   ", shell.as_deref()), ("In:   ", params.cwd.as_deref()), ("Where:", Some(place))];
    let facts = facts.into_iter().chain([("Why:  ", why)]);
    lines.extend(
        facts.filter_map(|(name, value)| Some((name, value?))).flat_map(|(name, value)| labelled(name, value, columns)),
    );
    lines.push("  y  yes, this once   a  yes, and the same again without asking".to_owned());
    if let Some(prefix) = &params.proposed_execpolicy_amendment {
        let words = shlex::try_join(prefix.iter().map(String::as_str)).unwrap_or_else(|_| prefix.join(" "));
        lines.extend(labelled("  p  yes, and without asking whatever begins with:", &words, columns));
    }
    lines.push("  n  no               c  no, and end the turn".to_owned());
    lines
}

fn patch_lines(
    params: &FileChangeRequestApprovalParams,
    changes: &[FileUpdateChange],
    Size { columns, rows }: Size,
    all: bool,
) -> Vec<String> {
    let mut lines = vec!["The agent wants to change these files:".to_owned()];
    lines.extend(changes.iter().flat_map(|change| patch_text::heading(change, columns)));
    let mut diff: Vec<String> = changes.iter().flat_map(|change| patch_text::diff(change, columns)).collect();
    let room = rows.saturating_sub(OTHER_LINES + lines.len()).max(FEWEST_DIFF_LINES);
    if !all && diff.len() > room + 1 {
        let more = diff.len() - room;
        diff.truncate(room);
        diff.push(format!("  … {more} more lines; type v to see all"));
    }
    lines.extend(diff);
    lines.extend(params.reason.iter().flat_map(|reason| labelled("Why:", reason, columns)));
    lines.push("  y  yes, this once   a  yes, and the same files again without asking".to_owned());
    lines.push("  n  no               c  no, and end the turn   v  show all".to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use app_server_actors::protocol::client::{ServerMessage, decode_server};
    use serde_json::{Value, json};

    use super::*;

    const SIZE: Size = Size { columns: 80, rows: 24 };

    fn asked(method: &str, more: Value, changes: Option<Vec<FileUpdateChange>>) -> Question {
        let mut params = json!({"kind": "command", "threadId": "01a202db-1602-7460-9131-7de1ed2f5379", "turnId": "u",
            "itemId": "i", "startedAtMs": 1, "environmentId": "local", "cwd": "/work", "commandActions": [],
            "reason": null, "grantRoot": null, "command": null});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let text = json!({"id": 7, "method": method, "params": params}).to_string();
        let ServerMessage::Request { id, method, params: Some(params) } = decode_server(&text).unwrap() else {
            panic!()
        };
        Question::of(id, &method, &params, |_| changes).unwrap().unwrap()
    }

    fn answer(question: &mut Question, line: &str) -> Option<Value> {
        match question.reply(line) {
            Reply::Answer(answer) => Some(serde_json::to_value(answer).unwrap()["decision"].take()),
            _ => None,
        }
    }

    #[test]
    fn only_a_clear_word_is_an_answer() {
        let mut question = asked("item/commandExecution/requestApproval", json!({"command": "/bin/bash -lc ls"}), None);
        for (line, decision) in [("y", "accept"), (" A\t", "acceptForSession"), ("no", "decline"), ("c", "cancel")] {
            assert_eq!(answer(&mut question, line), Some(json!(decision)), "{line:?}");
        }
        for line in ["", " ", "yy", "ok", "p", "1", "\u{1b}[c"] {
            assert_eq!(answer(&mut question, line), None, "{line:?}");
        }
        let proposed = json!({"command": "x", "proposedExecpolicyAmendment": ["cargo", "test"]});
        let mut question = asked("item/commandExecution/requestApproval", proposed, None);
        let amendment = json!({"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["cargo", "test"]}});
        assert_eq!(answer(&mut question, "p"), Some(amendment));
        assert!(question.lines(SIZE, false).iter().any(|line| line.ends_with("begins with: cargo test")));
    }

    #[test]
    fn a_command_is_shown_whole_and_with_its_place() {
        let script = format!("echo {}\nWhere: in the sandbox", "x".repeat(300));
        let command = shlex::try_join(["/bin/bash", "-lc", &script]).unwrap();
        let question = asked("item/commandExecution/requestApproval", json!({"command": command}), None);
        let lines = question.lines(SIZE, false);
        let margin: String = lines.iter().filter_map(|line| line.strip_prefix("  | ")).collect();
        assert_eq!(margin, script.replace('\n', ""), "{lines:#?}");
        assert!(lines.contains(&"By:    /bin/bash -lc".to_owned()), "{lines:#?}");
        assert!(lines.contains(&"In:    /work".to_owned()), "{lines:#?}");
        assert!(lines.contains(&"Where: in the sandbox of this thread".to_owned()), "{lines:#?}");
        let reason =
            format!("{}; the agent says: go", app_server_actors::protocol::server_request::OUTSIDE_THE_SANDBOX);
        let outside = json!({"command": command, "reason": reason});
        let lines = asked("item/commandExecution/requestApproval", outside, None).lines(SIZE, false);
        assert!(lines.iter().any(|line| line.starts_with("Where: OUTSIDE")), "{lines:#?}");
        assert!(lines.contains(&"Why:   the agent says: go".to_owned()), "{lines:#?}");
    }

    #[test]
    fn a_patch_fits_on_the_screen_until_all_of_it_is_wanted() {
        let change = json!({"path": "/home/me/a.txt", "kind": {"type": "add"}, "diff": "line\n".repeat(100)});
        let changes = vec![serde_json::from_value(change).unwrap()];
        let mut question = asked("item/fileChange/requestApproval", json!({}), Some(changes));
        let lines = question.lines(SIZE, false);
        assert!(lines.len() < SIZE.rows, "{lines:#?}");
        assert!(lines.iter().any(|line| line == "  … 86 more lines; type v to see all"), "{lines:#?}");
        assert!(matches!(question.reply("v"), Reply::ShowAll));
        assert_eq!(question.lines(SIZE, true).iter().filter(|line| line.contains("+line")).count(), 100);
        let mut unseen = asked("item/fileChange/requestApproval", json!({}), None);
        assert_eq!((answer(&mut unseen, "y"), answer(&mut unseen, "n")), (None, Some(json!("decline"))));
    }
}
