//! What the launcher is told.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The launcher's task.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    /// Run a command.
    Exec(Exec),
    /// Confine yourself as for a command that may write nothing, say which layers hold, and end.
    Probe,
}

/// A command.
#[derive(Debug, Serialize, Deserialize)]
pub struct Exec {
    /// The program, looked up in the command's own `PATH`, and its arguments; never empty.
    pub argv: Vec<OsString>,
    /// Absolute working directory.
    pub cwd: PathBuf,
    /// The complete environment.
    pub env: Vec<(OsString, OsString)>,
    /// The standard streams are a terminal, which becomes the command's controlling one.
    pub terminal: bool,
    /// `None` runs the command with all rights of the server's user.
    pub confinement: Option<Confinement>,
}

/// What a confined command may do. It may always read files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Directories (or single files) below which it may write; absolute. One that does not exist is left out.
    pub writable: Vec<PathBuf>,
    /// What stays read-only inside them, besides the `.git` and `.codex` of each.
    pub read_only: Vec<PathBuf>,
    /// Files and directories that it does not see at all: sockets over which it could ask others to do what it may not.
    pub hidden: Vec<PathBuf>,
    /// It may use the network.
    pub network: bool,
}
