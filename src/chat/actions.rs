//! What the agent does, in lines for people.

use app_server_actors::protocol::{
    item::{CommandExecution, CommandExecutionStatus, FileChange, McpToolCall, PatchApplyStatus, PatchChangeKind},
    notification::TurnPlanUpdated,
    turn::TurnPlanStepStatus,
};

/// The script in a command that is quoted for a shell, and the shell with its flag; the whole command if it is no script.
pub fn script_of(command: &str) -> (Option<String>, String) {
    match shlex::split(command).as_deref() {
        Some([shell, flag, script]) if matches!(flag.as_str(), "-c" | "-lc") => {
            (Some(format!("{shell} {flag}")), script.clone())
        }
        _ => (None, command.to_owned()),
    }
}

/// A command that starts.
pub fn started(command: &CommandExecution) -> String {
    format!("$ {}", script_of(&command.command).1.trim_end().replace('\n', "\n  "))
}

/// How a command has ended; `None` if there is nothing to say.
pub fn ended(command: &CommandExecution) -> Option<String> {
    match (command.status, command.exit_code) {
        (CommandExecutionStatus::Declined, _) => Some("not run".to_owned()),
        (_, Some(code)) if code != 0 => Some(format!("exit code {code}")),
        (CommandExecutionStatus::Failed, None) => Some("failed".to_owned()),
        _ => None,
    }
}

/// A tool of an MCP server that is called.
pub fn called(call: &McpToolCall) -> String {
    format!("{}: {}", call.server, call.tool)
}

/// Why a tool gave nothing back; `None` if it did.
pub fn not_called(call: &McpToolCall) -> Option<String> {
    call.error.as_ref().map(|error| error.message.clone())
}

/// What a patch has done, with paths relative to `cwd`.
pub fn patched(patch: &FileChange, cwd: &str) -> Vec<String> {
    let short = |path: &str| match path.strip_prefix(cwd).and_then(|rest| rest.strip_prefix('/')) {
        Some(rest) => rest.to_owned(),
        None => path.to_owned(),
    };
    let line = |word: &str, path: &str| format!("{word} {}", short(path));
    patch
        .changes
        .iter()
        .filter_map(|change| match (patch.status, &change.kind) {
            (PatchApplyStatus::InProgress, _) => None,
            (PatchApplyStatus::Failed | PatchApplyStatus::Declined, _) => Some(line("not changed:", &change.path)),
            (PatchApplyStatus::Completed, PatchChangeKind::Add) => Some(line("added", &change.path)),
            (PatchApplyStatus::Completed, PatchChangeKind::Delete) => Some(line("deleted", &change.path)),
            (PatchApplyStatus::Completed, PatchChangeKind::Update { move_path: None }) => {
                Some(line("changed", &change.path))
            }
            (PatchApplyStatus::Completed, PatchChangeKind::Update { move_path: Some(to) }) => {
                Some(format!("{} to {}", line("moved", &change.path), short(to)))
            }
        })
        .collect()
}

/// A plan.
pub fn plan(updated: &TurnPlanUpdated) -> Vec<String> {
    let explanation = updated.explanation.as_deref().filter(|text| !text.trim().is_empty());
    let title = explanation.map_or_else(|| "Plan:".to_owned(), |text| format!("Plan: {text}"));
    let steps = updated.plan.iter().map(|step| {
        let mark = match step.status {
            TurnPlanStepStatus::Pending => "[ ]",
            TurnPlanStepStatus::InProgress => "[>]",
            TurnPlanStepStatus::Completed => "[x]",
        };
        format!("  {mark} {}", step.step)
    });
    std::iter::once(title).chain(steps).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_shown_as_it_was_written() {
        assert_eq!(script_of("/bin/bash -lc 'echo hi'"), (Some("/bin/bash -lc".to_owned()), "echo hi".to_owned()));
        for other in ["ls -l", "/bin/bash -lc 'a' b", "env -i '", "python3 -m x"] {
            assert_eq!(script_of(other), (None, other.to_owned()));
        }
    }
}
