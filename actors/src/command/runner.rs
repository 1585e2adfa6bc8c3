//! The one way to run a command: for `command/exec`, and for the tools of turns.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use command_launcher::{Bounds, Launcher};
use tokio::sync::{OnceCell, oneshot};
use tokio::time::timeout;

use super::Command;
use super::confinement::Surroundings;
use super::environment::{EnvironmentPolicy, add_programs, inherited_environment};
use super::messages::{CommandId, Job, LaunchError, Listener, Streams};
use super::process::probe;
use crate::host::Host;
use crate::limits::Limits;
use crate::mailbox::start;
use crate::protocol::thread::SandboxPolicy;

/// How long the test of the sandbox may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the process around the actors knows about commands.
#[derive(Clone, Debug, Default)]
pub struct CommandSetup {
    /// What starts commands; without it none can be run.
    pub launcher: Option<Launcher>,
    /// The words that start the program which writes a planned patch; without it no patch can be applied.
    pub patcher: Vec<OsString>,
    /// The words that start the program which tells what has changed in its working directory; without it nobody tells.
    pub observer: Vec<OsString>,
    /// A folder with programs of this server for commands of its agents, which find them without a path.
    pub programs: Option<PathBuf>,
    /// Sockets that lead to this server, and files with tokens: confined commands do not see them.
    pub hidden: Vec<PathBuf>,
    /// The URL at which this server takes orders from everybody who can reach it.
    pub open_door: Option<String>,
    /// The soft limit of open files that this process was started with.
    pub open_files: Option<u64>,
}

/// How commands are run on this machine. Clones are cheap.
#[derive(Clone)]
pub struct Runner {
    limits: Arc<Limits>,
    setup: CommandSetup,
    surroundings: Arc<Surroundings>,
    /// What commands inherit before the user's policy.
    inherited: Arc<[(OsString, OsString)]>,
    can_confine: Arc<OnceCell<bool>>,
}

/// A command, as whoever wants it run describes it.
#[derive(Clone, Debug)]
pub struct Run {
    /// The program and its arguments; never empty.
    pub argv: Vec<OsString>,
    /// The working directory; absolute.
    pub cwd: PathBuf,
    /// The working directory is a path without links. If it leads elsewhere when the command starts, nothing runs.
    pub cwd_is_real: bool,
    /// What the sandbox policy calls the workspace: it does not follow the working directory where a model chooses that.
    pub workspace: PathBuf,
    /// Under which rules.
    pub rules: Rules,
    /// What is different in its environment; null takes a variable away.
    pub environment: Option<BTreeMap<String, Option<String>>>,
    /// Whether it finds the programs of this server for its agents.
    pub with_programs: bool,
    /// How long it may run; `None` is for ever.
    pub timeout: Option<Duration>,
}

/// The rules for the commands of a thread.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// What they may touch.
    pub sandbox: SandboxPolicy,
    /// What they inherit.
    pub environment: EnvironmentPolicy,
    /// Projects that the user's configuration names; absolute.
    pub projects: Vec<PathBuf>,
}

impl Rules {
    /// Whether the kernel holds commands to what they may touch.
    pub fn is_confined(&self) -> bool {
        !matches!(self.sandbox, SandboxPolicy::DangerFullAccess | SandboxPolicy::ExternalSandbox { .. })
    }
}

/// Why a command is not run.
#[derive(Debug, thiserror::Error)]
pub enum NotRun {
    /// A server that another program started inside itself may be unable to run commands.
    #[error(
        "this server cannot run commands, because the program it is part of does not let itself be started as their \
         launcher"
    )]
    NoLauncher,
    /// The command could have the server run another one without any rules.
    #[error(
        "the command was not run, because it may use the network, over which it could reach this server at {0}, and \
         there anybody may do anything; start the server with --ws-auth capability-token --ws-token-file PATH"
    )]
    OpenDoor(String),
}

/// A command's actor is there, and waits to be told what to run. Dropping this ends it.
#[derive(Debug)]
pub struct Waiting(oneshot::Sender<Job>);

impl Runner {
    /// Commands of this process and this host.
    pub fn new(setup: CommandSetup, host: &Host, limits: Arc<Limits>) -> Self {
        let surroundings = Arc::new(Surroundings::new(&host.codex_home, setup.hidden.clone()));
        Self { limits, setup, surroundings, inherited: inherited_environment().into(), can_confine: Arc::default() }
    }

    /// Runs nothing.
    #[cfg(test)]
    pub fn none() -> Self {
        let surroundings = Arc::new(Surroundings::new(std::path::Path::new("/nowhere"), Vec::new()));
        let (limits, setup) = (Arc::new(Limits::tiny()), CommandSetup::default());
        Self { limits, setup, surroundings, inherited: [].into(), can_confine: Arc::default() }
    }

