//! Whether a command runs, and under which rules: the thread's policy decides, or a person.

use std::path::PathBuf;
use std::sync::{MutexGuard, PoisonError};

use super::outcome::Answer;
use super::toolbox::{Toolbox, Unheard};
use crate::approval::amendment::proposed;
use crate::approval::decide::{Allowed, Case, Decision, Request, Sandbox, decide};
use crate::approval::destructive::destructive;
use crate::approval::grants::Grants;
use crate::approval::harmless::harmless;
use crate::approval::remembered::{Identity, Remembered};
use crate::approval::shell::Script;
use crate::command::Rules;
use crate::protocol::item::{CommandAction, Item};
use crate::protocol::server_request::{
    COMMAND_APPROVAL, CommandExecutionApprovalDecision as Word, CommandExecutionApprovalKind,
    CommandExecutionRequestApprovalParams,
};
use crate::protocol::settings::SandboxPolicy;
use crate::turn::messages::{AskPurpose, TurnEvent};

/// A command that the model wants run.
pub(super) struct Wanted {
    pub(super) kind: CommandExecutionApprovalKind,
    pub(super) argv: Vec<String>,
    pub(super) script: Script,
    /// The whole command, quoted for a shell.
    pub(super) command: String,
    pub(super) cwd: PathBuf,
    /// The working directory is a path without links, and is to stay that.
    pub(super) is_real: bool,
    pub(super) tty: bool,
    /// The model wants it run outside of the sandbox.
    pub(super) escalated: bool,
    /// Why, in its own words.
    pub(super) justification: Option<String>,
    /// What the model proposes to allow from now on.
    pub(super) prefix: Option<Vec<String>>,
    pub(super) actions: Vec<CommandAction>,
}

/// What somebody who was asked wants.
pub(super) enum Consent {
    /// It is done.
    Given,
    /// It is not done, for this reason.
    Withheld(Withheld),
}

/// Why something is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Withheld {
    /// A person does not want it.
    Declined,
    /// A person wants the turn to end.
    Cancelled,
    /// Nobody gave a usable answer.
    Unanswered,
    /// The turn was interrupted meanwhile.
    Stopped,
}

impl Withheld {
    /// What the model is told; `declined` are the words for it where a person said no.
    pub(super) fn answer(self, declined: &str) -> Answer {
        match self {
            Self::Declined => Answer::Text(declined.to_owned()),
            Self::Cancelled => Answer::EndTurn(declined.to_owned()),
            Self::Unanswered => Answer::Text("approval request failed".to_owned()),
            Self::Stopped => Answer::Text("aborted by user".to_owned()),
        }
    }
}

impl From<Unheard> for Withheld {
    fn from(unheard: Unheard) -> Self {
        match unheard {
            Unheard::Stopped => Self::Stopped,
            Unheard::Refused => Self::Unanswered,
            Unheard::TimeIsOver => Self::Declined,
        }
    }
}

impl Toolbox {
    /// What the thread's policy says of a command, and whether a person has allowed it before.
    pub(super) async fn judge(&self, wanted: &Wanted) -> (Decision, bool) {
        let cwd = wanted.cwd.to_string_lossy();
        let allowed = self.remembered().command(wanted.identity(&cwd), &wanted.script);
        let case = Case {
            policy: self.rules.approval,
            sandbox: Sandbox::from(&self.rules.commands.sandbox),
            confinable: self.setup.runner.can_confine().await,
            request: Request::Command {
                harmless: !wanted.is_typed() && harmless(&wanted.script),
                destructive: destructive(&wanted.script),
                wants_escalation: wanted.escalated,
                justification: wanted.justification.clone(),
            },
            allowed: if wanted.is_typed() && allowed == Allowed::Prefix { Allowed::No } else { allowed },
        };
        (decide(&case), case.allowed != Allowed::No)
    }

