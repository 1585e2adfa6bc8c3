//! `apply_patch`: changes files.
//!
//! A patch is planned as a whole before anybody is asked: what people see is what is written, or nothing is. The writing is
//! done by a program of its own, so that the kernel holds it to what the thread's commands may touch.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use actix_rt::task::spawn_blocking;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;

use super::consent::{Consent, Withheld};
use super::schema::parameters;
use super::{Answer, LONG_BYTES, Tool, Toolbox, run};
use crate::approval::decide::{Case, Decision, Request, Sandbox, decide};
use crate::command::{Rules, Run};
use crate::patch::{Bounds, Planned, parse, plan};
use crate::protocol::item::{FileChange, FileUpdateChange, ItemKind, PatchApplyStatus};
use crate::protocol::server_request::{
    FILE_CHANGE_APPROVAL, FileChangeApprovalDecision as Word, FileChangeRequestApprovalParams,
};
use crate::turn::changes::SHOWN_BYTES;
use crate::turn::messages::{AskPurpose, TurnEvent};
use crate::turn::program::{Collected, collect};

pub(super) const TOOL: Tool = Tool {
    name: "apply_patch",
    about: "Changes files: applies a patch as a whole, or not at all.",
    parameters: parameters::<ApplyPatch>,
    most_bytes: LONG_BYTES,
    run: |toolbox, call| run(toolbox, &call, apply_patch),
};

/// How long the writing may take.
const TIME_LIMIT: Duration = Duration::from_secs(60);

#[derive(Deserialize, JsonSchema)]
struct ApplyPatch {
    /// The patch, from `*** Begin Patch` to `*** End Patch`.
    #[serde(alias = "input")]
    patch: String,
}

/// A patch that fits.
struct Fitting {
    planned: Planned,
    changes: Vec<FileUpdateChange>,
    /// The paths of all files, for what is remembered of them.
    files: Vec<String>,
    request: Request,
}

async fn apply_patch(toolbox: Rc<Toolbox>, call_id: String, ApplyPatch { patch }: ApplyPatch) -> Answer {
    let fitting = match toolbox.fit(patch).await {
        Ok(fitting) => fitting,
        Err(reason) => return Answer::Text(format!("apply_patch verification failed: {reason}")),
    };
    let decision = decide(&Case {
        policy: toolbox.rules.approval,
        sandbox: Sandbox::from(&toolbox.rules_for_patches().0.sandbox),
        confinable: toolbox.setup.runner.can_confine().await,
        request: fitting.request.clone(),
        allowed: toolbox.remembered().files(fitting.files.iter().map(String::as_str)),
    });
    let (question, confined) = match decision {
        Decision::Refuse(reason) => return Answer::Text(reason),
        Decision::Run { confined } => (None, confined),
        Decision::Ask { confined_if_accepted, reason } => (Some(reason), confined_if_accepted),
    };
    let kind = |status| ItemKind::FileChange(FileChange { changes: fitting.changes.clone(), status });
    let mut item = toolbox.item(call_id, kind(PatchApplyStatus::InProgress));
    toolbox.report(vec![TurnEvent::ItemStarted(item.clone())]).await;
    if let Some(reason) = question
        && let Consent::Withheld(reason) = toolbox.consent_to_patch(&item.id, reason, &fitting.files).await
    {
        item.kind = kind(match reason {
            Withheld::Unanswered => PatchApplyStatus::Failed,
            _ => PatchApplyStatus::Declined,
        });
        return toolbox.withhold(item, reason, "patch rejected by user").await;
    }
    toolbox.changes.begin(&toolbox.stop).await;
    let begun = Instant::now();
    let written = toolbox.write(&fitting.planned, confined).await;
    item.completed_at_ms = Some(toolbox.setup.clock.unix_ms());
    item.kind = kind(if written.is_ok() { PatchApplyStatus::Completed } else { PatchApplyStatus::Failed });
    toolbox.report(vec![TurnEvent::ItemCompleted { item, history: Vec::new() }]).await;
    if written.is_ok() {
        toolbox.changes.patched(&fitting.planned);
    }
    let seconds = begun.elapsed().as_secs_f64();
    Answer::Text(match written {
        Ok(()) => format!("Exit code: 0\nWall time: {seconds:.1} seconds\nOutput:\n{}", fitting.planned.summary()),
        Err(reason) => format!("Exit code: 1\nWall time: {seconds:.1} seconds\nOutput:\n{reason}\n"),
    })
}

