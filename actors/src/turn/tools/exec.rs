//! `exec_command`: runs a shell command.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use actix_rt::task::spawn_blocking;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;

use super::consent::{Consent, Wanted, Withheld};
use super::schema::parameters;
use super::{Answer, Tool, Toolbox, USUAL_BYTES, run};
use crate::approval::actions::command_actions;
use crate::approval::decide::Decision;
use crate::approval::harmless::harmless;
use crate::approval::shell::Script;
use crate::command::Run;
use crate::protocol::item::{CommandExecution, CommandExecutionSource, CommandExecutionStatus, ItemKind};
use crate::protocol::quoted::beginning;
use crate::protocol::server_request::CommandExecutionApprovalKind;
use crate::turn::messages::TurnEvent;
use crate::turn::shell::{End, Look, Seen, ShellHandle};

pub(super) const TOOL: Tool = Tool {
    name: "exec_command",
    about: "Runs a shell command. Answers with its output when it ends, or after a while with a session id and the output \
            so far.",
    parameters: parameters::<ExecCommand>,
    most_bytes: USUAL_BYTES,
    run: |toolbox, call| run(toolbox, &call, exec_command),
};

/// Shortest and longest wait for a command, and the wait without a wish.
const WAITS: [Duration; 3] = [Duration::from_millis(250), Duration::from_secs(30), Duration::from_secs(10)];

#[derive(Deserialize, JsonSchema)]
struct ExecCommand {
    /// The command, as typed into a shell.
    cmd: String,
    /// Where it runs: absolute, or relative to the working directory, which is the default.
    #[serde(default)]
    workdir: Option<String>,
    /// The shell; bash unless you say otherwise.
    #[serde(default)]
    shell: Option<String>,
    /// Whether the shell reads the person's profile first; true unless you say otherwise.
    #[serde(default)]
    login: Option<bool>,
    /// On a terminal, so that you can type into it with `write_stdin`. Otherwise it reads nothing.
    #[serde(default)]
    tty: Option<bool>,
    /// Milliseconds to wait for its end before you get the output so far.
    #[serde(default)]
    yield_time_ms: Option<f64>,
    /// Tokens of output that you want to see at most.
    #[serde(default)]
    max_output_tokens: Option<f64>,
    /// `require_escalated` asks the person to run it outside of the sandbox.
    #[serde(default)]
    sandbox_permissions: Option<Permissions>,
    /// Why it must run outside of the sandbox: one short question to the person.
    #[serde(default)]
    justification: Option<String>,
    /// The first words of the command, if the person may as well allow all commands that begin so.
    #[serde(default)]
    prefix_rule: Option<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Permissions {
    UseDefault,
    RequireEscalated,
}

async fn exec_command(toolbox: Rc<Toolbox>, call_id: String, arguments: ExecCommand) -> Answer {
    let most_wait = wait(arguments.yield_time_ms, WAITS);
    let most_bytes = toolbox.output_bytes(arguments.max_output_tokens);
    let wanted = match real_folder(&toolbox, arguments.workdir.as_deref()).await {
        Ok(cwd) => arguments.wanted(&toolbox, cwd),
        Err(reason) => return Answer::Text(format!("exec_command failed: {reason}")),
    };
    let (decision, allowed_before) = toolbox.judge(&wanted).await;
    let (question, confined, allowed) = match decision {
        Decision::Refuse(reason) => return Answer::Text(reason),
        Decision::Run { confined } => (None, confined, allowed_before),
        Decision::Ask { confined_if_accepted, reason } => (Some(reason), confined_if_accepted, true),
    };
    let place = match toolbox.shells.reserve(toolbox.setup.limits.running_commands) {
        Ok(place) => place,
        Err(error) => return Answer::Text(format!("exec_command failed: {error}")),
    };
    let item = |call_id, kind| toolbox.item(call_id, ItemKind::CommandExecution(kind));
    let waits = question.is_some();
    let mut item = item(call_id, if waits { wanted.execution() } else { wanted.running(place.number) });
    toolbox.report(vec![TurnEvent::ItemStarted(item.clone())]).await;
    if let Some(reason) = question {
        let consent = toolbox.consent(&item.id, reason, &wanted).await;
        item.kind = ItemKind::CommandExecution(match consent {
            Consent::Given => wanted.running(place.number),
            Consent::Withheld(reason) => CommandExecution { status: reason.status(), ..wanted.execution() },
        });
        if let Consent::Withheld(reason) = consent {
            return toolbox.withhold(item, reason, "rejected by user").await;
        }
    }
    let (command, reads_only) = (wanted.command.clone(), harmless(&wanted.script));
    let (rules, workspace) = toolbox.rules_for(confined, allowed);
    let run = Run {
        argv: wanted.argv.into_iter().map(Into::into).collect(),
        cwd: wanted.cwd,
        cwd_is_real: wanted.is_real,
        workspace,
        rules,
        environment: Some(toolbox.environment_of_agent()),
        with_programs: true,
        timeout: None,
    };
    let shell = toolbox.start_shell(place, item, run, reads_only, wanted.tty, command).await;
    // Not the time in which a person thought about it.
    watch(&toolbox, shell, Instant::now(), most_wait, most_bytes).await
}

/// The folder that the model names, without links: what a person is asked about is where the command runs, whatever is put
/// in its place meanwhile.
///
/// # Errors
/// There is none; in words for the model.
async fn real_folder(toolbox: &Toolbox, named: Option<&str>) -> Result<Option<PathBuf>, String> {
    let Some(named) = named else { return Ok(None) };
    let path = toolbox.path(named);
    let found = spawn_blocking(move || path.canonicalize()).await;
    let failed = |error: String| format!("the working directory {} cannot be used: {error}", beginning(named));
    found.map_err(|_| failed("the server failed".to_owned()))?.map(Some).map_err(|error| failed(error.to_string()))
}

impl ExecCommand {
    fn wanted(self, toolbox: &Toolbox, cwd: Option<PathBuf>) -> Wanted {
        let flag = if self.login.unwrap_or(true) { "-lc" } else { "-c" };
        let shell = self.shell.unwrap_or_else(|| toolbox.setup.shell.clone());
        let script = Script::of_text(&shell, &self.cmd);
        let actions = command_actions(&script, &self.cmd);
        let argv = vec![shell, flag.to_owned(), self.cmd];
        Wanted {
            kind: CommandExecutionApprovalKind::Command,
            script,
            command: shlex::try_join(argv.iter().map(String::as_str)).unwrap_or_else(|_| argv.join(" ")),
            argv,
            is_real: cwd.is_some(),
            cwd: cwd.unwrap_or_else(|| toolbox.rules.cwd.clone()),
            tty: self.tty.unwrap_or_default(),
            escalated: self.sandbox_permissions == Some(Permissions::RequireEscalated),
            justification: self.justification.filter(|text| !text.trim().is_empty()),
            prefix: self.prefix_rule,
            actions,
        }
    }
}

impl Wanted {
    /// The item of a command that waits for consent.
    fn execution(&self) -> CommandExecution {
        CommandExecution {
            plugin_id: Default::default(),
            script_path: Default::default(),
            command: self.command.clone(),
            cwd: self.cwd.to_string_lossy().into_owned(),
            process_id: None,
            source: CommandExecutionSource::Agent,
            status: CommandExecutionStatus::InProgress,
            command_actions: self.actions.clone(),
            aggregated_output: None,
            exit_code: None,
            duration_ms: None,
        }
    }