    /// What starts commands, if anything does.
    pub fn launcher(&self) -> Option<&Launcher> {
        self.setup.launcher.as_ref()
    }

    /// The words that start the program which writes a planned patch.
    ///
    /// # Errors
    /// There is none.
    pub fn patcher(&self) -> Result<Vec<OsString>, NotRun> {
        Some(self.setup.patcher.clone()).filter(|words| !words.is_empty()).ok_or(NotRun::NoLauncher)
    }

    /// The words that start the program which tells what has changed in its working directory, a git work tree.
    ///
    /// # Errors
    /// There is none.
    pub fn observer(&self) -> Result<Vec<OsString>, NotRun> {
        Some(self.setup.observer.clone()).filter(|words| !words.is_empty()).ok_or(NotRun::NoLauncher)
    }

    /// The directories below which commands in this workspace may write; none where they are not confined.
    pub fn writable(&self, rules: &Rules, workspace: &Path) -> Vec<PathBuf> {
        let confinement = self.surroundings.confinement(&rules.sandbox, workspace, Vec::new());
        confinement.map(|confinement| confinement.writable).unwrap_or_default()
    }

    /// Whether this machine can confine commands. The first question starts a process, and the others wait for it. What
    /// could not be found out counts as no, and is tried again at the next question.
    pub async fn can_confine(&self) -> bool {
        let Some(launcher) = &self.setup.launcher else { return false };
        let home = self.surroundings.codex_home().to_owned();
        let found = self.can_confine.get_or_try_init(|| async {
            match timeout(PATIENCE, probe(launcher, home)).await {
                Ok(Ok(_)) => Ok(true),
                Ok(Err(LaunchError::NotConfined(_))) => Ok(false),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("the test took longer than {PATIENCE:?}")),
            }
        });
        found.await.copied().unwrap_or_else(|reason| {
            log::warn!(
                "it could not be determined whether commands can be confined; they are not run unasked: {reason}"
            );
            false
        })
    }

    /// Runs a command: its output and its end are told to `listener`, and what it is to read or when it is to end is
    /// sent to its actor.
    ///
    /// # Errors
    /// Nothing was run. What fails later is told to `listener`.
    pub fn run(
        &self,
        id: CommandId,
        run: Run,
        streams: Streams,
        listener: Listener,
    ) -> Result<Arc<Addr<Command>>, NotRun> {
        let (command, waiting) = self.prepare(id, streams, listener)?;
        self.begin(waiting, run)?;
        Ok(command)
    }

    /// Starts the actor of a command whose rules are not known yet. It takes input, and can be ended.
    ///
    /// # Errors
    /// No command can be run at all.
    pub fn prepare(
        &self,
        id: CommandId,
        streams: Streams,
        listener: Listener,
    ) -> Result<(Arc<Addr<Command>>, Waiting), NotRun> {
        let launcher = self.setup.launcher.clone().ok_or(NotRun::NoLauncher)?;
        let (waiting, job) = oneshot::channel();
        let command = Command::new(id, self.limits.clone(), launcher, listener, streams, job);
        Ok((start(self.limits.command_mailbox_messages, command), Waiting(waiting)))
    }

    /// Begins what was prepared.
    ///
    /// # Errors
    /// Nothing was run, and the actor has ended.
    pub fn begin(&self, Waiting(waiting): Waiting, run: Run) -> Result<(), NotRun> {
        // A command that was ended meanwhile takes it no more.
        drop(waiting.send(self.job(run)?));
        Ok(())
    }

    fn job(&self, run: Run) -> Result<Job, NotRun> {
        let Run { argv, cwd, cwd_is_real, workspace, rules, environment, with_programs, timeout } = run;
        let confinement = self.surroundings.confinement(&rules.sandbox, &workspace, rules.projects);
        let has_network = confinement.as_ref().is_none_or(|confinement| confinement.network);
        if let Some(url) = self.setup.open_door.as_ref().filter(|_| confinement.is_some() && has_network) {
            return Err(NotRun::OpenDoor(url.clone()));
        }
        let mut env = rules.environment.environment(&self.inherited, environment.as_ref(), has_network);
        if let Some(folder) = self.setup.programs.as_ref().filter(|_| with_programs) {
            add_programs(&mut env, folder);
        }
        let bounds = Bounds {
            open_files: self.setup.open_files,
            // Outside of a sandbox the kernel counts all processes of the user together.
            processes: self.limits.command_processes().filter(|_| confinement.is_some()),
            memory_bytes: self.limits.command_memory_bytes(),
            shm_bytes: Some(self.limits.command_shm_bytes().unwrap_or_else(quarter_of_memory)),
        };
        Ok(Job { argv, cwd, cwd_is_real, env, bounds, confinement, timeout })
    }
}

fn quarter_of_memory() -> u64 {
    let system = rustix::system::sysinfo();
    system.totalram.saturating_mul(system.mem_unit.into()) / 4
}