impl Toolbox {
    /// Plans a patch.
    ///
    /// # Errors
    /// It does not fit; in words for the model.
    async fn fit(&self, patch: String) -> Result<Fitting, String> {
        let cwd = self.rules.cwd.clone();
        let (rules, workspace) = self.rules_for_patches();
        let roots = self.setup.runner.writable(&rules, &workspace);
        let planned = spawn_blocking(move || {
            let (bounds, roots) = (Bounds::default(), named_and_real(roots));
            let planned = parse(&patch, &bounds)
                .and_then(|patch| plan(&patch, &cwd, &bounds))
                .map_err(|error| error.to_string())?;
            let (targets, changes) = (planned.targets(), planned.file_changes());
            if changes.iter().map(|change| change.diff.len()).sum::<usize>() > SHOWN_BYTES {
                return Err(format!("the changes are longer than {SHOWN_BYTES} bytes together; apply them in parts"));
            }
            Ok(Fitting {
                changes,
                files: targets.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
                request: Request::Patch {
                    inside_roots: are_inside(&targets, &roots),
                    protected: targets.iter().any(|target| is_protected(target, &roots)),
                    replaces_existing: planned.changes.iter().any(|change| change.replaces_existing()),
                },
                planned,
            })
        });
        planned.await.unwrap_or_else(|_| Err("the server failed while it read the files".to_owned()))
    }

    /// Where patches may write without a question: the thread's rules, and what a person has granted beyond them.
    fn rules_for_patches(&self) -> (Rules, PathBuf) {
        let rules = self.rules.commands.clone();
        let (sandbox, workspace) = self.grants().widen(rules.sandbox, self.rules.cwd.clone());
        (Rules { sandbox, ..rules }, workspace)
    }

    /// Asks whether a patch may be applied.
    async fn consent_to_patch(&self, item_id: &str, reason: Option<String>, files: &[String]) -> Consent {
        let params = FileChangeRequestApprovalParams {
            thread_id: self.thread_id,
            turn_id: self.turn_id.to_string(),
            item_id: item_id.to_owned(),
            started_at_ms: self.setup.clock.unix_ms(),
            reason,
            grant_root: Default::default(),
        };
        match self.ask(AskPurpose::Approval, &FILE_CHANGE_APPROVAL, params).await.map(|answer| answer.decision) {
            Ok(Word::Accept) => Consent::Given,
            Ok(Word::AcceptForSession) => {
                self.remembered().allow_files(files.iter().map(String::as_str));
                Consent::Given
            }
            Ok(Word::Decline) => Consent::Withheld(Withheld::Declined),
            Ok(Word::Cancel) => Consent::Withheld(Withheld::Cancelled),
            Err(unheard) => Consent::Withheld(unheard.into()),
        }
    }

    /// Lets the program for it write what was planned.
    async fn write(&self, planned: &Planned, confined: bool) -> Result<(), String> {
        let argv = self.setup.runner.patcher().map_err(|error| error.to_string())?;
        let stdin = serde_json::to_vec(planned).map_err(|error| error.to_string())?;
        let (rules, workspace) = self.rules_for(confined, true);
        let run = Run {
            argv,
            cwd: self.rules.cwd.clone(),
            cwd_is_real: false,
            workspace,
            rules,
            environment: None,
            with_programs: false,
            timeout: Some(TIME_LIMIT),
        };
        let collected = collect(&self.setup.runner, run, stdin).await.map_err(|error| error.to_string())?;
        let Collected { exit, stderr } = collected;
        match exit {
            Ok(exit) if exit.code == 0 => Ok(()),
            Ok(exit) if stderr.is_empty() => Err(format!("writing the files ended with code {}", exit.code)),
            Ok(_) => Err(String::from_utf8_lossy(&stderr).trim_end().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The roots by their names, and where they are in truth.
pub(super) fn named_and_real(roots: Vec<PathBuf>) -> Vec<PathBuf> {
    let real: Vec<_> = roots.iter().filter_map(|root| root.canonicalize().ok()).collect();
    roots.into_iter().chain(real).collect()
}

/// Whether each file lies below a root, by its name as well as in truth.
fn are_inside(targets: &[PathBuf], roots: &[PathBuf]) -> bool {
    targets.iter().all(|target| roots.iter().any(|root| target.starts_with(root)))
}

/// Whether the file is one by which tools are told what to do: who can write it can run commands.
pub(super) fn is_protected(path: &Path, roots: &[PathBuf]) -> bool {
    // A workspace may itself lie in such a directory.
    let below = roots.iter().filter_map(|root| path.strip_prefix(root).ok());
    let below = below.min_by_key(|rest| rest.as_os_str().len()).unwrap_or(path);
    below.iter().any(|part| command_launcher::PROTECTED.iter().any(|name| part.eq_ignore_ascii_case(name)))
}
