//! Orders to the launcher.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// An order.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    /// Run a command.
    Exec(Box<Exec>),
    /// Confine yourself as for a command that may write nothing, say which layers hold, and end.
    Probe {
        /// `$CODEX_HOME`: what commands of an earlier server left behind is cleared away first.
        home: PathBuf,
    },
}

/// A command.
#[derive(Debug, Serialize, Deserialize)]
pub struct Exec {
    /// Program, looked up in the command's own `PATH`, and arguments; never empty.
    pub argv: Vec<OsString>,
    /// Absolute working directory.
    pub cwd: PathBuf,
    /// The working directory is a path without links. If it leads elsewhere by now, the command does not start.
    pub cwd_is_real: bool,
    /// The complete environment.
    pub env: Vec<(OsString, OsString)>,
    /// Whether the standard streams are a terminal, which becomes the controlling terminal.
    pub terminal: bool,
    /// What it may take of the machine.
    pub bounds: Bounds,
    /// `None` runs the command with all rights of the server's user.
    pub confinement: Option<Confinement>,
}

/// What a command may take of the machine; what is `None` is not bounded here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The soft limit of open files, as the server was started with; the hard one is not touched.
    pub open_files: Option<u64>,
    /// Processes and threads of one confined command; root is not bound by it.
    pub processes: Option<u64>,
    /// Bytes of private memory of each process.
    pub memory_bytes: Option<u64>,
    /// Bytes of a confined command's `/dev/shm`.
    pub shm_bytes: Option<u64>,
}

/// What a confined command may do. It may always read files, except those that are hidden.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Absolute paths of directories (or single files) in which it may write. Missing ones are ignored.
    pub writable: Vec<PathBuf>,
    /// `$CODEX_HOME`: read-only, and without the files that hold secrets or lead to a server.
    pub home: Option<PathBuf>,
    /// Directories that are known to be projects, besides those that the home remembers.
    pub projects: Vec<PathBuf>,
    /// Files and directories that it does not see at all, besides those in the home: sockets and secrets.
    pub hidden: Vec<PathBuf>,
    /// Whether it may use the network.
    pub network: bool,
}
