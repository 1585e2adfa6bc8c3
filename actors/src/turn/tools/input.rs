//! `write_stdin`: types into a command that runs, or waits for more of its output.

use std::rc::Rc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;

use super::consent::{Consent, Wanted};
use super::exec::{wait, watch};
use super::schema::parameters;
use super::{Answer, Tool, Toolbox, USUAL_BYTES, run};
use crate::approval::actions::command_actions;
use crate::approval::decide::Decision;
use crate::approval::shell::Script;
use crate::command::InputRefused;
use crate::protocol::server_request::CommandExecutionApprovalKind;
use crate::protocol::settings::SandboxPolicy;
use crate::turn::messages::TurnEvent;
use crate::turn::shell::{ShellHandle, Type};

pub(super) const TOOL: Tool = Tool {
    name: "write_stdin",
    about: "Types text into a command that runs on a terminal, or with empty text waits for more output of any command \
            that runs. Answers with the new output.",
    parameters: parameters::<WriteStdin>,
    most_bytes: USUAL_BYTES,
    run: |toolbox, call| run(toolbox, &call, write_stdin),
};

/// Shortest and longest wait after typing, and the wait without a wish.
const AFTER_TYPING: [Duration; 3] = [Duration::from_millis(250), Duration::from_secs(30), Duration::from_millis(250)];

/// The same for a wait without typing.
const WAITING: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(300), Duration::from_secs(5)];

#[derive(Deserialize, JsonSchema)]
struct WriteStdin {
    /// The session id that `exec_command` gave.
    session_id: f64,
    /// The text, with `\n` where Enter is to be pressed, or a control character such as `\u0003` for Ctrl-C.
    #[serde(default)]
    chars: String,
    /// Milliseconds to wait for output.
    #[serde(default)]
    yield_time_ms: Option<f64>,
    /// Tokens of output that you want to see at most.
    #[serde(default)]
    max_output_tokens: Option<f64>,
}

async fn write_stdin(toolbox: Rc<Toolbox>, _: String, wanted: WriteStdin) -> Answer {
    let begun = Instant::now();
    let WriteStdin { session_id, chars, yield_time_ms, max_output_tokens } = wanted;
    let Some(shell) = toolbox.shells.get(session_id as u32) else {
        return refused(format_args!("there is no session {session_id}; it may have ended"));
    };
    let waits = if chars.is_empty() { WAITING } else { AFTER_TYPING };
    if !chars.is_empty() {
        if let Err(answer) = may_type(&toolbox, &shell, &chars).await {
            return answer;
        }
        toolbox.changes.begin(&toolbox.stop).await;
        toolbox.changes.follow(&shell);
        if let Err(reason) = type_into(&shell, chars.clone()).await {
            return refused(reason);
        }
    }
    let (turn_id, item_id, number) = (shell.turn_id.clone(), shell.item_id.clone(), shell.number);
    let most_bytes = toolbox.output_bytes(max_output_tokens);
    let answer = watch(&toolbox, shell, begun, wait(yield_time_ms, waits), most_bytes).await;
    toolbox.report(vec![TurnEvent::Typed { turn_id, item_id, number, text: chars }]).await;
    answer
}

/// What is typed is a command like any other, but one that is never known to be harmless: the program that reads it decides
/// what the words mean.
async fn may_type(toolbox: &Toolbox, shell: &ShellHandle, chars: &str) -> Result<(), Answer> {
    let script = Script::of_text("bash", chars);
    let wanted = Wanted {
        kind: CommandExecutionApprovalKind::WriteStdin,
        actions: command_actions(&script, chars),
        script,
        // Allowing it for the session means this session of this command.
        argv: [&shell.command, &shell.number.to_string(), chars].map(str::to_owned).to_vec(),
        command: chars.to_owned(),
        cwd: shell.cwd.clone(),
        is_real: false,
        tty: true,
        escalated: may_do_more(toolbox, shell),
        justification: Some(format!("typed into: {}", shell.command)),
        prefix: None,
    };
    match toolbox.judge(&wanted).await.0 {
        Decision::Run { .. } => Ok(()),
        Decision::Refuse(reason) => Err(Answer::Text(reason)),
        Decision::Ask { reason, .. } => match toolbox.consent(&shell.item_id, reason, &wanted).await {
            Consent::Given => Ok(()),
            Consent::Withheld(reason) => Err(reason.answer("rejected by user")),
        },
    }
}

/// Whether the session was started under rules that a new command of this thread would not have: its sandbox was given up
/// for it, or the thread's has been tightened since.
fn may_do_more(toolbox: &Toolbox, shell: &ShellHandle) -> bool {
    let (now, workspace) = toolbox.rules_for(true, false);
    let is_same = shell.rules.sandbox == now.sandbox && shell.workspace == workspace;
    let reads_only = matches!(shell.rules.sandbox, SandboxPolicy::ReadOnly { network_access: false });
    toolbox.rules.commands.is_confined() && !is_same && !reads_only
}

async fn type_into(shell: &ShellHandle, text: String) -> Result<(), &'static str> {
    match shell.shell.send(Type { text }).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(InputRefused::Full)) => Err("the command has not read what was typed before; wait with empty text"),
        _ => Err("it takes no input; start the command again with tty: true to type into it"),
    }
}

fn refused(reason: impl std::fmt::Display) -> Answer {
    Answer::Text(format!("write_stdin failed: {reason}"))
}