    /// Asks whether a command may run.
    pub(super) async fn consent(&self, item_id: &str, reason: Option<String>, wanted: &Wanted) -> Consent {
        let cwd = wanted.cwd.to_string_lossy();
        let prefix = proposed(&wanted.script, wanted.prefix.as_deref()).filter(|_| !wanted.is_typed());
        let amendment =
            |words: &Vec<String>| Word::AcceptWithExecpolicyAmendment { execpolicy_amendment: words.clone() };
        let decisions = [Some(Word::Accept), Some(Word::AcceptForSession), prefix.as_ref().map(amendment)]
            .into_iter()
            .flatten()
            .chain([Word::Decline, Word::Cancel]);
        let params = CommandExecutionRequestApprovalParams {
            kind: wanted.kind,
            thread_id: self.thread_id,
            turn_id: self.turn_id.to_string(),
            item_id: item_id.to_owned(),
            started_at_ms: self.setup.clock.unix_ms(),
            approval_id: None,
            environment_id: Some("local".to_owned()),
            reason,
            command: Some(wanted.command.clone()),
            cwd: Some(cwd.clone().into_owned()),
            command_actions: Some(wanted.actions.clone()),
            additional_permissions: None,
            proposed_execpolicy_amendment: prefix.clone(),
            available_decisions: Some(decisions.collect()),
        };
        let answer = match self.ask(AskPurpose::Approval, &COMMAND_APPROVAL, params).await {
            Ok(answer) => answer.decision,
            Err(unheard) => return Consent::Withheld(unheard.into()),
        };
        match answer {
            Word::Accept => Consent::Given,
            Word::AcceptForSession => {
                self.remembered().allow_command(wanted.identity(&cwd));
                Consent::Given
            }
            Word::AcceptWithExecpolicyAmendment { execpolicy_amendment: words } => {
                // Only what was proposed counts: who allows this command does not allow whatever else the answer names.
                if prefix.as_ref() == Some(&words) {
                    self.remembered().allow_prefix(&words, wanted.escalated);
                } else {
                    log::warn!("a client allowed a prefix that was not proposed; the command runs this once");
                }
                Consent::Given
            }
            Word::Cancel => Consent::Withheld(Withheld::Cancelled),
            Word::Decline | Word::ApplyNetworkPolicyAmendment { .. } => Consent::Withheld(Withheld::Declined),
        }
    }

    /// What was not allowed is over: completes its item, and tells the model. `declined` are the words for it where a
    /// person said no.
    pub(super) async fn withhold(&self, item: Item, reason: Withheld, declined: &str) -> Answer {
        let item = Item { completed_at_ms: Some(self.setup.clock.unix_ms()), ..item };
        self.report(vec![TurnEvent::ItemCompleted { item, history: Vec::new() }]).await;
        reason.answer(declined)
    }

    /// What a person has allowed in this thread.
    pub(super) fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.allowed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rules for a command or a patch that may be done, and the workspace that they speak of. `allowed` says that a
    /// person has allowed it.
    pub(super) fn rules_for(&self, confined: bool, allowed: bool) -> (Rules, PathBuf) {
        let rules = self.rules.commands.clone();
        let sandbox = match (confined, rules.sandbox) {
            (false, _) => SandboxPolicy::DangerFullAccess,
            // Known to be harmless, so it needs no more.
            (true, SandboxPolicy::DangerFullAccess | SandboxPolicy::ExternalSandbox { .. }) => {
                SandboxPolicy::ReadOnly { network_access: false }
            }
            (true, SandboxPolicy::ReadOnly { network_access }) if allowed => SandboxPolicy::WorkspaceWrite {
                writable_roots: Vec::new(),
                network_access,
                exclude_tmpdir_env_var: false,
                exclude_slash_tmp: false,
            },
            (true, sandbox) => sandbox,
        };
        let (sandbox, workspace) = self.grants().widen(sandbox, self.rules.cwd.clone());
        (Rules { sandbox, ..rules }, workspace)
    }

    /// What a person has granted beyond the sandbox, for this turn or for the thread.
    pub(super) fn grants(&self) -> Grants {
        let mut grants = self.remembered().grants.clone();
        grants.add(&self.granted.borrow());
        grants
    }
}

impl Wanted {
    /// Whether it is typed into a program, which need not be a shell.
    fn is_typed(&self) -> bool {
        self.kind == CommandExecutionApprovalKind::WriteStdin
    }

    fn identity<'a>(&'a self, cwd: &'a str) -> Identity<'a> {
        Identity { argv: &self.argv, cwd, tty: self.tty, wants_escalation: self.escalated }
    }
}
