//! The program that tells what has changed in a work tree; see [`crate::work_tree`].

use std::path::PathBuf;
use std::time::Duration;

use crate::command::{NotRun, Rules, Run, Runner};
use crate::protocol::settings::SandboxPolicy;
use crate::turn::dialogue::{Dialogue, HasEnded};
use crate::work_tree::{Answer, LOOK};

/// Bytes of the line before an answer at most.
const LINE_BYTES: usize = 64;

/// A program that has the base of a work tree. It is ended when this is dropped.
pub(super) struct Observer(Dialogue);

/// Why it does not help.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoHelp {
    #[error(transparent)]
    NotRun(#[from] NotRun),
    #[error(transparent)]
    HasEnded(#[from] HasEnded),
    #[error("{0}")]
    Failed(String),
    #[error("it takes longer than {0:?}")]
    TooLate(Duration),
    #[error("its answer cannot be understood")]
    Nonsense,
}

impl Observer {
    /// Starts it in the work tree at `root`, where it may read as commands with these rules may, and write nothing. Returns
    /// when it has the base.
    ///
    /// # Errors
    /// Git does not help there.
    pub(super) async fn start(runner: &Runner, rules: &Rules, root: PathBuf) -> Result<Self, NoHelp> {
        let run = Run {
            argv: runner.observer()?,
            cwd: root.clone(),
            cwd_is_real: false,
            workspace: root,
            rules: Rules { sandbox: SandboxPolicy::ReadOnly { network_access: false }, ..rules.clone() },
            environment: None,
            with_programs: false,
            timeout: None,
        };
        let mut observer = Self(Dialogue::start(runner, run)?);
        match observer.answer().await? {
            Answer::Ready => Ok(observer),
            other => Err(unexpected(other)),
        }
    }

    /// What has changed since the base; `None` if that is too large to be shown.
    ///
    /// # Errors
    /// Git does not help any more.
    pub(super) async fn look(&mut self) -> Result<Option<String>, NoHelp> {
        self.0.say(LOOK).await?;
        match self.answer().await? {
            Answer::Diff(diff) => Ok(Some(diff)),
            Answer::TooLarge => Ok(None),
            other => Err(unexpected(other)),
        }
    }

    async fn answer(&mut self) -> Result<Answer, NoHelp> {
        let line = self.0.line(LINE_BYTES).await?.ok_or(NoHelp::Nonsense)?;
        let bytes = Answer::bytes_behind(&line).ok_or(NoHelp::Nonsense)?;
        let bytes = self.0.bytes(bytes).await?;
        Answer::read(&line, &bytes).ok_or(NoHelp::Nonsense)
    }
}

fn unexpected(answer: Answer) -> NoHelp {
    match answer {
        Answer::Failed(reason) => NoHelp::Failed(reason),
        _ => NoHelp::Nonsense,
    }
}
