//! `service`: the server as a service of this user, started at sign-in: a unit of systemd, or an agent of launchd.

mod files;
#[cfg_attr(target_os = "macos", path = "launchd.rs")]
#[cfg_attr(not(target_os = "macos"), path = "systemd.rs")]
mod manager;
mod programs;

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    cli::ServiceAction,
    output::{Unwritten, print},
};

/// Why a service cannot be managed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A file of the service cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// Somebody else's file lies at the path.
    #[error("{} was not written by `service install`; move it away, and install again", .0.display())]
    Foreign(PathBuf),
    /// A path cannot be written into the service's file.
    #[error("{} cannot be named in a unit, because it contains a line break or is not valid UTF-8", .0.display())]
    Unnameable(PathBuf),
    /// There is no home directory.
    #[error("HOME is not set to an absolute path, so the place of the service's file is unknown; set it")]
    NoHome,
    /// The service manager cannot be started.
    #[error("{program} cannot be started: {error}; {hint}")]
    NoManager {
        /// Its program.
        program: &'static str,
        /// The error of the operating system.
        error: io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// The service manager refused.
    #[error("`{command}` failed with {status}, and said why; {hint}")]
    Refused {
        /// What was run.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What to do.
        hint: &'static str,
    },
    /// stdout is closed or full.
    #[error(transparent)]
    Output(#[from] Unwritten),
}

/// Does `action` for the server of `codex_home`.
///
/// # Errors
/// See [`ServiceError`].
pub fn run(action: &ServiceAction, codex_home: &Path) -> Result<(), ServiceError> {
    match action {
        ServiceAction::Install => {
            let said = manager::install(codex_home)?;
            Ok(print(said.as_bytes())?)
        }
        ServiceAction::Uninstall => {
            let said = manager::uninstall()?;
            Ok(print(said.as_bytes())?)
        }
        ServiceAction::Status => manager::status(),
        ServiceAction::Logs { follow } => manager::logs(*follow),
    }
}