    /// The item of the command with this number.
    fn running(&self, number: u32) -> CommandExecution {
        let source = CommandExecutionSource::UnifiedExecStartup;
        CommandExecution { process_id: Some(number.to_string()), source, ..self.execution() }
    }
}

impl Withheld {
    fn status(self) -> CommandExecutionStatus {
        match self {
            Self::Unanswered => CommandExecutionStatus::Failed,
            Self::Declined | Self::Cancelled | Self::Stopped => CommandExecutionStatus::Declined,
        }
    }
}

/// The wait that the model wants, within its bounds.
pub(super) fn wait(wanted_ms: Option<f64>, [shortest, longest, usual]: [Duration; 3]) -> Duration {
    let wanted = wanted_ms.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok());
    wanted.unwrap_or(usual).clamp(shortest, longest)
}

/// Waits for the end of a command, but not longer than `most`, and tells the model what it has not seen.
pub(super) async fn watch(
    toolbox: &Toolbox,
    shell: ShellHandle,
    begun: Instant,
    most: Duration,
    most_bytes: usize,
) -> Answer {
    tokio::select! {
        () = shell.ended.cancelled() => {}
        // It goes on, and may have changed files.
        () = tokio::time::sleep(most) => toolbox.changes.look(),
        () = toolbox.stop.cancelled() => {
            toolbox.shells.end(|other| other.number == shell.number).await;
            toolbox.shells.forget(shell.number);
            return Answer::Text(format!("Wall time: {}\naborted by user", seconds(begun)));
        }
    }
    let Ok(seen) = shell.shell.send(Look { most_bytes }).await else {
        return Answer::Text("exec_command failed: the server lost track of the command".to_owned());
    };
    if seen.end.is_some() {
        toolbox.shells.forget(shell.number);
    }
    Answer::Text(told(&seen, shell.number, begun))
}

/// What the model is told of a command.
fn told(Seen { output, bytes, lines_of_shortened, end }: &Seen, number: u32, begun: Instant) -> String {
    let state = match end {
        Some(End::NotStarted(reason)) => return format!("exec_command failed: {reason}"),
        Some(End::Exited(code)) => format!("Process exited with code {code}"),
        None => format!("Process running with session ID {number}"),
    };
    let tokens = bytes.div_ceil(4);
    let mut text = format!("Wall time: {}\n{state}\nOriginal token count: {tokens}\nOutput:\n", seconds(begun));
    if let Some(lines) = lines_of_shortened {
        text.push_str(&format!(
            "Warning: the output was shortened; it has {tokens} tokens\nTotal output lines: {lines}\n\n"
        ));
    }
    text + output
}

fn seconds(since: Instant) -> String {
    format!("{:.4} seconds", since.elapsed().as_secs_f64())
}
